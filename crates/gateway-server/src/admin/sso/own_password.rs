//! `/user/password/change`: who signed in by password replaces it, and ends every other session that began so.

use gateway_db::{KeyName, KeyQuery};
use http::StatusCode;
use serde_json::json;

use super::reply::{Refused, Reply, Step};
use super::session::{BY_PASSWORD, is_session, method_of};
use super::{Visit, onboarding, password, unmade};
use crate::walk::Caller;

pub(super) async fn change(visit: &Visit) -> Step<Reply> {
    let names = ["current_password", "new_password"];
    let [current, new] = names.map(|name| visit.field(name));
    let (Some(current), Some(new)) = (&current, &new) else {
        let lacks: Vec<&str> = names
            .into_iter()
            .zip([&current, &new])
            .filter(|(_, has)| has.is_none())
            .map(|(name, _)| name)
            .collect();
        return Err(Refused::missing("body", &lacks));
    };
    let bad = |why: &str| Refused::told(StatusCode::BAD_REQUEST, why);
    let signed_in = match &visit.caller {
        Some(Caller::Key(entry)) if method_of(&entry.record.settings.metadata) == Some(BY_PASSWORD) => entry,
        _ => {
            let why = "Passwords can only be changed from a session created by logging in with a password.";
            return Err(Refused::told(StatusCode::FORBIDDEN, why));
        }
    };
    let user = signed_in.record.settings.user_id.clone().unwrap_or_default();
    let Some(stored) = visit.db()?.password(&user).await.map_err(Refused::failed)? else {
        return Err(bad(
            "This account has no password set, so there is no password to change. Passwords are set \
                        through an invitation link (POST /invitation/new).",
        ));
    };
    if !password::fits(visit, current, Some(&stored)).await? {
        password::missed(visit);
        return Err(bad("Current password is incorrect."));
    }
    if new == current {
        return Err(bad("New password must be different from the current password."));
    }
    let hash = onboarding::hashed(visit, new).await?;
    let job = visit.job(&user, &json!({}))?;
    if !job.db.change_password(&user, (&stored, &hash), visit.now).await.map_err(Refused::failed)? {
        return Err(bad("Current password is incorrect."));
    }
    // Whoever has the old password may have begun a session with it.
    let query = KeyQuery { user_id: Some(user.clone()), ..KeyQuery::default() };
    let mut keys = job.all_keys(query).await.map_err(unmade)?;
    keys.retain(|key| is_session(&key.settings.metadata) && key.hash != signed_in.record.hash);
    let others: Vec<KeyName> = keys.into_iter().map(|key| KeyName::Hash(key.hash)).collect();
    if !others.is_empty() {
        job.delete_keys(&others).await.map_err(unmade)?;
    }
    Ok(Reply::json(json!({ "user_id": user, "message": "Password updated successfully." })))
}
