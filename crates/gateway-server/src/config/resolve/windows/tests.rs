//! Windows as they are written.

use crate::config::{Env, Loaded, parse};
use llm_providers::Registry;

fn load(windows: &str) -> Loaded {
    let entry = "model_name: m, litellm_params: {model: openai/gpt-4o, api_key: sk-any}";
    let text = format!("model_list: [{{{entry}, model_info: {{access_windows: {windows}}}}}]");
    let env: Env = [("LITELLM_MASTER_KEY", "sk-of-the-tests")].into_iter().collect();
    parse(&text, &env, &Registry::built_in())
}

#[test]
fn windows_are_read() {
    let loaded = load("[{start: '22:00', end: '06:30:00', timezone: Europe/Berlin, team_ids: [a, b]}]");
    let config = loaded.config.unwrap_or_else(|| panic!("{:#?}", loaded.problems));
    let [window] = &*config.models[0].windows else { panic!("one window") };
    assert_eq!((window.start.to_string(), window.end.to_string()), ("22:00:00".into(), "06:30:00".into()));
    assert_eq!(
        (window.zone.iana_name(), &*window.teams),
        (Some("Europe/Berlin"), ["a", "b"].map(str::to_owned).as_slice())
    );
    assert!(load("null").config.unwrap().models[0].windows.is_empty());
}

#[test]
fn what_is_wrong_is_named() {
    for (windows, path) in [
        ("[{start: '25:00', end: '06:00', timezone: UTC, team_ids: [a]}]", "[0].start"),
        ("[{start: '22:00', timezone: UTC, team_ids: [a]}]", "[0].end"),
        ("[{start: '22:00', end: '06:00', timezone: Moon, team_ids: [a]}]", "[0].timezone"),
        ("[{start: '22:00', end: '06:00', timezone: UTC}]", "[0].team_ids"),
        ("[{start: '22:00', end: '22:00', timezone: UTC, team_ids: [a]}]", "access_windows[0]"),
        ("always", "access_windows"),
    ] {
        let loaded = load(windows);
        assert!(loaded.config.is_none(), "{windows}");
        assert!(
            loaded.problems.iter().any(|problem| problem.path.ends_with(path)),
            "{windows}: {:#?}",
            loaded.problems
        );
    }
}
