//! The fields of a key request: typed, with every problem reported, nothing lost.

use gateway_db::{Change, JsonMap, KeyPatch, KeySettings};
use llm_router::RouterSettings;
use llm_types::{ErrorKind, Money};
use serde_json::{Value, json};

use super::budget_fields::{check_extra, check_model_budgets};
use super::lax;
use super::refusal::Refusal;
use super::shapes;
use super::view::SAID_UNBLOCKED;
use crate::config::overlaid;
use crate::limits::{Calendar, next_reset, parse_duration_ms};

/// What the largest amount is called in refusals, in USD: an amount is a number of nano-dollars.
pub(super) const MOST_USD: u64 = 9_223_372_036;

/// A request body being read: each field is taken once, the rest is kept.
pub(crate) struct Fields {
    body: JsonMap,
    /// Fields of wrong types, and those that are missing.
    problems: Vec<Value>,
    /// The first value of the right type that makes no sense.
    senseless: Option<Refusal>,
}

/// When and where a request is read: durations become times.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// Unix milliseconds.
    pub(super) now: i64,
    /// When days of budgets begin.
    pub(super) calendar: Calendar,
}

impl Fields {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// When the body is none.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(body)) => Ok(Self { body, problems: Vec::new(), senseless: None }),
            Ok(other) => Err(Refusal::Fields(vec![Refusal::field(
                "model_attributes_type",
                "",
                "Input should be a valid dictionary or object to extract fields from",
                &other,
            )])),
            Err(error) => Err(Refusal::about(
                ErrorKind::BadRequest,
                "invalid_request_error",
                "request_body",
                format!("Invalid JSON payload: {error}"),
            )),
        }
    }

    /// Sets what the request leaves open (`default_key_generate_params`).
    pub(super) fn fill(&mut self, defaults: &JsonMap) {
        for (name, value) in defaults {
            if self.body.get(name).is_none_or(Value::is_null) {
                self.body.insert(name.clone(), value.clone());
            }
        }
    }

    /// Holds the request to ceilings (`upperbound_key_generate_params`): what it leaves open becomes
    /// the ceiling.
    ///
    /// # Errors
    /// The first field above its ceiling.
    pub(super) fn cap(&mut self, ceilings: &JsonMap) -> Result<(), Refusal> {
        for (name, ceiling) in ceilings {
            let Some(value) = self.body.get(name).filter(|value| !value.is_null()) else {
                self.body.insert(name.clone(), ceiling.clone());
                continue;
            };
            if measure(value) > measure(ceiling) {
                return Err(Refusal::about(
                    ErrorKind::BadRequest,
                    "bad_request_error",
                    name,
                    format!(
                        "{name} is over max limit set in config - user_value={value}; max_value={ceiling}"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Rates by the name of a model.
    pub(super) fn rates(&mut self, name: &str) -> Change<JsonMap> {
        let message = "Input should be a valid dictionary of non-negative integers";
        self.take(name, "dict_type", message, |value| {
            let rates = value.as_object()?;
            let is_rate = |rate: &Value| rate.is_null() || rate.is_u64();
            rates.values().all(is_rate).then(|| rates.clone())
        })
    }

    /// Texts by name.
    fn names(&mut self, name: &str) -> Change<JsonMap> {
        let message = "Input should be a valid dictionary of strings";
        self.take(name, "dict_type", message, |value| {
            let names = value.as_object()?;
            names.values().all(Value::is_string).then(|| names.clone())
        })
    }

    /// A budget's period; `-1` clears it, as `null` does (surface §4.8).
    pub(super) fn period(&mut self, name: &str) -> Change<String> {
        match self.text(name) {
            Change::Set(text) if text == "-1" => Change::Clear,
            other => other,
        }
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Change<String> {
        self.take(name, "string_type", "Input should be a valid string", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// Texts; each that is none is told by its place.
    pub(super) fn texts(&mut self, name: &str) -> Change<Vec<String>> {
        let list =
            self.take(name, "list_type", "Input should be a valid list", |value| value.as_array().cloned());
        let list = match list {
            Change::Set(list) => list,
            Change::Clear => return Change::Clear,
            Change::Keep => return Change::Keep,
        };
        let before = self.problems.len();
        let mut texts = Vec::with_capacity(list.len());
        for (at, item) in list.into_iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text),
                other => {
                    let mut problem =
                        Refusal::field("string_type", name, "Input should be a valid string", &other);
                    problem["loc"] = json!(["body", name, at]);
                    self.problems.push(problem);
                }
            }
        }
        if self.problems.len() == before { Change::Set(texts) } else { Change::Keep }
    }

    /// A whole number, zero or more.
    pub(crate) fn count(&mut self, name: &str) -> Change<i64> {
        self.read_by(name, lax::count)
    }

    /// A yes or no.
    pub(super) fn flag(&mut self, name: &str) -> Change<bool> {
        self.read_by(name, lax::boolean)
    }

    /// A map.
    pub(super) fn map(&mut self, name: &str) -> Change<JsonMap> {
        self.take(name, "dict_type", "Input should be a valid dictionary", |value| value.as_object().cloned())
    }

    /// An amount of USD.
    pub(super) fn money(&mut self, name: &str) -> Change<Money> {
        let usd = match self.read_by(name, lax::number) {
            Change::Set(usd) => usd,
            Change::Clear => return Change::Clear,
            Change::Keep => return Change::Keep,
        };
        let words = match Money::of_usd(usd) {
            Some(amount) if usd >= 0.0 => return Change::Set(amount),
            None if usd.is_finite() && usd > 0.0 => {
                format!(
                    "`{name}` is `{usd:e}`, expected an amount in USD of at most {MOST_USD}: more cannot be counted exactly"
                )
            }
            _ => format!("{name} must be a non-negative finite number"),
        };
        self.refuse(Refusal::about(ErrorKind::BadRequest, "bad_request_error", name, words));
        Change::Keep
    }

    /// What the request says of a field, which stays to be taken.
    pub(super) fn look(&self, name: &str) -> Option<&Value> {
        self.body.get(name)
    }

    /// Whether the request says something of a field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.body.contains_key(name)
    }

    /// Whether a field is missing or of a wrong type.
    pub(super) fn is_wrong(&self) -> bool {
        !self.problems.is_empty()
    }

    /// A value of the right type that makes no sense; the first is told, where every type is right.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.senseless.get_or_insert(refusal);
    }

    /// A field that is wrong, told together with all others.
    pub(super) fn wrong(&mut self, kind: &str, name: &str, message: &str, found: &Value) {
        self.problems.push(Refusal::field(kind, name, message, found));
    }

    fn read_by<T>(&mut self, name: &str, read: impl Fn(&Value) -> Result<T, lax::Wrong>) -> Change<T> {
        match self.body.shift_remove(name) {
            None => Change::Keep,
            Some(Value::Null) => Change::Clear,
            Some(value) => match read(&value) {
                Ok(read) => Change::Set(read),
                Err((kind, message)) => {
                    self.wrong(kind, name, message, &value);
                    Change::Keep
                }
            },
        }
    }

    fn take<T>(
        &mut self,
        name: &str,
        kind: &str,
        message: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Change<T> {
        match self.body.shift_remove(name) {
            None => Change::Keep,
            Some(Value::Null) => Change::Clear,
            Some(value) => match read(&value) {
                Some(read) => Change::Set(read),
                None => {
                    self.wrong(kind, name, message, &value);
                    Change::Keep
                }
            },
        }
    }

    /// A value of any type, as it is.
    pub(super) fn any(&mut self, name: &str) -> Option<Value> {
        self.body.shift_remove(name).filter(|value| !value.is_null())
    }

    /// Sets a field.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.body.insert(name.to_owned(), value);
    }

    /// Gives back what was taken too early.
    pub(super) fn put_back(&mut self, name: &str, text: Change<String>) {
        let value = match text {
            Change::Keep => return,
            Change::Clear => Value::Null,
            Change::Set(text) => Value::String(text),
        };
        self.body.insert(name.to_owned(), value);
    }

    /// What nobody has taken.
    ///
    /// # Errors
    /// Every field that is missing or of a wrong type, together; else the first value that makes no sense.
    pub(crate) fn finish(mut self) -> Result<JsonMap, Refusal> {
        self.check_routing();
        match self.senseless {
            _ if !self.problems.is_empty() => Err(Refusal::Fields(self.problems)),
            Some(senseless) => Err(senseless),
            None => Ok(self.body),
        }
    }

    /// What nobody has taken and is kept as it came, looking as it must.
    ///
    /// # Errors
    /// Every field of a wrong type, together.
    pub(super) fn kept(mut self) -> Result<JsonMap, Refusal> {
        shapes::settle(&mut self.body);
        self.problems.extend(shapes::problems(&self.body));
        self.finish()
    }

    /// Nobody else is to take anything: what is left is refused.
    ///
    /// # Errors
    /// Every field of a wrong type, together, or every one that is left.
    pub(super) fn nothing_else(self) -> Result<(), Refusal> {
        let left = self.finish()?;
        if left.is_empty() {
            return Ok(());
        }
        let entry = |(name, value): (&String, &Value)| {
            Refusal::field("extra_forbidden", name, "Extra inputs are not permitted", value)
        };
        Err(Refusal::Fields(left.iter().map(entry).collect()))
    }

    /// Whether `router_settings` can be laid over the router's: what could not is never stored.
    fn check_routing(&mut self) {
        let Some(own) = self.body.get("router_settings").filter(|own| !own.is_null()) else { return };
        let problems = match own {
            Value::Object(_) => overlaid(&RouterSettings::default(), own).err().unwrap_or_default(),
            _ => {
                let message = "Input should be a valid dictionary";
                self.problems.push(Refusal::field("dict_type", "router_settings", message, own));
                return;
            }
        };
        for problem in problems {
            let message = format!("{}: {}, {}", problem.path, problem.found, problem.expected);
            self.problems.push(Refusal::field("value_error", "router_settings", &message, own));
        }
    }

    /// A text that has to be there. Where it is not, or is no text, it is empty until [`Self::finish`] says so.
    pub(crate) fn required(&mut self, name: &str) -> String {
        self.needs(name, |fields| fields.text(name))
    }

    /// A list of texts that has to be there, in the same way.
    pub(super) fn required_texts(&mut self, name: &str) -> Vec<String> {
        self.needs(name, |fields| fields.texts(name))
    }

    /// A value of any type that has to be there, in the same way.
    pub(super) fn required_any(&mut self, name: &str) -> Value {
        self.needs(name, |fields| Change::to(fields.any(name)))
    }

    /// A value that has to be there; until [`Self::finish`] says that it is not, what there is where there is nothing.
    pub(crate) fn needs<T: Default>(&mut self, name: &str, take: impl FnOnce(&mut Self) -> Change<T>) -> T {
        let before = (self.problems.len(), self.senseless.is_some());
        if let Change::Set(value) = take(self) {
            return value;
        }
        // What is told of it already is told once.
        if before == (self.problems.len(), self.senseless.is_some()) {
            self.wrong("missing", name, "Field required", &Value::Null);
        }
        T::default()
    }

    /// The one text that a request is about; what it says besides is passed over.
    ///
    /// # Errors
    /// Where it is missing, or no text.
    pub(super) fn naming(mut self, name: &str) -> Result<String, Refusal> {
        let text = self.required(name);
        self.finish().map(|_| text)
    }

    /// The list of texts that a request is about, in the same way.
    ///
    /// # Errors
    /// Where it is missing, or no list of texts.
    pub(super) fn naming_several(mut self, name: &str) -> Result<Vec<String>, Refusal> {
        let texts = self.required_texts(name);
        self.finish().map(|_| texts)
    }

    /// The change of a key that a request asks for. What is left over goes into `extra`.
    ///
    /// # Errors
    /// Every field of a wrong type together, or the first value that makes no sense.
    pub(super) fn patch(mut self, moment: &Moment) -> Result<KeyPatch, Refusal> {
        let duration = self.text("duration");
        let says_blocked = self.body.get("blocked").is_some_and(|said| !said.is_null());
        let mut patch = KeyPatch {
            alias: self.text("key_alias"),
            user_id: self.text("user_id"),
            team_id: self.text("team_id"),
            organization_id: self.text("organization_id"),
            project_id: self.text("project_id"),
            agent_id: self.text("agent_id"),
            models: always(self.texts("models")),
            aliases: always(self.names("aliases")),
            config: always(self.map("config")),
            permissions: always(self.map("permissions")),
            metadata: always(self.map("metadata")),
            max_budget: self.money("max_budget"),
            soft_budget: self.money("soft_budget"),
            budget_duration: self.period("budget_duration"),
            rpm_limit: self.count("rpm_limit"),
            tpm_limit: self.count("tpm_limit"),
            tpd_limit: self.count("tpd_limit"),
            max_parallel_requests: self.count("max_parallel_requests"),
            model_max_budget: always(self.map("model_max_budget")),
            model_rpm_limit: always(self.rates("model_rpm_limit")),
            model_tpm_limit: always(self.rates("model_tpm_limit")),
            allowed_routes: always(self.texts("allowed_routes")),
            key_type: self.text("key_type"),
            blocked: always(self.flag("blocked")),
            access_group_ids: always(self.texts("access_group_ids")),
            auto_rotate: always(self.flag("auto_rotate")),
            rotation_interval: self.text("rotation_interval"),
            spend: match self.money("spend") {
                Change::Set(spend) => Some(spend),
                Change::Keep | Change::Clear => None,
            },
            ..KeyPatch::default()
        };
        patch.extra = self.kept()?;
        if says_blocked && patch.blocked == Some(false) {
            patch.extra.insert(SAID_UNBLOCKED.to_owned(), json!(false));
        }
        if let Some(budgets) = &patch.model_max_budget {
            check_model_budgets(budgets)?;
        }
        if patch.auto_rotate == Some(true) {
            return Err(unrotated());
        }
        if let Change::Set(text) = &patch.rotation_interval
            && parse_duration_ms(text).is_none()
        {
            return Err(unreadable("rotation_interval", text));
        }
        check_extra(&patch.extra)?;
        patch.expires_at = expiry(duration, moment)?;
        patch.budget_reset_at = reset(&patch.budget_duration, moment)?;
        routes_of_type(&mut patch)?;
        Ok(patch)
    }
}

/// A number, or a duration in milliseconds, for comparison with a ceiling of the same kind.
fn measure(value: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "durations are far below 2^53 milliseconds")]
    let length = |text: &str| parse_duration_ms(text).map(|ms| ms as f64);
    value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok().or_else(|| length(text))))
}

/// A field that is never empty: clearing it makes it its default.
pub(super) fn always<T: Default>(change: Change<T>) -> Option<T> {
    match change {
        Change::Keep => None,
        Change::Clear => Some(T::default()),
        Change::Set(value) => Some(value),
    }
}

/// `duration` as the time a key stops working; `-1` is never.
fn expiry(duration: Change<String>, moment: &Moment) -> Result<Change<i64>, Refusal> {
    match duration {
        Change::Keep => Ok(Change::Keep),
        Change::Clear => Ok(Change::Clear),
        Change::Set(text) if text == "-1" => Ok(Change::Clear),
        Change::Set(text) => match parse_duration_ms(&text) {
            Some(length) => {
                let at = moment.now.saturating_add(length);
                // A time that nobody can write down would be shown as never.
                match jiff::Timestamp::from_millisecond(at) {
                    Ok(_) => Ok(Change::Set(at)),
                    Err(_) => Err(too_long(&text)),
                }
            }
            None => Err(unreadable("duration", &text)),
        },
    }
}

/// When the period that a request sets ends first.
///
/// # Errors
/// A period nobody can read.
pub(super) fn reset(duration: &Change<String>, moment: &Moment) -> Result<Change<i64>, Refusal> {
    match duration {
        Change::Keep => Ok(Change::Keep),
        Change::Clear => Ok(Change::Clear),
        Change::Set(text) => match next_reset(text, moment.now, &moment.calendar) {
            Some(at) => Ok(Change::Set(at)),
            None => Err(unreadable("budget_duration", text)),
        },
    }
}

/// A key that changes its secret by itself would lock its users out: there is neither a mail nor a secret manager that
/// could tell them the new one.
fn unrotated() -> Refusal {
    let message = "`auto_rotate` is `true`, expected `false`: no key gets a new secret by itself, because nobody would be \
                   told it. `POST /key/regenerate` gives a key a new secret and answers with it; with `grace_period` the \
                   old one goes on working for a while";
    Refusal::about(ErrorKind::BadRequest, "bad_request_error", "auto_rotate", message)
}

fn too_long(found: &str) -> Refusal {
    let shown: String = found.chars().take(40).collect();
    let words = format!(
        "`duration` is `{shown}`, which ends after the year 9999, expected less, or `-1` for a key that never expires"
    );
    Refusal::about(ErrorKind::BadRequest, "bad_request_error", "duration", words)
}

/// A duration that nobody can read.
pub(super) fn unreadable(name: &str, found: &str) -> Refusal {
    let shown: String = found.chars().take(40).collect();
    Refusal::about(
        ErrorKind::BadRequest,
        "bad_request_error",
        name,
        format!(
            "Invalid duration format: `{name}` is `{shown}`, expected a number and one of s, m, h, d, w, mo such as `30d`"
        ),
    )
}

/// `key_type` is a shorthand for `allowed_routes` (surface §4.4 c).
fn routes_of_type(patch: &mut KeyPatch) -> Result<(), Refusal> {
    let Change::Set(key_type) = &patch.key_type else { return Ok(()) };
    let routes = match key_type.as_str() {
        "default" => return Ok(()),
        "llm_api" => "llm_api_routes",
        "management" => "management_routes",
        "read_only" => "info_routes",
        _ => {
            return Err(Refusal::Fields(vec![Refusal::field(
                "enum",
                "key_type",
                "Input should be 'llm_api', 'management', 'read_only' or 'default'",
                &Value::String(key_type.clone()),
            )]));
        }
    };
    if patch.allowed_routes.as_ref().is_none_or(Vec::is_empty) {
        patch.allowed_routes = Some(vec![routes.to_owned()]);
    }
    Ok(())
}

/// The settings of a new key: a change applied to nothing.
pub(super) fn settings_of(patch: KeyPatch) -> KeySettings {
    KeySettings {
        alias: patch.alias.apply(None),
        user_id: patch.user_id.apply(None),
        team_id: patch.team_id.apply(None),
        organization_id: patch.organization_id.apply(None),
        project_id: patch.project_id.apply(None),
        agent_id: patch.agent_id.apply(None),
        models: patch.models.unwrap_or_default(),
        aliases: patch.aliases.unwrap_or_default(),
        config: patch.config.unwrap_or_default(),
        permissions: patch.permissions.unwrap_or_default(),
        metadata: patch.metadata.unwrap_or_default(),
        max_budget: patch.max_budget.apply(None),
        soft_budget: patch.soft_budget.apply(None),
        budget_duration: patch.budget_duration.apply(None),
        budget_reset_at: patch.budget_reset_at.apply(None),
        rpm_limit: patch.rpm_limit.apply(None),
        tpm_limit: patch.tpm_limit.apply(None),
        tpd_limit: patch.tpd_limit.apply(None),
        max_parallel_requests: patch.max_parallel_requests.apply(None),
        model_max_budget: patch.model_max_budget.unwrap_or_default(),
        model_rpm_limit: patch.model_rpm_limit.unwrap_or_default(),
        model_tpm_limit: patch.model_tpm_limit.unwrap_or_default(),
        allowed_routes: patch.allowed_routes.unwrap_or_default(),
        key_type: patch.key_type.apply(None),
        blocked: patch.blocked.unwrap_or_default(),
        expires_at: patch.expires_at.apply(None),
        access_group_ids: patch.access_group_ids.unwrap_or_default(),
        auto_rotate: patch.auto_rotate.unwrap_or_default(),
        rotation_interval: patch.rotation_interval.apply(None),
        rotate_at: None,
        extra: patch.extra,
    }
}

#[cfg(test)]
mod tests;
