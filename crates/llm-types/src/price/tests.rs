//! Cost tables: LiteLLM surface §9.1 and §6.1, and the rules of `Price::cost`.

use std::time::Duration;

use super::*;
use crate::{Money, Usage};

fn price(json: &str) -> Price {
    serde_json::from_str(json).expect("a price")
}

fn usage(input: u64, output: u64) -> Usage {
    Usage { input_tokens: input, output_tokens: output, ..Usage::default() }
}

/// The cost in nano-dollars.
fn nanos(price: &Price, usage: &Usage, context: &CostContext<'_>) -> i64 {
    price.cost(usage, context).total.0
}

fn plain(price: &Price, usage: &Usage) -> i64 {
    nanos(price, usage, &CostContext::default())
}

#[test]
fn observed_custom_price() {
    let cost = Price::per_token(0.001, 0.002).cost(&usage(10, 20), &CostContext::default());
    assert_eq!(cost.total, Money::from_usd(0.05));
    assert_eq!((cost.input.as_usd(), cost.output.as_usd()), (0.01, 0.04));
}

#[test]
fn observed_discount_then_margin() {
    let stated = Price::per_token(1.5e-7, 6e-7);
    let used = usage(5, 2);
    assert_eq!(stated.cost(&used, &CostContext::default()).exact.as_usd(), 1.95e-06);
    let context = CostContext { adjustment: Adjustment::new(0.5, 0.1, 0.0), ..CostContext::default() };
    let cost = stated.cost(&used, &context);
    assert_eq!(cost.exact.as_usd(), 1.0725e-06);
    assert_eq!(cost.original.as_usd(), 1.95e-06);
    assert_eq!(cost.discount.as_usd(), 9.75e-07);
    assert_eq!(cost.margin.as_usd(), 9.75e-08);
    assert_eq!(cost.total, Money(1_073), "rounded once, halves up");
}

#[test]
fn observed_discount_and_margin_of_five_cents() {
    let custom = Price::per_token(0.001, 0.002);
    let halved = CostContext { adjustment: Adjustment::new(0.5, 0.0, 0.0), ..CostContext::default() };
    assert_eq!(custom.cost(&usage(10, 20), &halved).exact.as_usd(), 0.025);
    let both = CostContext { adjustment: Adjustment::new(0.5, 0.1, 0.0), ..CostContext::default() };
    assert_eq!(custom.cost(&usage(10, 20), &both).exact.as_usd(), 0.0275);
    let fixed = CostContext { adjustment: Adjustment::new(0.0, 0.0, 0.01), ..CostContext::default() };
    assert_eq!(custom.cost(&usage(10, 20), &fixed).exact.as_usd(), 0.06);
}

#[test]
fn caches_have_their_own_rates() {
    let claude =
        price(r#"{"usd":{"input":3,"output":15,"cache_read":0.3,"cache_write":3.75,"cache_write_1h":6}}"#);
    let used = Usage {
        cache_read_tokens: Some(100),
        cache_write_tokens: Some(50),
        cache_write_1h_tokens: Some(20),
        ..usage(1_000, 10)
    };
    let cost = claude.cost(&used, &CostContext::default());
    assert_eq!(cost.input.round(), Money(850 * 3_000));
    assert_eq!(cost.cache_read.round(), Money(100 * 300));
    assert_eq!(cost.cache_creation.round(), Money(30 * 3_750 + 20 * 6_000));
    assert_eq!(cost.output.round(), Money(10 * 15_000));
    let sum = cost.input + cost.output + cost.cache_read + cost.cache_creation + cost.reasoning + cost.tools;
    assert_eq!(sum, cost.original);
}

#[test]
fn cache_writes_known_only_by_lifetime_are_counted() {
    let claude = price(r#"{"usd":{"input":1,"cache_write":2,"cache_write_1h":3}}"#);
    let used = Usage { cache_write_5m_tokens: Some(4), cache_write_1h_tokens: Some(6), ..usage(10, 0) };
    assert_eq!(plain(&claude, &used), 4 * 2_000 + 6 * 3_000);
}

#[test]
fn a_missing_rate_is_its_general_case_and_zero_is_a_price() {
    let used = Usage {
        cache_read_tokens: Some(10),
        cache_write_1h_tokens: Some(10),
        input_audio_tokens: Some(10),
        reasoning_tokens: Some(5),
        output_audio_tokens: Some(5),
        ..usage(100, 20)
    };
    assert_eq!(plain(&price(r#"{"usd":{"input":1,"output":2}}"#), &used), 100 * 1_000 + 20 * 2_000);
    let free_reads = price(r#"{"usd":{"input":1,"output":2,"cache_read":0,"reasoning":0}}"#);
    assert_eq!(plain(&free_reads, &used), 90 * 1_000 + 15 * 2_000);
}

#[test]
fn media_tokens_have_their_own_rates() {
    let omni = price(
        r#"{"usd":{"input":1,"output":2,"audio_token_in":10,"image_token_in":20,"video_token_in":30,
            "audio_token_out":40,"image_token_out":50,"reasoning":60,"cache_read":0.5,"cache_read_audio":5}}"#,
    );
    let used = Usage {
        cache_read_tokens: Some(10),
        cache_read_audio_tokens: Some(4),
        input_audio_tokens: Some(14),
        input_image_tokens: Some(20),
        input_video_tokens: Some(30),
        output_audio_tokens: Some(1),
        output_image_tokens: Some(2),
        reasoning_tokens: Some(3),
        ..usage(100, 10)
    };
    let input = 30 * 1_000 + 10 * 10_000 + 20 * 20_000 + 30 * 30_000;
    let read = 6 * 500 + 4 * 5_000;
    let output = 4 * 2_000 + 40_000 + 2 * 50_000 + 3 * 60_000;
    assert_eq!(plain(&omni, &used), input + read + output);
}

#[test]
fn details_beyond_the_total_are_not_billed() {
    let simple = price(r#"{"usd":{"input":1,"output":1,"cache_read":1,"audio_token_in":1,"reasoning":1}}"#);
    let used = Usage {
        cache_read_tokens: Some(80),
        input_audio_tokens: Some(80),
        cache_write_tokens: Some(80),
        reasoning_tokens: Some(80),
        ..usage(100, 10)
    };
    assert_eq!(plain(&simple, &used), 110 * 1_000);
}

#[test]
fn thresholds_and_tiers() {
    let gpt = price(
        r#"{"usd":{"input":2,"output":10,"input>200k":4,"output>200k":20,"input>300k":8,
            "input@flex":1,"output@flex":5,"input@priority":3,"input>200k@priority":6}}"#,
    );
    let tier = |word| CostContext { tier: Some(word), ..CostContext::default() };
    for (input, word, expected_in, expected_out) in [
        (200_000, "default", 2_000, 10_000),
        (200_001, "auto", 4_000, 20_000),
        (300_001, "standard", 8_000, 20_000),
        (100, "flex", 1_000, 5_000),
        (200_001, "flex", 4_000, 20_000),
        (100, "priority", 3_000, 10_000),
        (200_001, "priority", 6_000, 20_000),
        (100, "batch", 1_000, 5_000),
    ] {
        let expected = i64::try_from(input).expect("small") * expected_in + 10 * expected_out;
        assert_eq!(nanos(&gpt, &usage(input, 10), &tier(word)), expected, "{input} {word}");
    }
    let served = Usage { service_tier: Some("flex".into()), ..usage(100, 0) };
    assert_eq!(nanos(&gpt, &served, &tier("priority")), 100 * 1_000, "the served tier wins");
}

#[test]
fn a_threshold_may_include_its_bound() {
    let grok = price(r#"{"usd":{"input":1,"input>=128k":2}}"#);
    assert_eq!(plain(&grok, &usage(127_999, 0)), 127_999 * 1_000);
    assert_eq!(plain(&grok, &usage(128_000, 0)), 128_000 * 2_000);
}

#[test]
fn bands_by_prompt_replace_the_rates() {
    let qwen = price(
        r#"{"usd":{"input":100,"output":100},"by_prompt":[
            {"above":0,"up_to":32000,"usd":{"input":1,"output":2}},
            {"above":32000,"up_to":128000,"usd":{"input":3,"output":4,"reasoning":5,"cache_read":0.5}}]}"#,
    );
    let used = |input| Usage { reasoning_tokens: Some(5), cache_read_tokens: Some(10), ..usage(input, 10) };
    assert_eq!(plain(&qwen, &used(32_000)), 32_000 * 1_000 + 10 * 2_000);
    let second = |input: i64| (input - 10) * 3_000 + 10 * 500 + 5 * 4_000 + 5 * 5_000;
    assert_eq!(plain(&qwen, &used(32_001)), second(32_001));
    assert_eq!(plain(&qwen, &used(200_000)), second(200_000), "beyond the last band");
}

#[test]
fn off_peak_hours() {
    let deepseek = price(
        r#"{"usd":{"input":2,"output":4,"cache_read":1},"off_peak":{"usd":{"input":1,"output":2},"weekday_offset":480,
            "windows":[{"minutes":[[0,60],[600,0]],"days":[1,2,3,4,5]},{"minutes":[[0,0]],"days":[6,7]}]}}"#,
    );
    let used = Usage { cache_read_tokens: Some(10), ..usage(20, 10) };
    let (normal, cheap) = (10 * 2_000 + 10 * 1_000 + 10 * 4_000, 10 * 1_000 + 10 * 1_000 + 10 * 2_000);
    // 2026-11-16 is a Monday.
    const MONDAY: i64 = 1_794_787_200;
    for (minute, expected) in [
        (0, cheap),
        (59, cheap),
        (60, normal),
        (599, normal),
        (600, cheap),
        (1_439, cheap),
        (4 * 1_440 + 300, normal),
        (5 * 1_440 + 300, cheap),
        // Sunday 17:00 UTC is Monday 01:00 at UTC+8: a weekday, and off-peak by its hour.
        (6 * 1_440 + 17 * 60, cheap),
        (6 * 1_440 + 9 * 60, cheap),
        // Monday's 05:00 UTC is peak.
        (7 * 1_440 + 5 * 60, normal),
    ] {
        let context = CostContext { at: Some(MONDAY + minute * 60), ..CostContext::default() };
        assert_eq!(nanos(&deepseek, &used, &context), expected, "minute {minute}");
    }
    assert_eq!(plain(&deepseek, &used), normal, "an unknown moment pays the normal rate");
}

#[test]
fn factors_multiply_token_costs_only() {
    let opus = price(r#"{"usd":{"input":10,"web_search":0.01},"times":{"us":1.1,"fast":2,"eu_host":1.5}}"#);
    let used = Usage { web_searches: Some(2), ..usage(1_000, 0) };
    assert_eq!(plain(&opus, &used), 10_000_000 + 20_000_000);
    let special = CostContext { speed: Some("fast"), residency: Some("us"), ..CostContext::default() };
    assert_eq!(nanos(&opus, &used, &special), 22_000_000 + 20_000_000);
    let eu = CostContext { host: Host::Eu, residency: Some("not_available"), ..CostContext::default() };
    assert_eq!(nanos(&opus, &used, &eu), 15_000_000 + 20_000_000);
}

#[test]
fn searches_by_query_and_by_prompt() {
    let by_query =
        price(r#"{"usd":{"input":0,"web_search:low":0.01,"web_search:medium":0.02,"web_search:high":0.03}}"#);
    let by_prompt = price(r#"{"usd":{"input":0,"web_search_prompt":0.035}}"#);
    let searched = Usage { web_searches: Some(3), ..usage(1, 0) };
    let high = CostContext { search: SearchContext::High, ..CostContext::default() };
    assert_eq!(plain(&by_query, &searched), 60_000_000);
    assert_eq!(nanos(&by_query, &searched, &high), 90_000_000);
    assert_eq!(plain(&by_prompt, &searched), 35_000_000);
    assert_eq!(plain(&by_prompt, &usage(1, 0)), 0);
}

#[test]
fn wall_time_where_there_is_no_token_price() {
    let half_second = CostContext { duration: Duration::from_millis(500), ..CostContext::default() };
    let timed = price(r#"{"usd":{"second":0.02,"second_in":0.02,"second_out":0.01}}"#);
    assert_eq!(nanos(&timed, &usage(10, 10), &half_second), 15_000_000);
    let by_token = price(r#"{"usd":{"input":1,"second_in":0.02}}"#);
    assert_eq!(nanos(&by_token, &usage(10, 10), &half_second), 10_000);
}

#[test]
fn metered_units() {
    let book = price(
        r#"{"usd":{"image_out":0.04,"image_out:4K":0.24,"second_in":0.0001,"query":0.002,"character_out":15,
            "video_second_in":1,"video_second_in>8s":2,"video_second_in>15s":3,"dbu_in":5}}"#,
    );
    let cost_of = |meter, thousandths, size| {
        let metered = [Metered { meter, thousandths, size }];
        nanos(&book, &usage(0, 0), &CostContext { metered: &metered, ..CostContext::default() })
    };
    assert_eq!(cost_of(Meter::ImageOut, 2_000, None), 80_000_000);
    assert_eq!(cost_of(Meter::ImageOut, 1_000, Some("4k")), 240_000_000);
    assert_eq!(cost_of(Meter::ImageOut, 1_000, Some("8k")), 40_000_000);
    assert_eq!(cost_of(Meter::SecondIn, 12_500, None), 1_250_000);
    assert_eq!(cost_of(Meter::Query, 3_000, None), 6_000_000);
    assert_eq!(cost_of(Meter::CharacterOut, 100_000, None), 1_500_000);
    assert_eq!(cost_of(Meter::VideoSecondIn, 1_000, Some("9s")), 2_000_000_000);
    assert_eq!(cost_of(Meter::VideoSecondIn, 1_000, Some("16s")), 3_000_000_000);
    assert_eq!(cost_of(Meter::DbuIn, 1_000, None), 0);
    assert_eq!(cost_of(Meter::Page, 1_000, None), 0);
}

#[test]
fn the_stated_cost_beats_the_book_but_not_the_operator() {
    let used = Usage { stated_cost: Some(Money(777)), ..usage(10, 20) };
    let mut stated = Price::per_token(0.001, 0.002);
    let cost = stated.cost(&used, &CostContext::default());
    assert_eq!((cost.total, cost.stated.round(), cost.input), (Money(777), Money(777), FemtoUsd::ZERO));
    stated.custom = true;
    assert_eq!(plain(&stated, &used), 50_000_000);
}

#[test]
fn the_worst_case_is_never_below_the_cost() {
    let omni = price(
        r#"{"usd":{"input":2,"output":8,"cache_read":0.5,"cache_write":2.5,"cache_write_1h":4,"audio_token_in":40,
            "reasoning":9,"input@priority":3,"input@flex":1,"input>200k":5,"request":0.001},"times":{"us":1.1}}"#,
    );
    for (input, output) in [(0, 0), (10, 10), (200_001, 500)] {
        for word in [None, Some("flex"), Some("priority")] {
            for (residency, served) in [(None, None), (Some("us"), None), (None, Some("us"))] {
                let context = CostContext { tier: word, residency, ..CostContext::default() };
                let reach = Reach { tiers: word.is_some(), factors: served.is_some() };
                let bound = omni.worst_case(input, output, &context, reach);
                for share in [0, input / 2, input] {
                    let used = Usage {
                        cache_read_tokens: Some(share / 2),
                        cache_write_1h_tokens: Some(share - share / 2),
                        input_audio_tokens: Some(input - share),
                        reasoning_tokens: Some(output / 2),
                        inference_geo: served.map(Into::into),
                        ..usage(input, output)
                    };
                    assert!(omni.cost(&used, &context).total <= bound, "{input} {output} {word:?} {share}");
                }
            }
        }
    }
    let plain = Price::per_token(1e-6, 2e-6);
    assert_eq!(plain.worst_case(100, 10, &CostContext::default(), Reach::default()), Money(120_000));
    let margin = CostContext { adjustment: Adjustment::new(0.0, 0.5, 0.001), ..CostContext::default() };
    assert_eq!(plain.worst_case(100, 10, &margin, Reach::default()), Money(1_180_000));
}

#[test]
fn what_was_served_decides_factors() {
    let claude = price(r#"{"usd":{"input":5,"output":25},"times":{"fast":6,"us":1.1,"regional":1.1}}"#);
    let cost = |speed: Option<&str>, geo: Option<&str>, context: &CostContext<'_>| {
        let used =
            Usage { speed: speed.map(Into::into), inference_geo: geo.map(Into::into), ..usage(1_000, 100) };
        claude.cost(&used, context).total.0
    };
    let usual = CostContext::default();
    assert_eq!(cost(None, None, &usual), 7_500_000);
    assert_eq!(cost(Some("fast"), None, &usual), 45_000_000);
    assert_eq!(cost(Some("fast"), Some("us"), &usual), 49_500_000);
    assert_eq!(cost(Some("standard"), Some("global"), &usual), 7_500_000);
    let asked = CostContext { speed: Some("fast"), ..usual };
    assert_eq!(cost(None, None, &asked), 45_000_000, "as asked where the provider says nothing");
    assert_eq!(cost(Some("standard"), None, &asked), 7_500_000, "not as asked where it says otherwise");
    assert_eq!(cost(None, None, &CostContext { host: Host::Regional, ..usual }), 8_250_000);
}

#[test]
fn free_unknown_and_priced_are_three_things() {
    assert!(!Price::default().is_known() && !Price::default().is_free());
    let free = price(r#"{"usd":{"input":0,"output":0}}"#);
    assert!(free.is_known() && free.is_free());
    let searching = price(r#"{"usd":{"input":0,"output":0,"web_search":0.01}}"#);
    assert!(searching.is_known() && !searching.is_free());
}

#[test]
fn every_key_survives_writing() {
    for key in [
        "input",
        "input>272k@priority",
        "input>=128k",
        "input>1500",
        "second_out:1080p",
        "image_out:0.5K",
        "video_second_in>15s",
        "cache_write_1h>200k",
        "output@batch",
        "web_search:high",
    ] {
        assert_eq!(Rate::parse(key, 0.25).expect("a rate").key(), key);
    }
    for meter in Meter::ALL {
        assert_eq!(Meter::named(meter.name()), Some(*meter));
    }
    for (key, price) in [
        ("inptu", 1.0),
        ("input@turbo", 1.0),
        ("input>many", 1.0),
        ("input", -1.0),
        ("input", f64::NAN),
        ("request", f64::INFINITY),
    ] {
        assert!(Rate::parse(key, price).is_err(), "{key} {price}");
    }
}

#[test]
fn a_price_survives_its_json() {
    let text =
        r#"{"usd":{"input":0.15,"output":0.6,"cache_read":0.075,"second":0.001902},"times":{"us":1.1}}"#;
    let parsed = price(text);
    assert_eq!(parsed.rates[0].femto, 150_000_000);
    assert_eq!(serde_json::to_string(&parsed).expect("JSON"), text);
    assert_eq!(parsed.usd_per_unit(Meter::Input), Some(1.5e-7));
}

#[test]
fn absurd_prices_saturate() {
    let absurd = Price::per_token(18_000.0, 18_000.0);
    assert_eq!(plain(&absurd, &usage(u64::MAX, u64::MAX)), i64::MAX);
}

#[test]
fn rounding_is_to_the_nearest_nano_dollar_halves_away_from_zero() {
    for (femto, nanos) in [
        (0, 0),
        (499_999, 0),
        (500_000, 1),
        (1_499_999, 1),
        (1_500_000, 2),
        (-499_999, 0),
        (-500_000, -1),
        (-1_500_000, -2),
    ] {
        assert_eq!(FemtoUsd(femto).round(), Money(nanos), "{femto}");
        // The same in the range that needs 128 bits.
        let far = i128::from(i64::MAX) / 1_000_000 * 2_000_000 * femto.signum();
        let expected = i128::from(nanos) + far / 1_000_000;
        assert_eq!(i128::from(FemtoUsd(femto + far).round().0), expected, "{femto} further out");
    }
    assert_eq!(FemtoUsd(3).times(Ratio::from_fraction(0.5)), FemtoUsd(2));
    assert_eq!(FemtoUsd(-3).times(Ratio::from_fraction(0.5)), FemtoUsd(-2));
    assert_eq!(FemtoUsd(3).times(Ratio::ZERO), FemtoUsd::ZERO);
    assert_eq!(FemtoUsd(i128::MAX).round(), Money::MAX);
}
