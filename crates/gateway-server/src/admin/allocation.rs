//! Rates that a team gives one of its keys alone, or an organisation one of its teams or keys (`rpm_limit_type` and
//! `tpm_limit_type`: `guaranteed_throughput`): all that is given together is no more than there is.

use gateway_db::{JsonMap, KeyQuery, KeySettings, ScopeId, ScopeKind, ScopeQuery, ScopeSettings};
use llm_types::{ErrorKind, KeyHash};
use serde_json::Value;

use super::job::Job;
use super::refusal::Refusal;

/// Nobody else has this part of the rates.
const GUARANTEED: &str = "guaranteed_throughput";

/// The rates of a key, a team or an organisation: of requests and of tokens.
#[derive(PartialEq)]
struct Rates([Rate; 2]);

#[derive(PartialEq)]
struct Rate {
    limit: Option<i64>,
    by_model: JsonMap,
    is_guaranteed: bool,
}

impl Rates {
    fn of_key(key: &KeySettings) -> Self {
        let requests = (key.rpm_limit, &key.model_rpm_limit);
        Self::new(&key.extra, requests, (key.tpm_limit, &key.model_tpm_limit))
    }

    fn of_scope(scope: &ScopeSettings) -> Self {
        let requests = (scope.rpm_limit, &scope.model_rpm_limit);
        Self::new(&scope.extra, requests, (scope.tpm_limit, &scope.model_tpm_limit))
    }

    fn new(extra: &JsonMap, requests: (Option<i64>, &JsonMap), tokens: (Option<i64>, &JsonMap)) -> Self {
        let rate = |said: &str, (limit, by_model): (Option<i64>, &JsonMap)| Rate {
            limit,
            by_model: by_model.clone(),
            is_guaranteed: extra.get(said).and_then(Value::as_str) == Some(GUARANTEED),
        };
        Self([rate("rpm_limit_type", requests), rate("tpm_limit_type", tokens)])
    }

    fn are_guaranteed(&self) -> bool {
        self.0.iter().any(|rate| rate.is_guaranteed)
    }

    /// Sees that the rates of somebody new have room beside those of others.
    fn fit(&self, who: &str, others: &[Self], (giver, whole): (&str, &Self)) -> Result<(), Refusal> {
        for (index, word) in ["RPM", "TPM"].into_iter().enumerate() {
            let (asked, whole) = (&self.0[index], &whole.0[index]);
            let all = Shares { word, who, giver, of: String::new() };
            let guaranteed = asked.is_guaranteed;
            let taken = others.iter().filter_map(|other| other.0[index].limit);
            all.fit(taken, asked.limit.filter(|_| guaranteed), whole.limit)?;
            for (model, said) in asked.by_model.iter().filter(|_| guaranteed) {
                let limit = |rate: &Rate| rate.by_model.get(model).and_then(Value::as_i64);
                let shares = Shares { of: format!(" for model={model}"), ..all };
                let taken = others.iter().filter_map(|other| limit(&other.0[index]));
                shares.fit(taken, said.as_i64(), limit(whole))?;
            }
        }
        Ok(())
    }
}

/// The words of a refusal.
#[derive(Clone)]
struct Shares<'a> {
    word: &'a str,
    who: &'a str,
    giver: &'a str,
    of: String,
}

impl Shares<'_> {
    fn fit(
        &self,
        taken: impl Iterator<Item = i64>,
        asked: Option<i64>,
        whole: Option<i64>,
    ) -> Result<(), Refusal> {
        let (Some(asked), Some(whole)) = (asked, whole) else { return Ok(()) };
        let taken = taken.fold(0_i64, i64::saturating_add);
        if taken.saturating_add(asked) <= whole {
            return Ok(());
        }
        let Self { word, who, giver, of } = self;
        let message = format!(
            "Allocated {word} limit={taken} + {who} {word} limit={asked} is greater than {giver} {word} limit={whole}{of}"
        );
        let field = format!("{}_limit", word.to_lowercase());
        Err(Refusal::about(ErrorKind::BadRequest, "bad_request_error", &field, message))
    }
}

impl Job {
    /// Sees that the team of a key, else its organisation, has room for rates that are to be the key's alone. `own`
    /// is the key where it is there already.
    ///
    /// # Errors
    /// With LiteLLM's words, where more would be given than there is.
    pub(super) async fn check_key_rates(
        &self,
        becomes: &KeySettings,
        own: Option<&KeyHash>,
    ) -> Result<(), Refusal> {
        let rates = Rates::of_key(becomes);
        if !rates.are_guaranteed() {
            return Ok(());
        }
        match (&becomes.team_id, &becomes.organization_id) {
            (Some(team), _) => {
                let Some(whole) = self.db.scope(&ScopeId::new(ScopeKind::Team, team)).await? else {
                    return Ok(());
                };
                let query = KeyQuery { team_id: Some(team.clone()), ..KeyQuery::default() };
                let mut others = self.all_keys(query).await?;
                others.retain(|key| Some(&key.hash) != own);
                let others: Vec<Rates> = others.iter().map(|key| Rates::of_key(&key.settings)).collect();
                rates.fit("Key", &others, ("team", &Rates::of_scope(&whole.settings)))
            }
            (None, Some(organization)) => {
                self.fit_organization(("Key", &rates), organization, (own, None)).await
            }
            (None, None) => Ok(()),
        }
    }

    /// The same for a team and its organisation; what it had before is not looked at again.
    ///
    /// # Errors
    /// As [`Job::check_key_rates`].
    pub(super) async fn check_team_rates(
        &self,
        own: &str,
        becomes: &ScopeSettings,
        was: &ScopeSettings,
    ) -> Result<(), Refusal> {
        let rates = Rates::of_scope(becomes);
        let is_new = was.organization_id != becomes.organization_id || Rates::of_scope(was) != rates;
        match &becomes.organization_id {
            Some(organization) if is_new && rates.are_guaranteed() => {
                self.fit_organization(("Team", &rates), organization, (None, Some(own))).await
            }
            _ => Ok(()),
        }
    }

    /// An organisation gives rates to its teams, and to its keys that are no team's.
    async fn fit_organization(
        &self,
        (who, rates): (&str, &Rates),
        organization: &str,
        (key, team): (Option<&KeyHash>, Option<&str>),
    ) -> Result<(), Refusal> {
        let Some(whole) = self.db.scope(&ScopeId::new(ScopeKind::Organization, organization)).await? else {
            return Ok(());
        };
        let of = Some(organization.to_owned());
        let query = ScopeQuery { organization_id: of.clone(), ..ScopeQuery::of(ScopeKind::Team) };
        let mut teams = self.db.list_scopes(&query).await?.items;
        teams.retain(|other| Some(&*other.id.id) != team);
        let mut keys = self.all_keys(KeyQuery { organization_id: of, ..KeyQuery::default() }).await?;
        keys.retain(|other| Some(&other.hash) != key && other.settings.team_id.is_none());
        let teams = teams.iter().map(|team| Rates::of_scope(&team.settings));
        let keys = keys.iter().map(|key| Rates::of_key(&key.settings));
        let others: Vec<Rates> = teams.chain(keys).collect();
        rates.fit(who, &others, ("organization", &Rates::of_scope(&whole.settings)))
    }
}
