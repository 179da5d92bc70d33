//! How long a file of audio is, from its own words; and samples put into a file.

mod heard;

pub(crate) use heard::Heard;

/// Thousandths of a second; `None` for a kind of file that is not known, or a broken one.
#[must_use]
pub fn length_ms(file: &[u8]) -> Option<u64> {
    match file {
        [b'R', b'I', b'F', b'F', ..] => wav_ms(file),
        [b'f', b'L', b'a', b'C', ..] => flac_ms(file),
        [b'O', b'g', b'g', b'S', ..] => ogg_ms(file),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => mp4_ms(file),
        _ => mp3_ms(file),
    }
}

/// How long an uploaded file is, wherever it stands: thousandths of a second.
#[must_use]
pub fn audio_ms(file: &llm_types::Upload) -> Option<u64> {
    file.kept.as_ref().map_or_else(|| length_ms(&file.bytes), llm_types::Kept::audio_ms)
}

fn u16_at(file: &[u8], at: usize) -> Option<u64> {
    file.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes).map(u64::from)
}

fn u32_at(file: &[u8], at: usize) -> Option<u64> {
    file.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes).map(u64::from)
}

fn be32_at(file: &[u8], at: usize) -> Option<u64> {
    file.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes).map(u64::from)
}

fn ms(units: u64, rate: u64) -> Option<u64> {
    units.saturating_mul(1_000).checked_div(rate)
}

fn wav_ms(file: &[u8]) -> Option<u64> {
    wav_ms_of(file, file.len() as u64)
}

/// RIFF: the `fmt ` chunk says bytes a second, the `data` chunk how many there are. `file` is the beginning of
/// one with `total` bytes.
fn wav_ms_of(file: &[u8], total: u64) -> Option<u64> {
    let mut at = 12_usize;
    let mut rate = None;
    loop {
        let size = usize::try_from(u32_at(file, at + 4)?).ok()?;
        match file.get(at..at + 4)? {
            b"fmt " => rate = u32_at(file, at + 16),
            b"data" => {
                // Streams that were written without knowing their end say a size that is none.
                let there = total.saturating_sub(at as u64 + 8);
                return ms(there.min(size as u64), rate?);
            }
            _ => {}
        }
        at = at.checked_add(8 + size + size % 2)?;
    }
}

/// FLAC: `STREAMINFO` holds 20 bits of sample rate and 36 bits of samples.
fn flac_ms(file: &[u8]) -> Option<u64> {
    let info: [u8; 8] = file.get(18..26)?.try_into().ok()?;
    let bits = u64::from_be_bytes(info);
    ms(bits & 0xf_ffff_ffff, bits >> 44)
}

/// Ogg: the last page's granule position counts samples; Opus' run at 48 kHz.
fn ogg_ms(file: &[u8]) -> Option<u64> {
    let last = memchr::memmem::rfind(file, b"OggS")?;
    let granule = u64::from_le_bytes(file.get(last + 6..last + 14)?.try_into().ok()?);
    if let Some(head) = memchr::memmem::find(file, b"OpusHead") {
        let skipped = u16_at(file, head + 10)?;
        return ms(granule.saturating_sub(skipped), 48_000);
    }
    let head = memchr::memmem::find(file, b"\x01vorbis")?;
    ms(granule, u32_at(file, head + 12)?)
}

/// MP4: the movie's header says its time scale and its length.
fn mp4_ms(file: &[u8]) -> Option<u64> {
    let head = memchr::memmem::find(file, b"mvhd")? + 4;
    match file.get(head)? {
        0 => ms(be32_at(file, head + 16)?, be32_at(file, head + 12)?),
        _ => {
            let length = u64::from_be_bytes(file.get(head + 24..head + 32)?.try_into().ok()?);
            ms(length, be32_at(file, head + 20)?)
        }
    }
}

/// MPEG audio, layer III: frame by frame.
fn mp3_ms(file: &[u8]) -> Option<u64> {
    let mut at = 0;
    if file.starts_with(b"ID3") {
        let size = file.get(6..10)?.iter().fold(0_usize, |size, byte| size << 7 | usize::from(byte & 0x7f));
        at = 10 + size;
    }
    let mut micros = 0;
    let mut frames = 0_u64;
    while let Some(head) = file.get(at..at + 4) {
        let Some((length, samples, rate)) = mp3_frame(head) else {
            // What is no frame is passed over; a file without any is none.
            if frames == 0 && at > 64 * 1024 {
                return None;
            }
            at += 1;
            continue;
        };
        micros += samples * 1_000_000 / rate;
        frames += 1;
        at += length;
    }
    (frames > 1).then_some(micros / 1_000)
}

/// A frame's length in bytes, its samples, and the sample rate.
fn mp3_frame(head: &[u8]) -> Option<(usize, u64, u64)> {
    const ONE: [u64; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const TWO: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let (one, two, three) = (*head.first()?, *head.get(1)?, *head.get(2)?);
    let (version, layer) = (two >> 3 & 3, two >> 1 & 3);
    if one != 0xff || two & 0xe0 != 0xe0 || version == 1 || layer != 1 {
        return None;
    }
    let is_one = version == 3;
    let rate = *if is_one { &ONE } else { &TWO }.get(usize::from(three >> 4))? * 1_000;
    let samples_a_second = *[44_100_u64, 48_000, 32_000].get(usize::from(three >> 2 & 3))?
        / match version {
            3 => 1,
            2 => 2,
            _ => 4,
        };
    let samples = if is_one { 1_152 } else { 576 };
    let padding = u64::from(three >> 1 & 1);
    let length = samples / 8 * rate / samples_a_second + padding;
    (rate > 0 && length > 4).then_some((usize::try_from(length).ok()?, samples, samples_a_second))
}

/// Samples of 16 bits, one channel, as a WAV file.
#[must_use]
pub(crate) fn wav(samples: &[u8], rate: u32) -> Vec<u8> {
    let size = u32::try_from(samples.len()).unwrap_or(u32::MAX - 36);
    let mut file = Vec::with_capacity(44 + samples.len());
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + size).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    for word in [1_u16, 1] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&rate.saturating_mul(2).to_le_bytes());
    for word in [2_u16, 16] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    file.extend_from_slice(b"data");
    file.extend_from_slice(&size.to_le_bytes());
    file.extend_from_slice(samples);
    file
}

#[cfg(test)]
mod tests;
