//! A new RSA key, for sessions that a service wants bound to a key of their own (FIPS 186-5, appendix A.1.3).
//! `ring` signs with such keys, but makes none; what is made here it checks as it checks any.

use llm_types::Result;
use num_bigint::BigUint;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{SigningKey, der, fault};

/// The public exponent everybody has.
const EXPONENT: u32 = 65_537;
/// Bytes of a prime: keys have 2,048 bits.
const PRIME: usize = 128;
/// Rounds of Miller and Rabin's test: what passes them is composite once in 4^40 times.
const ROUNDS: usize = 40;

impl SigningKey {
    /// A new key. It takes a fraction of a second: not for a thread that others wait for.
    pub(in crate::signin) fn generate() -> Result<Self> {
        let random = SystemRandom::new();
        let small = small_primes();
        let (one, other) = (prime(&random, &small)?, prime(&random, &small)?);
        if one == other {
            return Err(fault("the system's random numbers repeat"));
        }
        let (p, q) = if one > other { (one, other) } else { (other, one) };
        let pem = pem(&p, &q).ok_or_else(|| fault("no private key comes of these primes"))?;
        Self::from_pem(&pem).map_err(|why| fault(format!("a session's new key is {why}")))
    }
}

/// As many random bytes as a prime has.
fn bytes(random: &SystemRandom) -> Result<[u8; PRIME]> {
    let mut bytes = [0; PRIME];
    random.fill(&mut bytes).map_err(|_| fault("the system gives no random numbers"))?;
    Ok(bytes)
}

/// A random prime of 1,024 bits, the first two of which are set, so that the product of two has 2,048.
fn prime(random: &SystemRandom, small: &[u32]) -> Result<BigUint> {
    loop {
        let mut bytes = bytes(random)?;
        bytes[0] |= 0xc0;
        bytes[PRIME - 1] |= 1;
        let candidate = BigUint::from_bytes_be(&bytes);
        let rest = |divisor: u32| &candidate % divisor;
        let usable = rest(EXPONENT) != BigUint::from(1u8);
        if usable
            && small.iter().all(|divisor| rest(*divisor) != BigUint::ZERO)
            && passes(&candidate, random)?
        {
            return Ok(candidate);
        }
    }
}

/// Miller and Rabin's test of an odd number, with random bases.
fn passes(number: &BigUint, random: &SystemRandom) -> Result<bool> {
    let one = BigUint::from(1u8);
    let less = number - &one;
    let twos = less.trailing_zeros().unwrap_or_default();
    let odd = &less >> twos;
    for _ in 0..ROUNDS {
        let base = BigUint::from_bytes_be(&bytes(random)?) % number;
        if base <= one || base == less {
            continue;
        }
        let mut power = base.modpow(&odd, number);
        if power == one || power == less {
            continue;
        }
        let mut squares = (1..twos).map(|_| {
            power = &power * &power % number;
            power == less
        });
        if !squares.any(|last| last) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The primes below 2,000, without two.
fn small_primes() -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    for number in (3..2_000).step_by(2) {
        if found.iter().take_while(|prime| **prime * **prime <= number).all(|prime| number % prime != 0) {
            found.push(number);
        }
    }
    found
}

/// An `RSAPrivateKey` (RFC 8017, appendix A.1.2) as PEM.
fn pem(p: &BigUint, q: &BigUint) -> Option<String> {
    use base64::Engine as _;
    let one = BigUint::from(1u8);
    let (p_less, q_less) = (p - &one, q - &one);
    let exponent = BigUint::from(EXPONENT);
    let secret = exponent.modinv(&(&p_less * &q_less))?;
    let coefficient = q.modinv(p)?;
    let parts = [
        BigUint::ZERO,
        p * q,
        exponent,
        secret.clone(),
        p.clone(),
        q.clone(),
        &secret % &p_less,
        &secret % &q_less,
        coefficient,
    ];
    let body: Vec<u8> = parts.iter().flat_map(integer).collect();
    let text = base64::engine::general_purpose::STANDARD.encode(der(0x30, &body));
    Some(format!("-----BEGIN RSA PRIVATE KEY-----\n{text}\n-----END RSA PRIVATE KEY-----\n"))
}

/// A number of DER, which is negative where its first bit is set.
fn integer(number: &BigUint) -> Vec<u8> {
    let mut bytes = number.to_bytes_be();
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    der(0x02, &bytes)
}

#[cfg(test)]
mod tests;
