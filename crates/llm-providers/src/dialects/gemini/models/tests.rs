//! Families by their names.

use super::{Thinking, Traits};

#[test]
fn families() {
    for (model, thinking, third) in [
        ("gemini-1.5-flash", Thinking::None, false),
        ("gemini-2.0-flash", Thinking::None, false),
        ("gemini-2.5-flash", Thinking::Budget { minimal: 1, can_stop: true }, false),
        ("gemini-2.5-flash-lite", Thinking::Budget { minimal: 512, can_stop: true }, false),
        ("google/gemini-2.5-pro", Thinking::Budget { minimal: 128, can_stop: false }, false),
        ("gemini-3-pro-preview", Thinking::Level { minimal: false }, true),
        ("gemini-3.5-flash", Thinking::Level { minimal: true }, true),
        ("gemini-flash-latest", Thinking::Budget { minimal: 1, can_stop: true }, false),
        ("gemma-3-27b-it", Thinking::Budget { minimal: 128, can_stop: true }, false),
    ] {
        let traits = Traits::of(model);
        assert_eq!((traits.thinking, traits.third), (thinking, third), "{model}");
    }
    assert!(!Traits::of("gemma-3-27b-it").system && Traits::of("gemini-2.5-pro").system);
    assert!(!Traits::of("gemini-1.5-pro").json_schema && Traits::of("gemini-2.0-flash").json_schema);
    assert!(Traits::of("gemini-2.5-flash-preview-tts").speech && !Traits::of("gemini-2.5-flash").speech);
}
