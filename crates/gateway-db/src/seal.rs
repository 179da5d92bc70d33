//! What is secret in the database: sealed with a key that is not in it.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf;
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{DbError, DbErrorKind};

/// What the key is for: other uses of the same salt get other keys.
const PURPOSE: &[u8] = b"gateway: secrets at rest";
/// How sealed bytes begin: the form they have.
const FORM: u8 = 1;

/// Seals secrets with AES-256-GCM, under a key that is derived (HKDF-SHA256) from the operator's salt.
///
/// Sealed bytes are the form, a random nonce, and the text with its tag. They open in the place they were sealed
/// for and in no other, so that rows cannot be exchanged.
pub struct Seal {
    key: LessSafeKey,
    random: SystemRandom,
}

impl Seal {
    /// The seal of a salt (`LITELLM_SALT_KEY`, or the master key).
    ///
    /// # Errors
    /// `Internal` when no key can be made.
    pub fn new(salt: &str) -> Result<Self, DbError> {
        let parts = [PURPOSE];
        let made = hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(salt.as_bytes())
            .expand(&parts, &AES_256_GCM)
            .map(UnboundKey::from);
        let key =
            made.map_err(|_| DbError::new(DbErrorKind::Internal, "cannot derive a key from the salt"))?;
        Ok(Self { key: LessSafeKey::new(key), random: SystemRandom::new() })
    }

    /// Seals bytes for a place.
    ///
    /// # Errors
    /// `Internal` when there is no randomness.
    pub fn seal(&self, place: &str, text: &[u8]) -> Result<Vec<u8>, DbError> {
        let failed = |_| DbError::new(DbErrorKind::Internal, format!("cannot seal `{place}`"));
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(failed)?;
        let mut sealed = text.to_vec();
        let whole = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(whole, Aad::from(place), &mut sealed).map_err(failed)?;
        Ok([&[FORM], nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for a place.
    ///
    /// # Errors
    /// `Corrupt` when it was sealed with another salt, for another place, or is damaged.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, DbError> {
        let failed = || {
            let words = format!("`{place}` cannot be opened: it was sealed with another salt, or is damaged");
            DbError::new(DbErrorKind::Corrupt, words)
        };
        let rest = sealed.strip_prefix(&[FORM]).ok_or_else(failed)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(failed)?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(place), &mut text).map_err(|_| failed())?;
        Ok(opened.to_vec())
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests;
