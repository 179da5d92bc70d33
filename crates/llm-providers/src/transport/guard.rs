//! Which addresses a transport may connect to, where a stranger chose the URL (server-side request forgery).
//!
//! The address itself is looked at when a connection is about to be opened, after its name was resolved:
//! neither another spelling of an address nor a name that resolves differently the second time gets past.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Lets connections through to public addresses only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// Hosts that may be at any address, as URLs name them (lower case, IPv6 in brackets), each with or
    /// without a port.
    pub exempt: Vec<String>,
}

impl Guard {
    /// Whether a host may be at any address; `name` without brackets.
    pub(super) fn exempts(&self, name: &str, port: u16) -> bool {
        let shown = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
        self.exempt.iter().any(|known| {
            known.eq_ignore_ascii_case(&shown)
                || known.eq_ignore_ascii_case(name)
                || known.rsplit_once(':').is_some_and(|(host, number)| {
                    host.eq_ignore_ascii_case(&shown) && number.parse() == Ok(port)
                })
        })
    }
}

/// Whether an address is one of the public internet: none of this machine, of private, shared, link-local,
/// multicast, reserved or documentation networks, and no address that stands for one of those
/// (IPv4-mapped, NAT64). IANA's special-purpose registries.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        0 | 10 | 127 => true,
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => matches!((b, c), (0, 0 | 2) | (88, 99) | (168, _)),
        198 => matches!((b, c), (18 | 19, _) | (51, 100)),
        203 => (b, c) == (0, 113),
        // Azure's platform answers its machines at this one.
        168 => address == Ipv4Addr::new(168, 63, 129, 16),
        _ => a >= 224,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let words = address.segments();
    let [.., high, low] = words;
    if words[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    }
    let global = words[0] & 0xe000 == 0x2000;
    let special = match words[0] {
        0x2001 => words[1] < 0x200 || words[1] == 0xdb8,
        0x2002 => true,
        0x3fff => words[1] < 0x1000,
        _ => false,
    };
    global && !special
}

#[cfg(test)]
mod tests;
