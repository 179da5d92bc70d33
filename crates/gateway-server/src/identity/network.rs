//! Where a request comes from: networks, and the client's address behind proxies that are trusted.

use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderMap;

/// An address, or all that begin alike: `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(drop)?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(drop)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(());
        }
        Ok(Self { address, bits })
    }
}

impl Network {
    /// How many bits of its addresses are alike.
    pub(crate) const fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether an address is in it; IPv4 inside of IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// The client's address: of `x-forwarded-for` the last that is no proxy of ours, if it comes from one. Where no
/// proxies are named everybody is believed, and the first counts, as LiteLLM takes it. `None` when the header holds
/// something else than addresses where one is looked for.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> Option<IpAddr> {
    let trusted = |address: IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let peer = peer.to_canonical();
    if !proxies.is_empty() && !trusted(peer) {
        return Some(peer);
    }
    let mut lists = headers.get_all("x-forwarded-for").iter().peekable();
    if lists.peek().is_none() {
        return Some(peer);
    }
    let mut hops = Vec::new();
    for list in lists {
        hops.extend(list.to_str().ok()?.split(',').map(str::trim));
    }
    let read = |hop: &&str| hop.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    if proxies.is_empty() {
        return hops.first().and_then(read);
    }
    let mut client = peer;
    for hop in hops.iter().rev() {
        client = read(hop)?;
        if !trusted(client) {
            break;
        }
    }
    Some(client)
}

#[cfg(test)]
mod tests;
