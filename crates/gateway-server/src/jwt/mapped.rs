//! Bearers who call with a virtual key: a claim of the token names them, and an operator, or the first call, says which
//! key is theirs (`virtual_key_claim_field`).

use std::sync::Arc;

use gateway_db::{Db, DbErrorKind, JsonMap, KeyQuery, KeyRecord, KeySettings, NewKey, PageRequest, TokenKey};
use llm_types::{Error, ErrorKind, KeyHash, Result};
use serde_json::{Map, Value, json};

use super::claims::{self, ADMIN, Identity};
use super::{Issuer, forbidden};
use crate::clock::now_ms;
use crate::config::{JwtAuth, Unregistered};
use crate::identity::{KeyDigest, KeyEntry, masked, new_id, new_secret, unavailable};
use crate::state::Shared;

/// Who a token names by the claim that stands for keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    issuer: String,
    claim: String,
    value: String,
    unregistered: Unregistered,
    /// Whether a key that the user has may become the bearer's.
    reuses: bool,
}

impl Named {
    /// Whom the claims name, where a claim stands for keys.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] when they name nobody and only bearers with a key are let in.
    pub(super) fn of(
        auth: &JwtAuth,
        issuer: &Issuer<'_>,
        claims: &Map<String, Value>,
    ) -> Result<Option<Self>> {
        let Some(claim) = &issuer.fields.virtual_key else { return Ok(None) };
        let unregistered = issuer.own.and_then(|own| own.unregistered).unwrap_or(auth.unregistered);
        let value = match claims::claim(claims, claim) {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(other @ (Value::Number(_) | Value::Bool(_))) => other.to_string(),
            _ if unregistered == Unregistered::AsToken => return Ok(None),
            _ => {
                let words = format!(
                    "JWT Key Mapping: Required claim '{claim}' is missing from the JWT. Access denied."
                );
                return Err(forbidden(words));
            }
        };
        let own = [&issuer.fields.user_id, &issuer.fields.email];
        let reuses = auth.reuses_keys && own.into_iter().flatten().any(|field| field == claim);
        let issuer = issuer.own.map(|own| own.issuer.clone()).unwrap_or_default();
        Ok(Some(Self { issuer, claim: claim.clone(), value, unregistered, reuses }))
    }

    /// The key that the bearer calls with; none where the token itself says what it may.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] when there is none and only bearers with a key are let in.
    pub(super) async fn entry(
        &self,
        shared: &Shared,
        db: &Db,
        expires_ms: i64,
    ) -> Result<Option<Arc<KeyEntry>>> {
        let found = db.key_of_token(&self.issuer, &self.claim, &self.value).await.map_err(unavailable)?;
        let entry = match found.as_ref().and_then(|hash| KeyDigest::from_hex(hash.as_str())) {
            Some(digest) => shared.directory.find(digest).await?,
            None => None,
        };
        if entry.is_none() && self.unregistered == Unregistered::Refused {
            let shown: String = self.value.chars().take(80).collect();
            return Err(forbidden(format!(
                "JWT Key Mapping: No registered mapping for {}='{shown}'. Access denied.",
                self.claim
            )));
        }
        match entry {
            // The token ends though the key goes on.
            Some(key) => shared.directory.lent(&key, expires_ms).await.map(Some),
            None => Ok(None),
        }
    }

    /// Gives a bearer whom the operator's rules have let in a key: one that the user has, or a new one. Of several who
    /// come at once all get the same.
    pub(super) async fn register(
        &self,
        shared: &Shared,
        db: &Db,
        who: &KeyEntry,
        identity: &Identity,
    ) -> Result<Option<Arc<KeyEntry>>> {
        if self.unregistered != Unregistered::Registered || identity.role.as_deref() == Some(ADMIN) {
            return Ok(None);
        }
        let own = if self.reuses { self.own_key(db, &who.record).await? } else { None };
        let (key, is_new) = match own {
            Some(key) => (key, false),
            None => (self.new_key(shared, db, &who.record.settings).await?, true),
        };
        let now = now_ms();
        let by = Some("auto_register".to_owned());
        let rule = TokenKey {
            id: new_id(),
            issuer: self.issuer.clone(),
            claim: self.claim.clone(),
            value: self.value.clone(),
            key: key.clone(),
            description: None,
            active: true,
            created_at: now,
            created_by: by.clone(),
            updated_at: now,
            updated_by: by,
        };
        if !db.insert_token_key(&rule).await.map_err(unavailable)? && is_new {
            // Somebody else came first: the key of nobody goes again.
            let name = gateway_db::KeyName::Hash(key);
            db.delete_keys(&[name], now, Some("auto_register")).await.map_err(unavailable)?;
        }
        let entry = self.entry(shared, db, who.record.settings.expires_at.unwrap_or_default()).await?;
        let gone = || {
            Error::new(
                ErrorKind::Overloaded,
                "the key of this token was taken away while it was made; try again",
            )
        };
        entry.map(Some).ok_or_else(gone)
    }

    /// The user's newest key that calls models, in the token's team.
    async fn own_key(&self, db: &Db, who: &KeyRecord) -> Result<Option<KeyHash>> {
        let Some(user) = &who.settings.user_id else { return Ok(None) };
        let query = KeyQuery {
            user_id: Some(user.clone()),
            page: PageRequest { page: 1, size: 100 },
            ..KeyQuery::default()
        };
        let now = now_ms();
        let fits = |key: &KeyRecord| {
            let settings = &key.settings;
            let calls = matches!(settings.key_type.as_deref(), None | Some("default" | "llm_api"));
            settings.team_id == who.settings.team_id
                && calls
                && !settings.blocked
                && settings.expires_at.is_none_or(|at| at > now)
        };
        let found = db.list_keys(&query).await.map_err(unavailable)?.items;
        Ok(found.into_iter().filter(fits).max_by_key(|key| key.created_at).map(|key| key.hash))
    }

    /// A key whose secret nobody has.
    async fn new_key(&self, shared: &Shared, db: &Db, who: &KeySettings) -> Result<KeyHash> {
        let secret = new_secret().map_err(|fault| {
            let words = format!("the operating system gives no randomness for a key: {fault}");
            Error::new(ErrorKind::Internal, words)
        })?;
        let said = json!({
            "auto_registered": true,
            "jwt_claim_field": self.claim,
            "jwt_claim_value": self.value,
        });
        let settings = KeySettings {
            user_id: who.user_id.clone(),
            team_id: who.team_id.clone(),
            organization_id: who.organization_id.clone(),
            metadata: serde_json::from_value::<JsonMap>(said).unwrap_or_default(),
            ..KeySettings::default()
        };
        let new = NewKey {
            hash: KeyDigest::of(secret.as_bytes()).to_hex().into(),
            name: Some(masked(&secret)),
            settings,
            spend: llm_types::Money::ZERO,
            created_at: now_ms(),
            created_by: Some("auto_register".to_owned()),
        };
        let made = db.insert_key(new).await.map_err(|error| match error.kind() {
            DbErrorKind::DuplicateKey => Error::from(error),
            _ => unavailable(error),
        })?;
        let hash = made.hash.clone();
        shared.directory.keep(made).await?;
        Ok(hash)
    }
}
