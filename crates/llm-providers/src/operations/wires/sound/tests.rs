//! Files of audio as services are told of them, and those that they do not take.

use bytes::Bytes;

use super::{Coding, Listener, Sound};

const LISTENER: Listener = Listener { name: "the service", laws: true };

fn wav(kind: u16, channels: u16, bits: u16, data: &[u8]) -> Bytes {
    let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
    file.extend_from_slice(&kind.to_le_bytes());
    file.extend_from_slice(&channels.to_le_bytes());
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.extend_from_slice(&[0; 6]);
    file.extend_from_slice(&bits.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
    file.extend_from_slice(data);
    file.into()
}

fn flac(rate: u64, channels: u64) -> Bytes {
    let mut file = b"fLaC\0\0\0\x22".to_vec();
    file.extend_from_slice(&[0; 10]);
    file.extend_from_slice(&(rate << 44 | (channels - 1) << 41 | 15 << 36).to_be_bytes());
    file.into()
}

fn opus(channels: u8) -> Bytes {
    let mut file = b"OggS\0\x02".to_vec();
    file.extend_from_slice(&[0; 22]);
    file.extend_from_slice(b"OpusHead\x01");
    file.push(channels);
    file.into()
}

#[test]
fn files_are_told_as_they_are() {
    let sound = |coding, rate, bytes: &[u8]| Sound { coding, rate, bytes: Bytes::copy_from_slice(bytes) };
    assert_eq!(Sound::of(&wav(1, 1, 16, b"abcd"), LISTENER).unwrap(), sound(Coding::Pcm, 16_000, b"abcd"));
    assert_eq!(Sound::of(&wav(6, 1, 8, b"abcd"), LISTENER).unwrap(), sound(Coding::Alaw, 16_000, b"abcd"));
    assert_eq!(Sound::of(&wav(7, 1, 8, b"abcd"), LISTENER).unwrap(), sound(Coding::Mulaw, 16_000, b"abcd"));
    let file = flac(44_100, 1);
    assert_eq!(Sound::of(&file, LISTENER).unwrap(), sound(Coding::Flac, 44_100, &file));
    let file = opus(1);
    assert_eq!(Sound::of(&file, LISTENER).unwrap(), sound(Coding::OggOpus, 48_000, &file));
}

#[test]
fn channels_of_samples_are_mixed() {
    let samples: Vec<u8> =
        [100_i16, 200, -300, -100, i16::MIN, i16::MIN].iter().flat_map(|s| s.to_le_bytes()).collect();
    let mean: Vec<u8> = [150_i16, -200, i16::MIN].iter().flat_map(|s| s.to_le_bytes()).collect();
    assert_eq!(Sound::of(&wav(1, 2, 16, &samples), LISTENER).unwrap().bytes, mean);
}

#[test]
fn what_no_service_takes_is_refused_by_name() {
    for (file, found) in [
        (Bytes::from_static(b"ID3\x04mp3"), "another kind of file"),
        (Bytes::new(), "an empty file"),
        (wav(3, 1, 32, b"abcd"), "WAV of kind 3 with 32 bits and 1 channels"),
        (wav(1, 1, 24, b"abcdef"), "WAV of kind 1 with 24 bits and 1 channels"),
        (wav(7, 2, 8, b"abcd"), "WAV of kind 7 with 8 bits and 2 channels"),
        (Bytes::from_static(b"RIFF\0\0\0\0WAVEdata\x01\0\0\0a"), "WAV without its chunks"),
        (flac(8_000, 2), "FLAC with 2 channels"),
        (Bytes::from_static(b"fLaC"), "half a FLAC file"),
        (opus(2), "Ogg Opus with 2 channels"),
        (Bytes::from_static(b"OggS\0\x02\x01vorbis"), "Ogg that holds no Opus"),
    ] {
        let error = Sound::of(&file, LISTENER).unwrap_err();
        assert_eq!(error.param(), Some("file"));
        assert!(error.message().contains(found), "{found}: {}", error.message());
    }
}

#[test]
fn who_takes_no_telephone_codings_is_told_none() {
    let error = Sound::of(&wav(7, 1, 8, b"abcd"), Listener { name: "it", laws: false }).unwrap_err();
    assert!(error.message().contains("WAV of kind 7") && !error.message().contains("law"), "{error}");
}
