//! Passwords of users. They are hashed as LiteLLM hashes them (scrypt with N = 2^14, r = 8, p = 1; the salt's 16 bytes
//! before the hash's 32, in base64), so that those it hashed go on working.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scrypt::Params;

use super::same_text;

/// What stands before a hash.
const MARK: &str = "scrypt:";
const SALT: usize = 16;
const HASH: usize = 32;

/// What a new password must be like (`password_policy_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest characters.
    pub length: usize,
    /// An upper-case letter must be among them.
    pub upper: bool,
    /// A lower-case letter must.
    pub lower: bool,
    /// A digit must.
    pub digit: bool,
    /// A character must that is neither letter nor digit.
    pub special: bool,
}

/// The longest password that is looked at, bytes: hashing takes time by length.
const LONGEST: usize = 1_024;

impl PasswordPolicy {
    /// What a password lacks, in words; nothing where it will do.
    pub(crate) fn lacks(&self, password: &str) -> Option<String> {
        if password.len() > LONGEST {
            return Some(format!("at most {LONGEST} bytes"));
        }
        let has = |is: fn(char) -> bool| password.chars().any(is);
        let special = |character: char| !character.is_alphanumeric();
        let wanted = [
            (password.chars().count() < self.length, format!("at least {} characters", self.length)),
            (self.upper && !has(char::is_uppercase), "an upper-case letter".to_owned()),
            (self.lower && !has(char::is_lowercase), "a lower-case letter".to_owned()),
            (self.digit && !has(char::is_numeric), "a digit".to_owned()),
            (self.special && !has(special), "a special character".to_owned()),
        ];
        let lacks: Vec<String> =
            wanted.into_iter().filter(|(lacks, _)| *lacks).map(|(_, what)| what).collect();
        (!lacks.is_empty()).then(|| lacks.join(", "))
    }
}

/// The hash of a password, with a salt of its own. Takes some tens of milliseconds and 16 MiB.
///
/// # Errors
/// When there is no randomness.
pub(crate) fn hash_password(password: &str) -> Result<String, getrandom::Error> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt)?;
    Ok(format!("{MARK}{}", salted(password, &salt)))
}

/// Whether a hash is a password's. Takes as long where there is no hash, so that nobody learns that from the time.
pub(crate) fn is_password(password: &str, stored: Option<&str>) -> bool {
    let known = stored.and_then(|stored| stored.strip_prefix(MARK));
    let bytes = known.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    let salt = bytes.first_chunk::<SALT>().filter(|_| bytes.len() == SALT + HASH);
    let found = salted(password, salt.unwrap_or(&[0; SALT]));
    salt.is_some() && same_text(&found, &STANDARD.encode(&bytes))
}

fn salted(password: &str, salt: &[u8; SALT]) -> String {
    let params = Params::new(14, 8, 1).expect("N is a power of two below 2^(128 r / 8)");
    let mut bytes = [0; SALT + HASH];
    let (first, hash) = bytes.split_at_mut(SALT);
    first.copy_from_slice(salt);
    scrypt::scrypt(password.as_bytes(), salt, &params, hash).expect("32 bytes are an allowed length");
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
