//! The guard at the moment of connecting, whatever an address is called.

use std::sync::Arc;

use llm_types::{ErrorKind, Transport as _};

use super::server::Server;
use super::{fetch, get, transport};
use crate::transport::{Guard, HyperTransport, NOT_PUBLIC, Proxies, Proxy, TransportOptions};

fn guarded(exempt: &[&str]) -> HyperTransport {
    let exempt = exempt.iter().map(|host| (*host).to_owned()).collect();
    transport().guarded(Some(Arc::new(Guard { exempt })))
}

#[tokio::test]
async fn loopback_is_not_reached_by_any_of_its_names() {
    let server = Server::echo("inside").await;
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
    ] {
        let url = format!("http://{host}:{port}/");
        let error = guarded(&[]).send(get(&url)).await.expect_err(host);
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{host}: {error}");
        // A spelling the resolver does not know is as good as one that is refused.
        let unknown = error.message().contains("cannot be resolved");
        assert!(unknown || error.code() == Some(NOT_PUBLIC), "{host}: {error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_exempt_host_is_reached_and_only_it() {
    let server = Server::echo("inside").await;
    let port = server.address.port();
    for exempt in ["127.0.0.1".to_owned(), format!("127.0.0.1:{port}")] {
        let transport = guarded(&[&exempt]);
        assert_eq!(fetch(&transport, get(&server.url("/"))).await.unwrap(), "inside");
        let other = transport.send(get(&format!("http://localhost:{port}/"))).await.unwrap_err();
        assert_eq!(other.code(), Some(NOT_PUBLIC));
    }
}

#[tokio::test]
async fn without_a_guard_all_is_reached_and_no_connection_is_kept() {
    let server = Server::echo("inside").await;
    let transport = transport().guarded(None);
    for _ in 0..2 {
        assert_eq!(fetch(&transport, get(&server.url("/"))).await.unwrap(), "inside");
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_proxy_gets_no_name_to_resolve_itself() {
    let server = Server::echo("proxied").await;
    let proxy = Arc::new(Proxy::parse(&server.url("")).unwrap());
    let proxies = Proxies { http: Some(Arc::clone(&proxy)), https: Some(proxy), ..Proxies::default() };
    let options = TransportOptions { proxies, ..TransportOptions::default() };
    let transport = HyperTransport::new(options).unwrap().guarded(Some(Arc::new(Guard::default())));
    let inside = transport.send(get("https://localhost:1/")).await.unwrap_err();
    assert_eq!(inside.code(), Some(NOT_PUBLIC));
    let plain = transport.send(get("http://93.184.215.14/")).await.unwrap_err();
    assert!(plain.message().contains("only `https`"), "{plain}");
    assert_eq!(server.connections(), 0);
}
