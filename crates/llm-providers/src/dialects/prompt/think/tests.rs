//! Thoughts are told apart the same however the text is cut.

use super::{Piece, Splitter, Thinks};

/// Thoughts and text, each joined.
fn told(thinks: Thinks, text: &str, size: usize) -> (String, String) {
    let mut splitter = Splitter::new(thinks);
    let letters: Vec<char> = text.chars().collect();
    let mut pieces: Vec<Piece> = Vec::new();
    for piece in letters.chunks(size) {
        pieces.extend(splitter.push(&piece.iter().collect::<String>()));
    }
    pieces.extend(splitter.finish());
    let mut told = (String::new(), String::new());
    for piece in pieces {
        match piece {
            Piece::Thought(text) => told.0.push_str(&text),
            Piece::Text(text) => told.1.push_str(&text),
        }
    }
    told
}

#[test]
fn thoughts_are_told_apart_in_all_pieces() {
    let cases = [
        (Thinks::No, "<think>a</think>b", "", "<think>a</think>b"),
        (Thinks::First, "a</think>\n\nb", "a", "b"),
        (Thinks::First, "<think>a</think>b", "a", "b"),
        (Thinks::First, "never over", "never over", ""),
        (Thinks::First, "a < b </thin k></think> c", "a < b </thin k>", "c"),
        (Thinks::Marked, "\n<think>\na</think>\n\nb <think>", "\na", "b <think>"),
        (Thinks::Marked, "plain <think>a</think>", "", "plain <think>a</think>"),
        (Thinks::Marked, "<thi", "", "<thi"),
        (Thinks::Marked, "<think></think>b", "", "b"),
        (Thinks::Marked, "", "", ""),
    ];
    for (thinks, text, thought, answer) in cases {
        for size in 1..=text.chars().count().max(1) {
            let expected = (thought.to_owned(), answer.to_owned());
            assert_eq!(told(thinks, text, size), expected, "{text:?} by {size}");
        }
    }
}
