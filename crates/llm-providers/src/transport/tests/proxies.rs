//! Proxies: plain, tunnelled, with passwords, and hosts that need none.

use std::sync::Arc;

use llm_types::ErrorKind;
use parking_lot::Mutex;
use tokio::net::TcpStream;

use super::server::Server;
use super::tls::TlsServer;
use super::{HyperTransport, TransportOptions, fetch, get, post};
use crate::transport::{NoProxy, Proxies, Proxy};

type Seen = Arc<Mutex<Vec<String>>>;

/// A proxy that keeps the heads of what it was asked, answers plain requests itself, and tunnels
/// `CONNECT` to wherever it points.
async fn proxy(refuse: bool) -> (Server, Seen) {
    let seen = Seen::default();
    let keep = Arc::clone(&seen);
    let server = Server::start(move |mut peer| {
        let keep = Arc::clone(&keep);
        async move {
            while let Some(request) = peer.request().await {
                keep.lock().push(request.clone());
                let Some(target) = request.strip_prefix("CONNECT ") else {
                    peer.answer("from the proxy").await;
                    continue;
                };
                if refuse {
                    peer.say("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
                    return;
                }
                let port: u16 = target.split([':', ' ']).nth(1).unwrap().parse().unwrap();
                let mut upstream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                peer.say("HTTP/1.1 200 Connection Established\r\n\r\n").await;
                // Ends with an error when a side just goes away.
                let _ended = tokio::io::copy_bidirectional(&mut peer.stream, &mut upstream).await.is_ok();
                return;
            }
        }
    })
    .await;
    (server, seen)
}

fn through(url: &str, no_proxy: &str) -> Proxies {
    let proxy = Arc::new(Proxy::parse(url).unwrap());
    Proxies { http: Some(Arc::clone(&proxy)), https: Some(proxy), direct: NoProxy::parse(no_proxy) }
}

fn transport(proxies: Proxies) -> HyperTransport {
    HyperTransport::new(TransportOptions { proxies, ..TransportOptions::default() }).unwrap()
}

#[tokio::test]
async fn plain_requests_go_to_the_proxy_in_absolute_form() {
    let (server, seen) = proxy(false).await;
    let url = format!("http://user:p%40ss@{}", server.address);
    let transport = transport(through(&url, ""));
    for _ in 0..2 {
        let answer = fetch(&transport, get("http://models.invalid:8080/v1/x?y=1")).await.unwrap();
        assert_eq!(answer, "from the proxy");
    }
    assert_eq!(server.connections(), 1, "connections to a proxy are kept too");
    let head = seen.lock()[0].clone();
    assert!(
        head.starts_with("GET http://models.invalid:8080/v1/x?y=1 HTTP/1.1\r\nhost: models.invalid:8080\r\n")
    );
    assert!(head.contains("\r\nproxy-authorization: Basic dXNlcjpwQHNz\r\n"), "{head}");
}

#[tokio::test]
async fn tls_goes_through_a_tunnel() {
    let (server, seen) = proxy(false).await;
    for alpn in ["http/1.1", "h2"] {
        let upstream = TlsServer::start(&[alpn]).await;
        let url = format!("http://user:secret@{}", server.address);
        let transport = upstream.with(|options| options.proxies = through(&url, ""));
        let mut request = post(&upstream.url("/"), "hello");
        request.headers.insert("authorization", http::HeaderValue::from_static("Bearer sk-1"));
        let answer = fetch(&transport, request).await.unwrap();
        assert!(answer.ends_with(" localhost hello"), "{answer}");
        let head = seen.lock().pop().unwrap();
        let target = format!("localhost:{}", upstream.address.port());
        let expected = format!(
            "CONNECT {target} HTTP/1.1\r\nhost: {target}\r\nproxy-authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
        );
        assert_eq!(head, expected, "nothing of the request itself shows");
    }
}

#[tokio::test]
async fn a_refused_tunnel_is_unreachable() {
    let (server, _) = proxy(true).await;
    let transport = transport(through(&format!("http://user:secret@{}", server.address), ""));
    let error = fetch(&transport, get("https://api.openai.com/v1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.message().contains("status 407"), "{error}");
    assert!(!error.message().contains("secret"), "{error}");
}

#[tokio::test]
async fn hosts_of_no_proxy_are_reached_directly() {
    let (server, seen) = proxy(false).await;
    let upstream = Server::echo("direct").await;
    let transport = transport(through(&format!("http://{}", server.address), "127.0.0.0/8"));
    assert_eq!(fetch(&transport, get(&upstream.url("/"))).await.unwrap(), "direct");
    assert!(seen.lock().is_empty());
}

#[test]
fn no_proxy_rules() {
    let cases: [(&str, &str, u16, bool); 18] = [
        ("*", "anything.example", 443, true),
        ("", "anything.example", 443, false),
        ("example.com", "example.com", 443, true),
        ("example.com", "EXAMPLE.com.", 443, true),
        ("example.com", "api.example.com", 443, true),
        ("example.com", "badexample.com", 443, false),
        (".example.com", "api.example.com", 443, true),
        ("*.example.com", "api.example.com", 443, true),
        ("a.b, example.com", "example.com", 443, true),
        ("example.com:8080", "example.com", 443, false),
        ("example.com:8080", "example.com", 8080, true),
        ("10.0.0.1", "10.0.0.1", 80, true),
        ("10.0.0.0/8", "10.9.8.7", 80, true),
        ("10.0.0.0/8", "11.0.0.1", 80, false),
        ("0.0.0.0/0", "11.0.0.1", 80, true),
        ("fd00::/8", "[fd00::1]", 80, true),
        ("::1", "[::1]", 80, true),
        ("10.0.0.0/8", "ten.example", 80, false),
    ];
    for (list, host, port, direct) in cases {
        assert_eq!(NoProxy::parse(list).covers(host, port), direct, "`{list}` and {host}:{port}");
    }
}

#[test]
fn the_environment_says_which_proxy() {
    let options = |vars: &[(&str, &str)]| {
        TransportOptions::from_lookup(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let shown = |proxy: Option<&Arc<Proxy>>| proxy.map(|proxy| format!("{proxy:?}"));
    let all = options(&[("ALL_PROXY", "http://a:1"), ("https_proxy", "b:2"), ("HTTPS_PROXY", "http://c:3")])
        .unwrap();
    assert_eq!(shown(all.proxies.http.as_ref()).as_deref(), Some("http://a:1"));
    assert_eq!(shown(all.proxies.https.as_ref()).as_deref(), Some("http://b:2"));
    let cgi = options(&[("HTTP_PROXY", "http://a:1"), ("REQUEST_METHOD", "GET")]).unwrap();
    assert!(cgi.proxies.http.is_none());
    let secret = options(&[("HTTPS_PROXY", "https://user:hunter2@proxy.example")]).unwrap();
    let shown = format!("{secret:?}");
    assert!(shown.contains("https://proxy.example:443") && !shown.contains("hunter2"), "{shown}");
    for url in ["socks5://a:1", "http://", "::"] {
        let error = options(&[("HTTPS_PROXY", url)]).unwrap_err();
        assert!(error.message().contains("`HTTPS_PROXY`"), "{error}");
    }
    assert!(!options(&[("SSL_VERIFY", "False")]).unwrap().verify_tls);
    assert!(options(&[("SSL_VERIFY", "")]).unwrap().verify_tls);
    assert!(options(&[("SSL_CERT_FILE", "/x.pem")]).unwrap().root_certificates.is_some());
}
