//! URLs of Redis.

use super::*;

#[test]
fn urls() {
    let read = |url: &str| {
        of_url(url).map(|redis| {
            let password = redis.password.map(|password| password.reveal().clone());
            (redis.host, redis.port, redis.user, password, redis.database)
        })
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(read("redis://cache"), Some(("cache".into(), 6379, None, None, 0)));
    assert_eq!(read("redis://:p%40ss@cache:7000/3"), Some(("cache".into(), 7000, None, text("p@ss"), 3)));
    assert_eq!(
        read("redis://me:secret@[::1]:7000"),
        Some(("::1".into(), 7000, text("me"), text("secret"), 0))
    );
    assert_eq!(of_url("rediss://cache").map(|redis| redis.tls), Some(true));
    assert_eq!(of_url("redis://cache").map(|redis| redis.tls), Some(false));
    for wrong in ["cache:6379", "http://cache", "redis://", "redis://cache:port", "redis://cache/x"] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}
