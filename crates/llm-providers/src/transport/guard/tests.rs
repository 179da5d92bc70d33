//! Addresses of every special network, and of the internet.

use super::{Guard, is_public};

#[test]
fn addresses_of_machines_and_private_networks_are_not_public() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.9",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff:1::",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address} is let through");
    }
}

#[test]
fn addresses_of_the_internet_are_public() {
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "168.63.129.17",
        "169.253.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.1.1",
        "198.17.0.1",
        "223.255.255.254",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ] {
        assert!(is_public(address.parse().unwrap()), "{address} is refused");
    }
}

#[test]
fn exempt_hosts_are_named_as_urls_name_them() {
    let exempt = ["Files.Internal", "10.0.0.5:8080", "[::1]:443", "fd00::2"].map(str::to_owned).to_vec();
    let guard = Guard { exempt };
    for (name, port, expected) in [
        ("files.internal", 80, true),
        ("files.internal", 9000, true),
        ("other.internal", 80, false),
        ("sub.files.internal", 80, false),
        ("10.0.0.5", 8080, true),
        ("10.0.0.5", 80, false),
        ("::1", 443, true),
        ("::1", 80, false),
        ("fd00::2", 80, true),
        ("fd00", 2, false),
    ] {
        assert_eq!(guard.exempts(name, port), expected, "{name} {port}");
    }
}
