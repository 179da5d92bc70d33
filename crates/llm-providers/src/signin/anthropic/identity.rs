//! Where identity tokens come from.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use llm_types::{Result, Secret, Transport};

use super::super::entra::Entra;
use super::super::given::{fault, file};
use super::super::google::Subject;
use super::{Issuer, Keycloak, token_of};

/// The longest identity token that is sent, bytes.
const LONGEST: usize = 16 << 10;
/// The folders whose files are read where the operator names no others: where containers find what is secret.
pub const FOLDERS: [&str; 2] = ["/var/run/secrets", "/run/secrets"];

/// Where identity tokens come from. Each exchange takes a fresh one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Identity {
    /// A text, or an identity provider that is asked by URL.
    Subject(Subject),
    /// A file.
    File(Place),
    /// This process signs them.
    Issued(Issuer),
    /// Keycloak gives them.
    Keycloak(Keycloak),
    /// Microsoft Entra gives them.
    Entra(Box<Entra>),
}

/// A file in one of some folders, wherever links lead.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The folders.
    pub within: Vec<PathBuf>,
}

impl Identity {
    /// A token, fresh.
    pub(super) async fn token(&self, transport: &dyn Transport, now: SystemTime) -> Result<Secret> {
        let token = match self {
            Self::Subject(subject) => subject.read(transport).await?,
            Self::File(place) => Secret::new(place.read()?),
            Self::Issued(issuer) => issuer.token(now)?,
            Self::Keycloak(keycloak) => keycloak.token(transport).await?,
            Self::Entra(entra) => {
                let held = entra.fetch(transport, now).await?;
                token_of(&held).ok_or_else(|| fault("Microsoft Entra gave no token"))?
            }
        };
        let text = token.reveal().trim();
        match text.len() {
            0 => Err(fault("the identity token is empty")),
            1..=LONGEST => Ok(Secret::new(text.to_owned())),
            _ => Err(fault(format!("the identity token is longer than {LONGEST} bytes"))),
        }
    }
}

impl Place {
    /// Whether it stands where it may: as far as its links lead today.
    ///
    /// # Errors
    /// In words, why not.
    pub fn check(&self) -> Result<(), String> {
        if !self.path.is_absolute() {
            return Err("a path that does not begin with `/`".to_owned());
        }
        // What is not there yet may come before it is needed.
        self.path.canonicalize().map_or(Ok(()), |path| self.holds(&path))
    }

    /// Its text.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unauthenticated`] naming the file when it cannot be read or stands elsewhere.
    pub fn read(&self) -> Result<String> {
        let path = self.path.canonicalize().map_err(|why| {
            fault(format!("`{}` cannot be read: {}", self.path.display(), why.kind())).with_source(why)
        })?;
        self.holds(&path).map_err(|why| fault(format!("`{}` is {why}", self.path.display())))?;
        file(&path)
    }

    fn holds(&self, path: &Path) -> Result<(), String> {
        let folder = |folder: &PathBuf| folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if self.within.iter().any(|within| path.starts_with(folder(within))) {
            return Ok(());
        }
        let folders: Vec<String> = self.within.iter().map(|one| format!("`{}`", one.display())).collect();
        Err(format!("a file outside of {}", folders.join(" and ")))
    }
}
