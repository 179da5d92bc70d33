//! What each kind of deployment is asked by a health check.

use llm_providers::operations::length_ms;
use llm_types::Operation;

use super::{Question, SILENCE};

#[test]
fn what_a_model_is_for_says_what_it_is_asked() {
    assert_eq!(Question::of("responses"), Some(Question::Chat));
    assert_eq!(Question::of("embedding"), Some(Question::Beside(Operation::Embeddings)));
    assert_eq!(Question::of("audio_transcription"), Some(Question::Beside(Operation::Transcription)));
    for mode in ["realtime", "batch", "video_generation", "ocr", "image_edit"] {
        assert_eq!(Question::of(mode), None, "{mode}");
    }
}

#[test]
fn the_silence_is_half_a_second_of_sound() {
    assert_eq!(length_ms(&SILENCE), Some(500));
}
