//! How long a file of audio is that passes by and is not kept.

use super::{flac_ms, mp3_frame, ms, u16_at, u32_at};

/// Bytes of the beginning that are kept: heads of every kind of file stand there.
const HEAD: usize = 64 * 1024;
/// Bytes of the end that are kept: the last page of an Ogg file stands there.
const TAIL: usize = 128 * 1024;
/// Bytes without a frame after which a file is no MPEG audio.
const NO_FRAMES: u64 = 64 * 1024;
/// The movie's header of an MP4 file, its name included.
const MOVIE: usize = 40;

/// A file of audio passing by.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    total: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    movie: Vec<u8>,
    frames: Frames,
}

impl Heard {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let more = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..more]);
        match &*self.head {
            [b'O', b'g', b'g', b'S', ..] => {
                self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
                let over = self.tail.len().saturating_sub(TAIL);
                self.tail.drain(..over);
            }
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => self.look_for_movie(bytes),
            [b'R', b'I', b'F', b'F', ..] | [b'f', b'L', b'a', b'C', ..] => {}
            // Fewer bytes tell nothing: they are looked at with the next ones.
            head if head.len() < 8 => {}
            head => {
                let before = usize::try_from(self.total).unwrap_or(usize::MAX) - bytes.len();
                if self.frames.seen == 0 && before > 0 {
                    self.frames.push(&head[..before]);
                }
                self.frames.push(bytes);
            }
        }
    }

    /// Thousandths of a second; `None` for a kind of file that is not known, or a broken one.
    pub(crate) fn finish(self) -> Option<u64> {
        match &*self.head {
            [b'R', b'I', b'F', b'F', ..] => super::wav_ms_of(&self.head, self.total),
            [b'f', b'L', b'a', b'C', ..] => flac_ms(&self.head),
            [b'O', b'g', b'g', b'S', ..] => self.ogg_ms(),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => super::mp4_ms(&self.movie),
            _ => self.frames.ms(),
        }
    }

    fn ogg_ms(&self) -> Option<u64> {
        let last = memchr::memmem::rfind(&self.tail, b"OggS")?;
        let granule = u64::from_le_bytes(self.tail.get(last + 6..last + 14)?.try_into().ok()?);
        if let Some(head) = memchr::memmem::find(&self.head, b"OpusHead") {
            return ms(granule.saturating_sub(u16_at(&self.head, head + 10)?), 48_000);
        }
        let head = memchr::memmem::find(&self.head, b"\x01vorbis")?;
        ms(granule, u32_at(&self.head, head + 12)?)
    }

    /// Keeps the movie's header when it passes by; it may stand at the file's end.
    fn look_for_movie(&mut self, bytes: &[u8]) {
        if self.movie.len() >= MOVIE {
            return;
        }
        self.movie.extend_from_slice(bytes);
        match memchr::memmem::find(&self.movie, b"mvhd") {
            Some(found) => {
                self.movie.drain(..found);
                self.movie.truncate(MOVIE);
            }
            None => {
                let over = self.movie.len().saturating_sub(3);
                self.movie.drain(..over);
            }
        }
    }
}

/// MPEG audio, layer III: frame by frame, whatever the pieces.
#[derive(Debug, Default)]
struct Frames {
    /// Where the next frame is looked for.
    next: u64,
    /// How many bytes have come.
    seen: u64,
    /// The last bytes before those: a head may be torn apart.
    torn: Vec<u8>,
    micros: u64,
    frames: u64,
    tagged: bool,
}

impl Frames {
    fn push(&mut self, bytes: &[u8]) {
        if self.frames == 0 && self.next > NO_FRAMES {
            return;
        }
        let begins = self.seen - self.torn.len() as u64;
        let all = [&self.torn, bytes].concat();
        self.seen += bytes.len() as u64;
        if !self.tagged {
            // A tag's head is that long; fewer bytes are kept whole for the next look.
            if all.len() < 10 {
                self.torn = all;
                return;
            }
            self.tagged = true;
            if all.starts_with(b"ID3") {
                let size = all[6..10].iter().fold(0_u64, |size, byte| size << 7 | u64::from(byte & 0x7f));
                self.next = 10 + size;
            }
        }
        while let Some(at) = self.next.checked_sub(begins).and_then(|at| usize::try_from(at).ok())
            && let Some(head) = all.get(at..at + 4)
        {
            match mp3_frame(head) {
                Some((length, samples, rate)) => {
                    self.micros += samples * 1_000_000 / rate;
                    self.frames += 1;
                    self.next += length as u64;
                }
                // What is no frame is passed over.
                None => self.next += 1,
            }
        }
        let keep = all.len().saturating_sub(3);
        self.torn = all[keep..].to_vec();
    }

    fn ms(&self) -> Option<u64> {
        (self.frames > 1).then_some(self.micros / 1_000)
    }
}

#[cfg(test)]
mod tests;
