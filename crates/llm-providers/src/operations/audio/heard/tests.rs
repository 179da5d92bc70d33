//! What passes by is as long as what lies there.

use super::super::{length_ms, wav};
use super::Heard;

fn heard(file: &[u8], piece: usize) -> Option<u64> {
    let mut heard = Heard::default();
    file.chunks(piece).for_each(|piece| heard.push(piece));
    heard.finish()
}

fn samples() -> Vec<Vec<u8>> {
    let mut frame = vec![0; 417];
    frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x00]);
    let frames = frame.repeat(400);
    let mut flac = b"fLaC\0\0\0\x22".to_vec();
    flac.extend([0; 10]);
    flac.extend(((44_100_u64 << 44) | 88_200).to_be_bytes());
    flac.extend(vec![7; 300_000]);
    let mut ogg = b"OggS\0\0".to_vec();
    ogg.extend([0; 22]);
    ogg.extend(b"OpusHead\x01\x01\x38\x01");
    ogg.extend(vec![1; 300_000]);
    ogg.extend(b"OggS\0\x04");
    ogg.extend((48_000_u64 * 3 + 0x138).to_le_bytes());
    ogg.extend([0; 8]);
    // Its header stands at the end, as recorders write it.
    let mut mp4 = b"\0\0\0\x18ftypM4A ".to_vec();
    mp4.extend(vec![2; 300_000]);
    mp4.extend(b"mvhd\0\0\0\0");
    mp4.extend([0; 8]);
    mp4.extend(1_000_u32.to_be_bytes());
    mp4.extend(4_500_u32.to_be_bytes());
    mp4.extend([0; 40]);
    vec![
        wav(&vec![0; 480_000], 24_000),
        frames.clone(),
        [b"ID3\x04\0\0\0\0\x02\x05".to_vec(), vec![0; 261], frames].concat(),
        flac,
        ogg,
        mp4,
    ]
}

#[test]
fn audio_that_passes_by_is_as_long_as_audio_that_lies_there() {
    for file in samples() {
        let whole = length_ms(&file);
        assert!(whole.is_some());
        for piece in [1, 3, 7, 8, 10, 1_000, 65_536, 200_000, file.len()] {
            assert_eq!(heard(&file, piece), whole, "{:?} by {piece}", &file[..8]);
        }
    }
}

#[test]
fn what_is_no_audio_has_no_length() {
    for file in [&b""[..], b"RIFF", b"fLaC", b"OggS", b"hello world, this is text", &[0xff; 64]] {
        for piece in [1, 4, 64] {
            assert_eq!(heard(file, piece), None, "{file:?}");
        }
    }
    assert_eq!(heard(&vec![3; 400_000], 10_000), None);
}
