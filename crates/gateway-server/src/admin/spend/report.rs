//! `/global/spend/report`: what teams or customers spent each day, or what keys spent in all, model by model.
//! The answers have LiteLLM's forms, and are written down from the rows as they are: there are tens of thousands.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use gateway_db::{KeyQuery, ReportRow, ScopeKind, ScopeQuery, SpendBy};
use llm_types::Money;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::super::days;
use super::super::job::{Job, written};
use super::super::refusal::Refusal;
use super::{narrowed, sums_where};

/// Answers with the report.
pub(super) async fn run(job: &Job) -> Result<Vec<u8>, Refusal> {
    let group = job.param("group_by");
    let group = group.as_deref().unwrap_or("team");
    if !matches!(group, "team" | "customer" | "api_key") {
        let message = "Input should be 'team', 'customer' or 'api_key'";
        return Err(Refusal::Fields(vec![Refusal::field("enum", "group_by", message, &json!(group))]));
    }
    days::both(job)?;
    match (group, job.param("team_id"), job.param("customer_id")) {
        _ if job.param("api_key").is_some() || job.param("internal_user_id").is_some() => keys(job).await,
        (_, Some(team), Some(customer)) => team_and_customer(job, &team, customer).await,
        ("api_key", ..) => keys(job).await,
        ("customer", _, customer) => {
            let only = customer.map(|id| (SpendBy::Scope, vec![id]));
            let rows = per_day(job, Some(ScopeKind::Customer), SpendBy::Scope, only).await?;
            written(&by_day(&rows, "customers", |id| Whose::Customer { customer: id }))
        }
        _ => {
            let names = team_names(job).await?;
            let rows = per_day(job, None, SpendBy::Team, None).await?;
            let name = |id| Whose::Team { team_name: names.get(id).map_or(NO_TEAM, String::as_str) };
            written(&by_day(&rows, "teams", name))
        }
    }
}

/// How LiteLLM names what belongs to no team that there is.
const NO_TEAM: &str = "Unassigned Team";

/// The names of teams.
async fn team_names(job: &Job) -> Result<HashMap<String, String>, Refusal> {
    let teams = job.db.list_scopes(&ScopeQuery::of(ScopeKind::Team)).await?.items;
    let named = teams.into_iter().map(|team| {
        let name = team.settings.alias.unwrap_or_else(|| team.id.id.clone());
        (team.id.id, name)
    });
    Ok(named.collect())
}

type Only = Option<(SpendBy, Vec<String>)>;

/// Days, then whose, model and key; the first day first.
async fn per_day(
    job: &Job,
    of: Option<ScopeKind>,
    whose: SpendBy,
    only: Only,
) -> Result<Vec<ReportRow>, Refusal> {
    let mut narrow = narrowed(job, of).await?;
    narrow.extend(only);
    let mut rows = sums_where(job, of, &[SpendBy::Day, whose, SpendBy::Model, SpendBy::Key], narrow).await?;
    in_order(&mut rows);
    Ok(rows)
}

/// The first day first, and of a day the dearest.
fn in_order(rows: &mut [ReportRow]) {
    rows.sort_by_cached_key(|row| (row.names[0].parse::<i64>().unwrap_or(0), Reverse(row.sums.cost)));
}

/// What a customer spent with the keys of a team.
async fn team_and_customer(job: &Job, team: &str, customer: String) -> Result<Vec<u8>, Refusal> {
    let keys = job.all_keys(KeyQuery { team_id: Some(team.to_owned()), ..KeyQuery::default() }).await?;
    let keys = keys.iter().map(|key| key.hash.to_string()).collect();
    let by = [SpendBy::Day, SpendBy::Scope, SpendBy::Model, SpendBy::Key];
    let narrow = vec![(SpendBy::Scope, vec![customer]), (SpendBy::Key, keys)];
    let mut rows = sums_where(job, Some(ScopeKind::Customer), &by, narrow).await?;
    in_order(&mut rows);
    let names = team_names(job).await?;
    let team_name = names.get(team).map_or(NO_TEAM, String::as_str);
    let whose = |customer| Whose::Both { team_name, customer };
    written(&by_day(&rows, "teams_customers", whose))
}

/// Rows of days, each day once.
fn by_day<'r>(
    rows: &'r [ReportRow],
    list: &'static str,
    whose: impl Fn(&'r str) -> Whose<'r>,
) -> Vec<OfDay<'r>> {
    let of_day = |rows: &'r [ReportRow]| {
        let mut spent: BTreeMap<&str, Vec<&ReportRow>> = BTreeMap::new();
        rows.iter().for_each(|row| spent.entry(&row.names[1]).or_default().push(row));
        let spent = spent.into_iter().map(|(id, rows)| Spent {
            whose: whose(id),
            total_spend: total(&rows),
            metadata: Uses(rows),
        });
        let group_by_day = format!("{}T00:00:00+00:00", days::text(&rows[0].names[0]));
        OfDay { group_by_day, list, spent: spent.collect() }
    };
    rows.chunk_by(|one, other| one.names[0] == other.names[0]).map(of_day).collect()
}

fn total(rows: &[&ReportRow]) -> f64 {
    rows.iter().map(|row| row.sums.cost).fold(Money::ZERO, |sum, cost| sum + cost).as_usd()
}

/// A day, and what was spent in it in a list of this name.
struct OfDay<'r> {
    group_by_day: String,
    list: &'static str,
    spent: Vec<Spent<'r>>,
}

impl Serialize for OfDay<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(2))?;
        map.serialize_entry("group_by_day", &self.group_by_day)?;
        map.serialize_entry(self.list, &self.spent)?;
        map.end()
    }
}

struct Spent<'r> {
    whose: Whose<'r>,
    total_spend: f64,
    metadata: Uses<'r>,
}

enum Whose<'r> {
    Team { team_name: &'r str },
    Customer { customer: &'r str },
    Both { team_name: &'r str, customer: &'r str },
}

impl Serialize for Spent<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if let Whose::Team { team_name } | Whose::Both { team_name, .. } = self.whose {
            map.serialize_entry("team_name", team_name)?;
        }
        if let Whose::Customer { customer } | Whose::Both { customer, .. } = self.whose {
            map.serialize_entry("customer", customer)?;
        }
        map.serialize_entry("total_spend", &self.total_spend)?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.end()
    }
}

/// What each model cost each key.
struct Uses<'r>(Vec<&'r ReportRow>);

#[derive(Serialize)]
struct Use<'r> {
    model: &'r str,
    api_key: &'r str,
    spend: f64,
    total_tokens: i64,
}

impl Serialize for Uses<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|row| Use {
            model: &row.names[2],
            api_key: &row.names[3],
            spend: row.sums.cost.as_usd(),
            total_tokens: row.sums.input_tokens + row.sums.output_tokens,
        }))
    }
}

/// What keys spent in all of the range, the dearest first.
async fn keys(job: &Job) -> Result<Vec<u8>, Refusal> {
    let mut narrow = narrowed(job, None).await?;
    narrow.extend(job.param("internal_user_id").map(|id| (SpendBy::User, vec![id])));
    let mut rows = sums_where(job, None, &[SpendBy::Key, SpendBy::Model], narrow).await?;
    rows.sort_by_key(|row| Reverse(row.sums.cost));
    let mut keys: Vec<OfKey<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for row in &rows {
        let [key, model] = row.names.as_slice() else { continue };
        let place = *places.entry(key).or_insert(keys.len());
        if place == keys.len() {
            keys.push(OfKey {
                api_key: key,
                cost: Money::ZERO,
                figures: Figures::default(),
                model_details: Vec::new(),
            });
        }
        let Some(of_key) = keys.get_mut(place) else { continue };
        let (input, output) = (row.sums.input_tokens, row.sums.output_tokens);
        of_key.cost += row.sums.cost;
        of_key.figures.total_input_tokens += input;
        of_key.figures.total_output_tokens += output;
        of_key.figures.total_cost = of_key.cost.as_usd();
        let figures = Figures {
            total_cost: row.sums.cost.as_usd(),
            total_input_tokens: input,
            total_output_tokens: output,
        };
        of_key.model_details.push(OfModel { model, figures });
    }
    keys.sort_by_key(|key| Reverse(key.cost));
    written(&keys)
}

#[derive(Serialize)]
struct OfKey<'r> {
    api_key: &'r str,
    #[serde(skip)]
    cost: Money,
    #[serde(flatten)]
    figures: Figures,
    model_details: Vec<OfModel<'r>>,
}

#[derive(Serialize)]
struct OfModel<'r> {
    model: &'r str,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Default, Serialize)]
struct Figures {
    total_cost: f64,
    total_input_tokens: i64,
    total_output_tokens: i64,
}
