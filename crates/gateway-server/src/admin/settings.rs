//! Settings that are kept in the database and hold instead of the file's: discounts and margins, what is public
//! (`/config/cost_discount_config`, `/config/cost_margin_config`, `/model_group/make_public`,
//! `/model_hub/update_useful_links`). Replicas follow them as they follow models (`store_model_in_db`).

use gateway_db::{ConfigEntry, EntryKind, JsonMap};
use http::StatusCode;
use llm_providers::catalog::Adjustments;
use serde_json::{Value, json};

use super::job::Job;
use super::models::seal;
use super::refusal::Refusal;
use super::reload;
use crate::config::{COST_DISCOUNT, COST_MARGIN, PUBLIC_GROUPS, PUBLIC_LINKS};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingAction {
    Discounts,
    SetDiscounts,
    Margins,
    SetMargins,
    MakePublic,
    SetLinks,
    ReloadPrices,
    ReloadBetas,
}

impl SettingAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::Discounts | Self::Margins)
    }
}

/// Does what is asked about settings.
pub(super) async fn run(job: Job, action: SettingAction) -> Result<Value, Refusal> {
    match action {
        SettingAction::Discounts => Ok(json!({ "values": in_force(&job, COST_DISCOUNT) })),
        SettingAction::Margins => Ok(json!({ "values": in_force(&job, COST_MARGIN) })),
        SettingAction::SetDiscounts => adjust(&job, COST_DISCOUNT, "discount").await,
        SettingAction::SetMargins => adjust(&job, COST_MARGIN, "margin").await,
        SettingAction::MakePublic => make_public(&job).await,
        SettingAction::SetLinks => set_links(&job).await,
        SettingAction::ReloadPrices => reload::prices(&job).await,
        SettingAction::ReloadBetas => Ok(reload::betas(&job)),
    }
}

/// The database's value, else the file's.
fn in_force(job: &Job, name: &str) -> JsonMap {
    let stored = job.shared.stored.entries();
    let stored = stored.into_iter().find(|entry| entry.kind == EntryKind::Setting && entry.id == name);
    stored.map_or_else(|| job.shared.snapshot().config.origin.setting(name), |entry| entry.info)
}

fn bad(words: impl Into<String>) -> Refusal {
    Refusal::detail(StatusCode::BAD_REQUEST, words)
}

/// The body, which must be an object.
fn object(job: &Job) -> Result<JsonMap, Refusal> {
    match serde_json::from_slice(&job.body) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) | Err(_) => Err(bad("the body must be a JSON object of numbers by the names of providers")),
    }
}

/// Replaces discounts or margins, all of them.
async fn adjust(job: &Job, name: &str, word: &str) -> Result<Value, Refusal> {
    let values = object(job)?;
    let registry = &job.shared.snapshot().config.registry;
    let known =
        |vendor: &str| registry.provider(vendor).is_some() || (name == COST_MARGIN && vendor == "global");
    let unknown: Vec<&str> = values.keys().map(String::as_str).filter(|vendor| !known(vendor)).collect();
    if !unknown.is_empty() {
        return Err(bad(format!(
            "Invalid provider(s): {}. Must be valid LiteLLM providers, such as `openai`",
            unknown.join(", ")
        )));
    }
    let none = JsonMap::new();
    let (discounts, margins) = if name == COST_DISCOUNT { (&values, &none) } else { (&none, &values) };
    Adjustments::from_litellm(discounts, margins).map_err(|error| bad(error.message()))?;
    keep(job, name, values.clone()).await?;
    Ok(json!({
        "message": format!("Cost {word} configuration updated successfully"),
        "status": "success",
        "values": values,
    }))
}

/// Shows these model groups to the public, and no others.
async fn make_public(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let groups = fields.required_texts("model_groups");
    fields.finish()?;
    let snapshot = job.shared.snapshot();
    let served = |name: &String| snapshot.config.models.iter().any(|model| *model.deployment.group == **name);
    if let Some(unknown) = groups.iter().find(|name| !served(name)) {
        return Err(bad(format!("Model group `{unknown}` is not found: name groups of `/model_group/info`")));
    }
    keep(job, PUBLIC_GROUPS, JsonMap::from_iter([(PUBLIC_GROUPS.to_owned(), json!(groups))])).await?;
    Ok(json!({
        "message": "Successfully updated public model groups",
        "public_model_groups": groups,
        "updated_by": job.by,
    }))
}

/// Shows these links beside the public model groups.
async fn set_links(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let links = fields.needs("useful_links", |fields| fields.map("useful_links"));
    fields.finish()?;
    keep(job, PUBLIC_LINKS, links.clone()).await?;
    Ok(json!({
        "message": "Successfully updated useful links",
        "useful_links": links,
        "updated_by": job.by,
    }))
}

/// Forgets a setting, and puts in force what the file says.
pub(super) async fn forget(job: &Job, name: &str) -> Result<(), Refusal> {
    seal(job)?;
    job.db.delete_entry(EntryKind::Setting, name).await?;
    job.shared.stored.follow(&job.shared).await?;
    Ok(())
}

/// Keeps a setting and puts it in force.
pub(super) async fn keep(job: &Job, name: &str, info: JsonMap) -> Result<(), Refusal> {
    let seal = seal(job)?;
    let now = job.moment.now;
    let entry = ConfigEntry {
        kind: EntryKind::Setting,
        id: name.to_owned(),
        name: name.to_owned(),
        secret: JsonMap::new(),
        info,
        blocked: false,
        created_at: now,
        created_by: Some(job.by.clone()),
        updated_at: now,
        updated_by: Some(job.by.clone()),
    };
    job.db.put_entry(&entry, seal).await?;
    job.shared.stored.follow(&job.shared).await?;
    Ok(())
}
