//! The importer finds a place for every price or says so; the checker refuses a broken file.

use serde_json::{Value, json};

use super::*;

fn imported(entry: Value) -> Result<Value, String> {
    let mut entry = entry;
    entry["litellm_provider"] = entry.get("litellm_provider").cloned().unwrap_or_else(|| json!("openai"));
    let (text, _) = import::import(&json!({ "m": entry }).to_string(), "{}")?;
    check::check(&text)?;
    let file: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(file["models"]["m"].clone())
}

#[test]
fn the_projects_book_is_sound() {
    let text = root::read(&root::path(FILE)).expect("the book");
    check::check(&text).expect("a sound book");
    assert!(text.len() < 2_000_000, "{} bytes", text.len());
}

#[test]
fn prices_are_written_per_million_and_exactly() {
    let model = imported(json!({
        "input_cost_per_token": 1.5e-7, "output_cost_per_token": 0.00001, "input_cost_per_image": 0.04,
        "input_cost_per_token_above_272k_tokens_priority": 3e-7, "output_cost_per_second_1080p": 0.1,
        "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 6e-6,
        "input_cost_per_video_per_second_above_15s_interval": 2, "max_tokens": 8192.0, "max_output_tokens": 8192,
    }));
    assert_eq!(
        model.expect("a model").to_string(),
        r#"{"provider":"openai","max_output":8192,"usd":{"input":0.15,"input>272k@priority":0.3,"output":10,"cache_write_1h>200k":6,"image_in":0.04,"second_out:1080p":0.1,"video_second_in>15s":2}}"#
    );
}

#[test]
fn special_prices_find_their_places() {
    let model = imported(json!({
        "litellm_provider": "gemini",
        "search_context_cost_per_query": {
            "search_context_size_low": 0.035, "search_context_size_medium": 0.035, "search_context_size_high": 0.035},
        "tiered_pricing": [{"range": [0, 32000.0], "input_cost_per_token": 1e-6}],
        "off_peak_pricing": {"input_cost_per_token": 5e-7, "weekday_timezone": "Asia/Shanghai",
            "windows": [{"hours_utc": "16:30-00:00", "weekdays": [6]}]},
        "provider_specific_entry": {"fast": 2.0, "schema": "v2"}, "regional_endpoint_uplift_multiplier": 1.1,
        "supports_vision": true, "supports_reasoning": false, "deprecation_date": "2027-01-31", "tpm": 8000000.0,
    }));
    assert_eq!(
        model.expect("a model"),
        json!({
            "provider": "gemini", "usd": {"web_search_prompt": 0.035},
            "by_prompt": [{"above": 0, "up_to": 32000, "usd": {"input": 1}}],
            "off_peak": {"usd": {"input": 0.5}, "weekday_offset": 480,
                "windows": [{"minutes": [[990, 0]], "days": [6]}]},
            "times": {"fast": 2, "regional": 1.1}, "supports": ["vision"], "lacks": ["reasoning"],
            "retires": "2027-01-31", "provider_specific_entry": {"schema": "v2"}, "tpm": 8_000_000,
        })
    );
}

#[test]
fn what_has_no_place_is_a_problem() {
    for (entry, problem) in [
        (json!({"input_cost_per_parsec": 1.0}), "`input_cost_per_parsec` has no place"),
        (json!({"input_cost_per_token": "cheap"}), "expected a price"),
        (json!({"input_cost_per_token": -1e-6}), "expected USD from 0"),
        (json!({"mode": "telepathy"}), "unknown mode"),
        (json!({"deprecation_date": "soon"}), "expected YYYY-MM-DD"),
        (json!({"cache_read_input_token_cost": 1e-6, "input_cost_per_token_cache_hit": 2e-6}), "two prices"),
        (json!({"litellm_provider": ""}), "has no litellm_provider"),
        (json!({"tiered_pricing": [{"range": [5, 9], "input_cost_per_token": 1e-6}]}), "does not follow"),
        (json!({"off_peak_pricing": {"weekday_timezone": "Europe/Berlin"}}), "not known to be fixed"),
    ] {
        let error = imported(entry).expect_err(problem);
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn our_corrections_win_and_have_a_reason() {
    let map =
        json!({"m": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "rpm": 5}}).to_string();
    let overrides =
        r#"{"m":{"reason":"the vendor's page says so","set":{"input_cost_per_token":2e-6,"rpm":null}}}"#;
    let (text, report) = import::import(&map, overrides).expect("a book");
    assert!(text.contains(r#""m":{"provider":"openai","usd":{"input":2}}"#), "{text}");
    assert!(report.contains("1 overridden"), "{report}");
    assert!(import::import(&map, r#"{"m":{"set":{}}}"#).expect_err("no reason").contains("needs a `reason`"));
}

fn book(lines: &str) -> String {
    format!("{{\n\"providers\":[\"openai\"],\n\"models\":{{\n{lines}\n}}\n}}\n")
}

#[test]
fn the_checker_refuses_what_is_not_sorted_whole_and_sane() {
    const GOOD: &str = r#""a":{"provider":"openai","usd":{"input":1}}"#;
    assert!(check::check(&book(GOOD)).is_ok());
    for (lines, fault) in [
        (r#""b":{"provider":"openai"},"#.to_owned() + "\n" + GOOD, "out of order"),
        (GOOD.to_owned() + ",\n" + GOOD, "out of order or there twice"),
        (r#""a":{"provider":"opnai"}"#.to_owned(), "is not in `providers`"),
        (r#""a":{"provider":"openai","usd":{"inptu":1}}"#.to_owned(), "unknown unit `inptu`"),
        (r#""a":{"provider":"openai","usd":{"input@turbo":1}}"#.to_owned(), "unknown tier `turbo`"),
        (r#""a":{"provider":"openai","usd":{"input":1e9}}"#.to_owned(), "expected USD from 0"),
        ("\"a\":{\n\"provider\":\"openai\"}".to_owned(), "does not stand on a line of its own"),
        (r#""a":{"provider":"openai","supports":["b","a"]}"#.to_owned(), "not sorted"),
        (
            r#""a":{"provider":"openai","supports":["a"],"lacks":["a"]}"#.to_owned(),
            "both supported and lacking",
        ),
        (r#""a":{"provider":"openai","max_input":"many"}"#.to_owned(), "no whole number"),
    ] {
        let error = check::check(&book(&lines)).expect_err(fault);
        assert!(error.contains(fault), "{error}");
    }
}

#[test]
fn a_diff_tells_prices_first() {
    let old = book("\"a\":{\"provider\":\"openai\",\"usd\":{\"input\":2,\"output\":4}},\n\"b\":{}");
    let new =
        book("\"a\":{\"provider\":\"openai\",\"usd\":{\"input\":1,\"output\":4},\"max_input\":5},\n\"c\":{}");
    let told = diff::diff(&old, &new).expect("two books");
    assert!(told.starts_with("2 models → 2: 1 new, 1 gone, 1 with new prices, 1 with other news"), "{told}");
    assert!(
        told.contains(
            "New prices\n  a: input 2 → 1 (-50 %)\n\nNew\n  c\n\nGone\n  b\n\nOther news\n  a: max_input"
        ),
        "{told}"
    );
}
