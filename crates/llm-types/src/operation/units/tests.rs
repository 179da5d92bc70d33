//! What is consumed beside tokens is charged once, by the rate LiteLLM takes.

use crate::{CostContext, ImagesMade, Meter, Money, Price, Rate, Units, Usage};

fn price(rates: &[(Meter, f64)]) -> Price {
    let rates = rates.iter().map(|(meter, usd)| Rate::per_unit(*meter, *usd)).collect();
    Price { rates, ..Price::default() }
}

fn nanos(price: &Price, usage: &Usage) -> i64 {
    let Money(nanos) = price.cost(usage, &CostContext::default()).total;
    nanos
}

fn of(units: Units) -> Usage {
    Usage { units: Some(Box::new(units)), ..Usage::default() }
}

fn pictures(count: u64) -> Units {
    let images = ImagesMade { count, pixels: Some((1024, 1792)), size: None };
    Units { images: Some(images), ..Units::default() }
}

#[test]
fn pictures_cost_by_picture_before_pixel() {
    let both = price(&[(Meter::ImageOut, 0.08), (Meter::PixelIn, 1e-7)]);
    assert_eq!(nanos(&both, &of(pictures(3))), 240_000_000);
    let read = price(&[(Meter::ImageIn, 0.042), (Meter::PixelOut, 0.0)]);
    assert_eq!(nanos(&read, &of(pictures(1))), 42_000_000);
}

#[test]
fn pixels_are_counted_once() {
    let by_pixel = price(&[(Meter::PixelIn, 6e-8), (Meter::PixelOut, 6e-8), (Meter::Output, 0.0)]);
    assert_eq!(nanos(&by_pixel, &of(pictures(1))), 110_100_480);
}

#[test]
fn tokens_that_the_provider_counted_stand_for_the_pictures() {
    let both = price(&[(Meter::Input, 5e-6), (Meter::ImageTokenOut, 4e-5), (Meter::ImageOut, 0.04)]);
    let told =
        Usage { input_tokens: 10, output_tokens: 1_000, output_image_tokens: Some(1_000), ..of(pictures(1)) };
    assert_eq!(nanos(&both, &told), 40_050_000);
    assert_eq!(nanos(&both, &of(pictures(1))), 40_000_000);
}

#[test]
fn seconds_of_audio_cost_once_and_to_the_millisecond() {
    // Both rates name the same fact.
    let whisper = price(&[(Meter::SecondIn, 1e-4), (Meter::SecondOut, 1e-4)]);
    let heard = of(Units { audio_ms: Some(12_345), ..Units::default() });
    assert_eq!(nanos(&whisper, &heard), 1_234_500);
}

#[test]
fn time_on_the_clock_is_not_charged_where_seconds_of_media_are_known() {
    let whisper = price(&[(Meter::SecondIn, 1e-4)]);
    let context = CostContext { duration: std::time::Duration::from_mins(1), ..CostContext::default() };
    let heard = of(Units { audio_ms: Some(1_000), ..Units::default() });
    assert_eq!(whisper.cost(&heard, &context).total, Money(100_000));
}

#[test]
fn characters_and_queries_cost_by_one() {
    let spoken = of(Units { characters: Some(11), ..Units::default() });
    assert_eq!(nanos(&price(&[(Meter::CharacterIn, 1.5e-5)]), &spoken), 165_000);
    let ranked = of(Units { queries: Some(2), ..Units::default() });
    assert_eq!(nanos(&price(&[(Meter::Query, 0.002), (Meter::Input, 0.0)]), &ranked), 4_000_000);
}

#[test]
fn sizes_in_the_providers_word_have_their_own_rate() {
    let rates = vec![
        Rate::per_unit(Meter::ImageOut, 0.04),
        Rate { when: crate::When::Size("2K".into()), ..Rate::per_unit(Meter::ImageOut, 0.08) },
    ];
    let sized = Price { rates, ..Price::default() };
    let mut units = pictures(1);
    if let Some(images) = &mut units.images {
        images.size = Some("2k".into());
    }
    assert_eq!(nanos(&sized, &of(units)), 80_000_000);
}
