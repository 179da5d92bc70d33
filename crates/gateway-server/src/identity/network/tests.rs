//! Which address counts.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};

use super::{Network, client_address};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn networks_hold_what_begins_alike() {
    for (network, address, inside) in [
        ("10.0.0.0/8", "10.9.8.7", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false),
        ("10.1.2.3", "::ffff:10.1.2.3", true),
        ("0.0.0.0/0", "200.1.1.1", true),
        ("0.0.0.0/0", "::1", false),
        ("fd00::/8", "fdff::1", true),
        ("fd00::/8", "fe00::1", false),
        ("::/0", "2001:db8::1", true),
        ("192.168.1.128/25", "192.168.1.127", false),
    ] {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(ip(address)), inside, "{network:?} {address}");
    }
    for wrong in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/x", "localhost"] {
        assert!(wrong.parse::<Network>().is_err(), "{wrong}");
    }
}

/// Peer, lists of the header, proxies, client.
type Case = (&'static str, &'static [&'static str], &'static [&'static str], Option<&'static str>);

#[test]
fn the_client_is_the_last_hop_that_is_no_proxy_of_ours() {
    let table: [Case; 11] = [
        ("1.1.1.1", &[], &[], Some("1.1.1.1")),
        ("1.1.1.1", &["2.2.2.2, 3.3.3.3"], &[], Some("2.2.2.2")),
        ("1.1.1.1", &["unknown"], &[], None),
        ("1.1.1.1", &["2.2.2.2"], &["10.0.0.0/8"], Some("1.1.1.1")),
        ("10.0.0.1", &["2.2.2.2"], &["10.0.0.0/8"], Some("2.2.2.2")),
        ("10.0.0.1", &["6.6.6.6, 2.2.2.2, 10.0.0.2"], &["10.0.0.0/8"], Some("2.2.2.2")),
        ("10.0.0.1", &["6.6.6.6", "2.2.2.2, 10.0.0.2"], &["10.0.0.0/8"], Some("2.2.2.2")),
        ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &["10.0.0.0/8"], Some("10.0.0.3")),
        ("10.0.0.1", &["6.6.6.6, nonsense"], &["10.0.0.0/8"], None),
        ("10.0.0.1", &[], &["10.0.0.0/8"], Some("10.0.0.1")),
        ("::ffff:10.0.0.1", &["2.2.2.2"], &["10.0.0.0/8"], Some("2.2.2.2")),
    ];
    for (peer, lists, proxies, client) in table {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append("x-forwarded-for", HeaderValue::from_str(list).unwrap());
        }
        let proxies: Vec<Network> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        assert_eq!(
            client_address(ip(peer), &headers, &proxies),
            client.map(ip),
            "{peer} {lists:?} {proxies:?}"
        );
    }
}
