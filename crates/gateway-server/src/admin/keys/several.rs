//! Several keys at once, and keys of services (surface §3.4).

use gateway_db::{AliasQuery, Change, PageRequest};
use serde_json::{Value, json};

use super::hash_of;
use crate::admin::fields::Fields;
use crate::admin::job::Job;
use crate::admin::refusal::Refusal;
use crate::admin::view;

impl Job {
    /// `/key/service-account/generate`: a key of a team and of no user.
    pub(super) async fn generate_for_service(self) -> Result<Value, Refusal> {
        self.check_generation().await?;
        let mut fields = self.fields()?;
        if let team @ Change::Set(_) = fields.text("team_id") {
            fields.put_back("team_id", team);
        } else {
            fields.wrong("missing", "team_id", "Field required", &Value::Null);
        }
        fields.any("user_id");
        let alias = fields.text("key_alias");
        let mut metadata = match fields.map("metadata") {
            Change::Set(metadata) => metadata,
            Change::Keep | Change::Clear => gateway_db::JsonMap::new(),
        };
        let name = match &alias {
            Change::Set(alias) => alias.clone(),
            Change::Keep | Change::Clear => crate::identity::new_id(),
        };
        metadata.insert("service_account_id".to_owned(), json!(name));
        fields.put_back("key_alias", alias);
        fields.put("metadata", Value::Object(metadata));
        let (record, secret) = self.make_key(fields).await?;
        Ok(view::generated(&record, &secret, self.moment.now))
    }

    /// `/v2/key/info`: the keys that are there and that the caller may see.
    pub(super) async fn info_of_several(self) -> Result<Value, Refusal> {
        let keys = self.fields()?.naming_several("keys")?;
        let mut found = Vec::new();
        for key in &keys {
            found.extend(self.db.key_by_hash(&hash_of(key)).await?);
        }
        let rows = self.full_all(&self.keys_seen(found).await?).await?;
        Ok(json!({ "key": keys, "info": rows }))
    }

    /// `/key/aliases`: a page of the aliases of keys, in alphabetical order: all of them, or those of the caller's own
    /// keys and of its teams' keys.
    pub(super) async fn aliases(self) -> Result<Value, Refusal> {
        let number =
            |name: &str, default: u64| self.param(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        let page = PageRequest { page: number("page", 1).max(1), size: number("size", 50).clamp(1, 500) };
        let seen_by = self.aliases_seen().await?;
        let wanted =
            AliasQuery { search: self.param("search"), team_id: self.param("team_id"), seen_by, page };
        let found = self.db.key_aliases(&wanted).await?;
        Ok(json!({
            "total_count": found.total,
            "current_page": found.page,
            "total_pages": found.pages(),
            "size": found.size,
            "aliases": found.items,
        }))
    }

    /// `/key/bulk_update`: each key is changed or not, by itself.
    pub(super) async fn update_several(self) -> Result<Value, Refusal> {
        let mut fields = self.fields()?;
        let given = fields.any("keys");
        fields.finish()?;
        let Some(Value::Array(items)) = given else {
            let message = "Input should be a valid list of objects with a `key` each";
            let problem = Refusal::field("list_type", "keys", message, &Value::Null);
            return Err(Refusal::Fields(vec![problem]));
        };
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for item in &items {
            let key = item.get("key").cloned().unwrap_or(Value::Null);
            match self.update_one(item).await {
                Ok(row) => good.push(json!({ "key": key, "key_info": row })),
                Err(refusal) => bad.push(json!({ "key": key, "failed_reason": refusal.reason() })),
            }
        }
        Ok(json!({ "total_requested": items.len(), "successful_updates": good, "failed_updates": bad }))
    }

    async fn update_one(&self, item: &Value) -> Result<Value, Refusal> {
        let mut fields = Fields::read(item.to_string().as_bytes())?;
        let key = fields.required("key");
        let patch = fields.patch(&self.moment)?;
        let record = self.change(&hash_of(&key), patch).await?;
        self.full(&record).await
    }
}
