//! A file of audio in the words of `RecognitionConfig`: encoding, sample rate, and bytes of one channel.

use bytes::Bytes;
use llm_types::{Error, Result};

/// `AudioEncoding` of `riva_audio.proto`.
const LINEAR_PCM: u64 = 1;
const FLAC: u64 = 2;
const MULAW: u64 = 3;
const OGGOPUS: u64 = 4;
const ALAW: u64 = 20;

/// What Opus in Ogg is decoded at, whatever it was made from. RFC 7845 §5.1.
const OPUS_RATE: u64 = 48_000;

/// Audio as Riva is told of it.
#[derive(Debug, PartialEq)]
pub(super) struct Sound {
    pub(super) encoding: u64,
    /// Samples a second.
    pub(super) rate: u64,
    pub(super) bytes: Bytes,
}

impl Sound {
    /// Looks at a file's first bytes.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] naming `file`, what was found, and what Riva takes.
    pub(super) fn of(file: &Bytes) -> Result<Self> {
        match &**file {
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => wav(file),
            [b'f', b'L', b'a', b'C', ..] => flac(file),
            [b'O', b'g', b'g', b'S', ..] => opus(file),
            [] => Err(refused("an empty file")),
            _ => Err(refused("another kind of file")),
        }
    }
}

fn refused(found: &str) -> Error {
    let message = format!(
        "`file`: expected WAV (16-bit samples, A-law or µ-law), or FLAC or Ogg Opus with one channel, which is what \
         NVIDIA Riva takes; found {found}"
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
fn wav(file: &Bytes) -> Result<Sound> {
    let (format, data) = chunks(file).ok_or_else(|| refused("WAV without its chunks `fmt ` and `data`"))?;
    let said = || Some((u16_at(&format, 0)?, u16_at(&format, 2)?, u32_at(&format, 4)?, u16_at(&format, 14)?));
    let (mut kind, channels, rate, bits) = said().ok_or_else(|| refused("WAV with half a chunk `fmt `"))?;
    if kind == 0xfffe {
        // WAVE_FORMAT_EXTENSIBLE: the kind stands in front of its GUID.
        kind = u16_at(&format, 24).unwrap_or(kind);
    }
    let encoding = match (kind, bits, channels) {
        (1, 16, 1..) => LINEAR_PCM,
        (6, 8, 1) => ALAW,
        (7, 8, 1) => MULAW,
        _ => return Err(refused(&format!("WAV of kind {kind} with {bits} bits and {channels} channels"))),
    };
    let bytes = if channels > 1 { mixed(&data, channels) } else { data };
    Ok(Sound { encoding, rate: rate.into(), bytes })
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
fn flac(file: &Bytes) -> Result<Sound> {
    let info = file.get(18..26).and_then(|info| info.try_into().ok()).map(u64::from_be_bytes);
    let info = info.ok_or_else(|| refused("half a FLAC file"))?;
    let channels = (info >> 41 & 7) + 1;
    if channels > 1 {
        return Err(refused(&format!("FLAC with {channels} channels")));
    }
    Ok(Sound { encoding: FLAC, rate: info >> 44, bytes: file.clone() })
}

/// The first page of Ogg holds `OpusHead`: a version, and how many channels there are. RFC 7845 §5.1.
fn opus(file: &Bytes) -> Result<Sound> {
    let page = &file[..file.len().min(512)];
    let head = memchr::memmem::find(page, b"OpusHead").ok_or_else(|| refused("Ogg that holds no Opus"))?;
    match page.get(head + 9) {
        Some(1) => Ok(Sound { encoding: OGGOPUS, rate: OPUS_RATE, bytes: file.clone() }),
        Some(channels) => Err(refused(&format!("Ogg Opus with {channels} channels"))),
        None => Err(refused("half an Ogg file")),
    }
}

#[cfg(test)]
mod tests;
