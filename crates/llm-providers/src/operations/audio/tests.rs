//! Lengths of files of audio.

use super::{length_ms, wav};

#[test]
fn wav_files_say_their_length_and_streamed_ones_too() {
    let file = wav(&vec![0; 48_000], 24_000);
    assert_eq!(length_ms(&file), Some(1_000));
    let mut streamed = file;
    streamed[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(length_ms(&streamed), Some(1_000));
}

#[test]
fn mp3_frames_are_counted() {
    // MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes and 1 152 samples a frame.
    let mut frame = vec![0; 417];
    frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x00]);
    let file = frame.repeat(100);
    assert_eq!(length_ms(&file), Some(2_612));
    let tagged = [b"ID3\x04\0\0\0\0\0\x05hello".to_vec(), file].concat();
    assert_eq!(length_ms(&tagged), Some(2_612));
}

#[test]
fn flac_ogg_and_mp4_say_their_length() {
    let mut flac = b"fLaC\0\0\0\x22".to_vec();
    flac.extend([0; 10]);
    flac.extend(((44_100_u64 << 44) | 88_200).to_be_bytes());
    assert_eq!(length_ms(&flac), Some(2_000));

    let mut ogg = b"OggS\0\0".to_vec();
    ogg.extend([0; 22]);
    ogg.extend(b"OpusHead\x01\x01\x38\x01");
    ogg.extend(b"OggS\0\x04");
    ogg.extend((48_000_u64 * 3 + 0x138).to_le_bytes());
    ogg.extend([0; 8]);
    assert_eq!(length_ms(&ogg), Some(3_000));

    let mut mp4 = b"\0\0\0\x18ftypM4A ".to_vec();
    mp4.extend(b"mvhd\0\0\0\0");
    mp4.extend([0; 8]);
    mp4.extend(1_000_u32.to_be_bytes());
    mp4.extend(4_500_u32.to_be_bytes());
    assert_eq!(length_ms(&mp4), Some(4_500));
}

#[test]
fn what_is_no_audio_has_no_length() {
    for file in [&b""[..], b"RIFF", b"fLaC", b"OggS", b"hello world, this is text", &[0xff; 64]] {
        assert_eq!(length_ms(file), None, "{file:?}");
    }
}
