//! A file of audio for services that want to be told what it is: coding, sample rate, and bytes of one channel.

use bytes::Bytes;
use llm_types::{Error, Result};

/// How samples are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// 16 bits, little-endian.
    Pcm,
    Flac,
    Mulaw,
    OggOpus,
    Alaw,
}

/// What Opus in Ogg is decoded at, whatever it was made from. RFC 7845 §5.1.
const OPUS_RATE: u32 = 48_000;

/// Who is told of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listener {
    /// Its name, for refusals.
    pub(crate) name: &'static str,
    /// Whether it takes A-law and µ-law.
    pub(crate) laws: bool,
}

/// Audio as a service is told of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Sound {
    pub(crate) coding: Coding,
    /// Samples a second.
    pub(crate) rate: u32,
    pub(crate) bytes: Bytes,
}

impl Sound {
    /// Looks at a file's first bytes.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] naming `file`, what was found, and what the listener takes.
    pub(crate) fn of(file: &Bytes, listener: Listener) -> Result<Self> {
        let sound = match &**file {
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => wav(file, listener),
            [b'f', b'L', b'a', b'C', ..] => flac(file),
            [b'O', b'g', b'g', b'S', ..] => opus(file),
            [] => Err("an empty file".to_owned()),
            _ => Err("another kind of file".to_owned()),
        };
        sound.map_err(|found| refused(&found, listener))
    }
}

/// What was found where it is nothing that can be told.
type Found<T> = std::result::Result<T, String>;

fn refused(found: &str, listener: Listener) -> Error {
    let laws = if listener.laws { ", A-law or µ-law" } else { "" };
    let message = format!(
        "`file`: expected WAV (16-bit samples{laws}), or FLAC or Ogg Opus with one channel, which is what {} takes; \
         found {found}",
        listener.name
    );
    Error::bad_param("file", message)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// The chunks `fmt ` and `data` of RIFF; the samples lose their head.
fn wav(file: &Bytes, listener: Listener) -> Found<Sound> {
    let (format, data) = chunks(file).ok_or("WAV without its chunks `fmt ` and `data`")?;
    let said = || Some((u16_at(&format, 0)?, u16_at(&format, 2)?, u32_at(&format, 4)?, u16_at(&format, 14)?));
    let (mut kind, channels, rate, bits) = said().ok_or("WAV with half a chunk `fmt `")?;
    if kind == 0xfffe {
        // WAVE_FORMAT_EXTENSIBLE: the kind stands in front of its GUID.
        kind = u16_at(&format, 24).unwrap_or(kind);
    }
    let coding = match (kind, bits, channels) {
        (1, 16, 1..) => Coding::Pcm,
        (6, 8, 1) if listener.laws => Coding::Alaw,
        (7, 8, 1) if listener.laws => Coding::Mulaw,
        _ => return Err(format!("WAV of kind {kind} with {bits} bits and {channels} channels")),
    };
    let bytes = if channels > 1 { mixed(&data, channels) } else { data };
    Ok(Sound { coding, rate, bytes })
}

fn chunks(file: &Bytes) -> Option<(Bytes, Bytes)> {
    let mut at = 12_usize;
    let mut format = None;
    loop {
        let size = usize::try_from(u32_at(file, at + 4)?).ok()?;
        let start = at + 8;
        // Streams that were written without knowing their end say a size that is none.
        let end = start.saturating_add(size).min(file.len());
        match file.get(at..at + 4)? {
            b"fmt " => format = Some(file.slice(start..end)),
            b"data" => return Some((format?, file.slice(start..end))),
            _ => {}
        }
        at = start.checked_add(size)?.checked_add(size % 2)?;
    }
}

/// Samples of several channels as one: their mean.
fn mixed(samples: &[u8], channels: u16) -> Bytes {
    let frame = usize::from(channels) * 2;
    let mean = |frame: &[u8]| {
        let (samples, _) = frame.as_chunks::<2>();
        let sum: i64 = samples.iter().map(|sample| i64::from(i16::from_le_bytes(*sample))).sum();
        i16::try_from(sum / i64::from(channels)).unwrap_or_default()
    };
    samples.chunks_exact(frame).flat_map(|frame| mean(frame).to_le_bytes()).collect()
}

/// `STREAMINFO` holds 20 bits of sample rate and 3 of channels less one. RFC 9639 §8.2.
fn flac(file: &Bytes) -> Found<Sound> {
    let info = file.get(18..26).and_then(|info| info.try_into().ok()).map(u64::from_be_bytes);
    let info = info.ok_or("half a FLAC file")?;
    let channels = (info >> 41 & 7) + 1;
    if channels > 1 {
        return Err(format!("FLAC with {channels} channels"));
    }
    let rate = u32::try_from(info >> 44).expect("20 bits are no more than 32");
    Ok(Sound { coding: Coding::Flac, rate, bytes: file.clone() })
}

/// The first page of Ogg holds `OpusHead`: a version, and how many channels there are. RFC 7845 §5.1.
fn opus(file: &Bytes) -> Found<Sound> {
    let page = &file[..file.len().min(512)];
    let head = memchr::memmem::find(page, b"OpusHead").ok_or("Ogg that holds no Opus")?;
    match page.get(head + 9) {
        Some(1) => Ok(Sound { coding: Coding::OggOpus, rate: OPUS_RATE, bytes: file.clone() }),
        Some(channels) => Err(format!("Ogg Opus with {channels} channels")),
        None => Err("half an Ogg file".to_owned()),
    }
}

#[cfg(test)]
mod tests;
