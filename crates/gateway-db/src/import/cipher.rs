//! How LiteLLM keeps secrets: each text sealed by itself, under the SHA-256 of its salt.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit, StreamCipher};

/// How texts of the newer cipher begin.
const GCM: &str = "v2:gcm:";
/// The nonce of XSalsa20, bytes.
const LONG_NONCE: usize = 24;
/// The tag of Poly1305, bytes.
const TAG: usize = 16;

/// What opens LiteLLM's secrets.
pub(super) struct Cipher {
    key: [u8; digest::SHA256_OUTPUT_LEN],
}

impl Cipher {
    /// For a salt: `LITELLM_SALT_KEY`, else the master key.
    pub(super) fn new(salt: &str) -> Self {
        let mut key = [0; digest::SHA256_OUTPUT_LEN];
        key.copy_from_slice(digest::digest(&digest::SHA256, salt.as_bytes()).as_ref());
        Self { key }
    }

    /// A text in clear; `None` when it was sealed with another salt, or is not sealed at all.
    pub(super) fn open(&self, sealed: &str) -> Option<String> {
        if sealed.is_empty() {
            return Some(String::new());
        }
        let clear = match sealed.strip_prefix(GCM) {
            Some(sealed) => self.open_gcm(&bytes(sealed)?)?,
            None => self.open_secretbox(&bytes(sealed)?)?,
        };
        String::from_utf8(clear).ok()
    }

    /// AES-256-GCM: nonce, text, tag.
    fn open_gcm(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.key).ok()?);
        let mut text = text.to_vec();
        let clear = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut text).ok()?;
        Some(clear.to_vec())
    }

    /// NaCl's secret box (XSalsa20 and Poly1305, <https://nacl.cr.yp.to/secretbox.html>): nonce, tag, text. The
    /// first 32 bytes of the key stream are the tag's key.
    fn open_secretbox(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<LONG_NONCE>()?;
        let (tag, text) = rest.split_first_chunk::<TAG>()?;
        let mut stream = XSalsa20::new(&self.key.into(), nonce.into());
        let mut tag_key = [0; 32];
        stream.apply_keystream(&mut tag_key);
        let made = Poly1305::new(&tag_key.into()).compute_unpadded(text);
        let differ = made.iter().zip(tag).fold(0, |differ, (made, told)| differ | (made ^ told));
        if differ != 0 {
            return None;
        }
        let mut clear = text.to_vec();
        stream.apply_keystream(&mut clear);
        Some(clear)
    }
}

/// Older rows are in standard base64.
fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE.decode(text).or_else(|_| STANDARD.decode(text)).ok()
}
