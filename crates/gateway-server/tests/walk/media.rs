//! Media by URL towards providers that fetch nothing: the gateway fetches them, from public hosts and those
//! the operator names, and says clearly what it could not fetch.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::{MASTER, Reply, Setup, Upstream, anthropic, gateway};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand the rest";
const PNG_BASE64: &str = "iVBORw0KGgphbmQgdGhlIHJlc3Q=";

fn picture() -> Reply {
    Reply::body(200, "image/png", PNG)
}

fn converse() -> Upstream {
    let message = json!({"role": "assistant", "content": [{"text": "A dot."}]});
    let usage = json!({"inputTokens": 3, "outputTokens": 2, "totalTokens": 5});
    Upstream::always(Reply::json(
        200,
        &json!({"output": {"message": message}, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1}}),
    ))
}

/// Nova behind Converse; the operator names these hosts.
fn nova(upstream: &Upstream, hosts: &[&str]) -> Setup {
    gateway().model("nova", "bedrock/amazon.nova-pro-v1:0", upstream).set(
        "litellm_settings",
        "user_url_allowed_hosts",
        hosts,
    )
}

fn asking(url: &str) -> Value {
    let link = json!({"type": "image_url", "image_url": {"url": url}});
    let content = json!([{"type": "text", "text": "What is it?"}, link]);
    json!({"model": "nova", "messages": [{"role": "user", "content": content}]})
}

/// The message of the refusal, which names the part.
#[track_caller]
fn refusal(setup: &Setup, url: &str) -> String {
    let answer = setup.start().chat(&asking(url)).send().expect(400).json();
    assert_eq!(answer["error"]["param"], "messages[0].content[1].image_url.url", "{answer}");
    answer["error"]["message"].as_str().expect("words").to_owned()
}

#[test]
fn a_picture_is_fetched_once_and_sent_as_bytes() {
    let (pictures, upstream) = (Upstream::always(picture()), converse());
    let gateway = nova(&upstream, &["127.0.0.1"]).start();
    let url = format!("{}/dot?signature=1", pictures.url());
    let mut request = asking(&url);
    let again = request["messages"][0].clone();
    request["messages"]
        .as_array_mut()
        .unwrap()
        .extend([json!({"role": "assistant", "content": "Hm."}), again]);
    gateway.chat(&request).send().expect(200);
    assert_eq!(pictures.only().path, "/dot?signature=1");
    let sent = upstream.only().json();
    let expected = json!({"image": {"format": "png", "source": {"bytes": PNG_BASE64}}});
    assert_eq!(sent["messages"][0]["content"][1], expected);
    assert_eq!(sent["messages"][2]["content"][1], expected);
}

#[test]
fn nothing_of_the_caller_travels_to_the_pictures_host() {
    let (pictures, upstream) = (Upstream::always(picture()), converse());
    let gateway = nova(&upstream, &["127.0.0.1"]).start();
    gateway.chat(&asking(&pictures.url())).header("cookie", "a=b").header("x-own", "1").send().expect(200);
    let seen = pictures.only();
    for name in ["authorization", "cookie", "x-own", "x-api-key"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
}

#[test]
fn a_second_attempt_does_not_fetch_again() {
    let pictures = Upstream::always(picture());
    let upstream = Upstream::in_turn([Reply::json(503, &json!({"message": "later"})), {
        let message = json!({"role": "assistant", "content": [{"text": "A dot."}]});
        Reply::json(200, &json!({"output": {"message": message}, "stopReason": "end_turn"}))
    }]);
    let gateway = nova(&upstream, &["127.0.0.1"]).set("router_settings", "num_retries", 1).start();
    gateway.chat(&asking(&pictures.url())).send().expect(200);
    assert_eq!((pictures.seen().len(), upstream.seen().len()), (1, 2));
}

#[test]
fn private_hosts_are_refused_under_every_name_and_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let upstream = converse();
    let setup = nova(&upstream, &[]);
    let gateway = setup.start();
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "0.0.0.0",
    ] {
        let answer = gateway.chat(&asking(&format!("http://{host}:{port}/a"))).send().expect(400).json();
        let message = answer["error"]["message"].as_str().unwrap();
        let told = message.contains("not at a public address") || message.contains("cannot be reached");
        assert!(told && message.contains("messages[0].content[1].image_url.url"), "{host}: {message}");
    }
    for url in ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[fd00:ec2::254]/"] {
        let answer = gateway.chat(&asking(url)).send().expect(400).json();
        assert!(answer["error"]["message"].as_str().unwrap().contains("user_url_allowed_hosts"), "{answer}");
    }
    assert!(listener.accept().is_err(), "somebody connected");
    assert!(upstream.seen().is_empty());
}

#[test]
fn a_redirect_is_followed_and_looked_at_anew() {
    let to = |url: String| Reply::body(302, "text/plain", "").header("location", &url);
    let (inside, upstream) = (Upstream::always(picture()), converse());
    let outside = Upstream::in_turn([to("/there".to_owned()), picture()]);
    let allowed = outside.url().replace("http://", "");
    let setup = nova(&upstream, &[&allowed]);
    setup.start().chat(&asking(&outside.url())).send().expect(200);
    assert_eq!(outside.seen()[1].path, "/there");
    for url in [inside.url(), inside.url().replace("127.0.0.1", "localhost"), "file:///etc/passwd".to_owned()]
    {
        let outside = Upstream::always(to(url));
        let allowed = outside.url().replace("http://", "");
        let message = refusal(&nova(&upstream, &[&allowed]), &outside.url());
        assert!(message.contains("public address") || message.contains("http://` or"), "{message}");
    }
    assert!(inside.seen().is_empty());
    let circle = Upstream::always(to("/again".to_owned()));
    assert!(refusal(&nova(&upstream, &["127.0.0.1"]), &circle.url()).contains("more than 5 times"));
}

#[test]
fn what_is_too_large_too_slow_or_no_picture_is_named() {
    let upstream = converse();
    let setup = nova(&upstream, &["127.0.0.1"]);
    let limited =
        setup.clone().with("environment_variables", json!({"MAX_IMAGE_URL_DOWNLOAD_SIZE_MB": "0.001"}));
    let off = setup.clone().with("environment_variables", json!({"MAX_IMAGE_URL_DOWNLOAD_SIZE_MB": "0"}));
    let hasty = setup.clone().set("router_settings", "timeout", 0.3);
    let large = vec![b'x'; 4_000];
    let cases = [
        (&limited, Reply::body(200, "image/png", large.clone()), "larger than 0.0 MB"),
        (&limited, Reply::stream().header("content-type", "image/png").then(large), "larger than 0.0 MB"),
        (&off, picture(), "lets nothing be fetched"),
        (&hasty, Reply::silence(), "longer than 0.3 s"),
        (&hasty, Reply::stream().header("content-type", "image/png").then(PNG).hang(), "longer than 0.3 s"),
        (&setup, Reply::slam(), "cannot be fetched"),
        (&setup, Reply::raw("nonsense"), "no valid answer"),
        (&setup, Reply::body(404, "text/html", "gone"), "status 404"),
        (&setup, Reply::body(200, "text/html", "<p>sign in</p>"), "found `text/html`, expected a picture"),
        (&setup, Reply::body(200, "image/png", ""), "it is empty"),
    ];
    for (setup, reply, words) in cases {
        let pictures = Upstream::always(reply);
        let message = refusal(setup, &format!("{}/a.png?token=secret-1", pictures.url()));
        assert!(message.contains(words) && !message.contains("secret-1"), "{words}: {message}");
    }
    assert!(upstream.seen().is_empty());
}

#[test]
fn the_operator_can_let_all_hosts_be_fetched() {
    let (pictures, upstream) = (Upstream::always(picture()), converse());
    let setup = nova(&upstream, &[]).set("general_settings", "user_url_validation", false);
    setup.start().chat(&asking(&pictures.url())).send().expect(200);
    assert_eq!(pictures.seen().len(), 1);
}

#[test]
fn a_request_in_the_providers_own_dialect_changes_in_its_pictures_only() {
    let (pictures, upstream) = (Upstream::always(picture()), Upstream::always(anthropic::reply()));
    let gateway = gateway()
        .model("claude", "bedrock/invoke/anthropic.claude-sonnet-4-5-20250929-v1:0", &upstream)
        .set("litellm_settings", "user_url_allowed_hosts", ["127.0.0.1"])
        .start();
    let ask = |source: Value| {
        json!({
            "model": "claude", "max_tokens": 9, "metadata": {"user_id": "u"}, "top_k": 3,
            "messages": [{"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "?"}]}],
        })
    };
    let url = json!({"type": "url", "url": pictures.url()});
    gateway.post("/v1/messages").key(MASTER).json(&ask(url)).send().expect(200);
    let bytes = json!({"type": "base64", "media_type": "image/png", "data": PNG_BASE64});
    gateway.post("/v1/messages").key(MASTER).json(&ask(bytes)).send().expect(200);
    let seen = upstream.seen();
    assert_eq!(seen[0].json(), seen[1].json());
    assert_eq!(pictures.seen().len(), 1);
}

#[test]
fn documents_by_url_reach_openai_as_files() {
    let documents = Upstream::always(Reply::body(200, "application/pdf", "%PDF-1.4"));
    let upstream = Upstream::always(crate::support::openai::reply());
    let gateway = gateway()
        .model("gpt", "openai/gpt-4o", &upstream)
        .set("litellm_settings", "user_url_allowed_hosts", ["127.0.0.1"])
        .start();
    let file = json!({"type": "file", "file": {"file_id": format!("{}/a.pdf", documents.url())}});
    let body = json!({"model": "gpt", "seed": 7, "messages": [{"role": "user", "content": [file]}]});
    gateway.chat(&body).send().expect(200);
    let sent = upstream.only().json();
    assert_eq!(
        sent["messages"][0]["content"][0]["file"]["file_data"],
        "data:application/pdf;base64,JVBERi0xLjQ="
    );
    assert_eq!(sent["seed"], 7);
}
