//! What is said to Redis, and what is made of its words.

use super::*;

#[test]
fn news_become_commands() {
    let (counts, rest) = ([2, 0, 0, -280], Some(Duration::from_secs(5)));
    let news = News { counts, rest, latency: Some([1.5, 20.0]) };
    let lines: Vec<String> = commands(&[("d1".into(), news)], 120_500).cmd_iter().map(words).collect();
    assert_eq!(
        lines,
        [
            "HINCRBY gateway:router:usage:2 r:d1 2",
            "HINCRBY gateway:router:usage:2 o:d1 -280",
            "HSET gateway:router:rests d1 125500",
            "HSET gateway:router:latency d1 1.5:20:120500",
            "EXPIRE gateway:router:usage:2 120",
            "EXPIRE gateway:router:rests 86400",
            "EXPIRE gateway:router:latency 3600",
            "HGETALL gateway:router:usage:2",
            "HGETALL gateway:router:rests",
            "HGETALL gateway:router:latency",
        ]
    );
}

#[test]
fn keys_that_share_models_become_commands() {
    let news = [
        ("ten".to_owned(), vec![(Arc::from("k1"), 700), (Arc::from("k2"), 1_000)]),
        ("five".to_owned(), vec![]),
    ];
    let lines: Vec<String> = caller_commands(&news, (500_000, 1_000)).cmd_iter().map(words).collect();
    assert_eq!(
        lines,
        [
            "ZADD gateway:router:callers:ten 499700 k1 500000 k2",
            "EXPIRE gateway:router:callers:ten 120",
            "ZREMRANGEBYSCORE gateway:router:callers:ten -inf 440000",
            "ZCARD gateway:router:callers:ten",
            "ZREMRANGEBYSCORE gateway:router:callers:five -inf 440000",
            "ZCARD gateway:router:callers:five",
        ]
    );
}

#[test]
fn old_latencies_do_not_count() {
    assert_eq!(latency_of("1.5:20:1000", 60_999), Some([1.5, 20.0]));
    assert_eq!(latency_of("1.5:20:1000", 61_000), None);
    assert_eq!(latency_of("soon", 0), None);
}

fn words(command: &redis::Cmd) -> String {
    let words = command.args_iter().map(|word| match word {
        redis::Arg::Simple(word) => String::from_utf8_lossy(word).into_owned(),
        other => panic!("an unexpected argument: {other:?}"),
    });
    words.collect::<Vec<_>>().join(" ")
}
