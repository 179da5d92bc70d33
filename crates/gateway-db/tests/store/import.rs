//! A real LiteLLM database comes over: every key, team, user, customer, budget and figure of the sample.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use gateway_db::{
    Db, DbErrorKind, DbOptions, EntryKind, ImportOptions, KeyRecord, PageRequest, ReportQuery, ScopeId,
    ScopeKind, ScopeRecord, Seal, SpendQuery, SpendRow, ToolsQuery,
};
use llm_types::{KeyHash, Money, Secret};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{on_each, postgres, sqlite};

const NOW: i64 = 1_795_000_000_000;

/// A sample loaded into a fresh database, and what is true of it; says so where there is none.
async fn sample(name: &str) -> Option<(Db, Value)> {
    let root = std::env::var_os("GATEWAY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("litellm-db");
    if !folder.is_dir() {
        eprintln!("skipped: no sample of a LiteLLM database at {}", folder.display());
        return None;
    }
    let url = postgres::fresh_database().await?;
    let dump = Command::new("zcat").arg(folder.join(format!("sample{name}.sql.gz"))).output().unwrap();
    let sql = String::from_utf8(dump.stdout).unwrap();
    let loader = sea_orm::Database::connect(&url).await.unwrap();
    loader.execute_unprepared(&sql).await.unwrap();
    loader.close().await.unwrap();
    let truth = std::fs::read(folder.join(format!("truth{name}.json"))).unwrap();
    let db = Db::connect(&url, &DbOptions::default()).await.unwrap();
    Some((db, serde_json::from_slice(&truth).unwrap()))
}

fn list<'a>(truth: &'a Value, name: &str) -> &'a [Value] {
    truth[name].as_array().unwrap()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn money(value: &Value) -> Option<Money> {
    value.as_f64().map(Money::from_usd)
}

fn time(value: &Value) -> Option<i64> {
    let at: jiff::civil::DateTime = value.as_str()?.trim_end_matches('Z').parse().unwrap();
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond())
}

async fn scope(db: &Db, id: ScopeId) -> ScopeRecord {
    db.scope(&id).await.unwrap().unwrap_or_else(|| panic!("{id:?} did not come over"))
}

#[tokio::test]
async fn the_samples_come_over_whole_and_once() {
    for name in ["", "-gcm"] {
        let Some((source, truth)) = sample(name).await else { return };
        on_each(async |fresh| {
            let db = &fresh.db;
            let salt = truth["salt_key"].as_str().or(truth["master_key"].as_str()).unwrap();
            let options =
                ImportOptions { salt: Some(Secret::new(salt.to_owned())), ..ImportOptions::default() };
            let dry = ImportOptions { dry_run: true, ..options.clone() };
            let rehearsal = db.import_litellm(&source, dry, NOW).await.unwrap();
            assert_eq!(rehearsal.problems, Vec::<String>::new());
            assert_eq!(rehearsal.not_carried.get("LiteLLM_VerificationToken.auto_rotate"), Some(&1));
            assert_eq!(db.all_keys().await.unwrap().keys, [], "a rehearsal writes nothing");

            let before = db.scopes_changed_since(None).await.unwrap().version;
            let entries_before = db.entries_version().await.unwrap();
            let report = db.import_litellm(&source, options.clone(), NOW).await.unwrap();
            assert_eq!(report, rehearsal);
            assert!(db.entries_version().await.unwrap() > entries_before, "replicas hear of them");
            assert!(db.scopes_changed_since(None).await.unwrap().version > before, "replicas hear of it");
            keys(db, &truth).await;
            teams(db, &truth).await;
            owners(db, &truth).await;
            entries(db, &truth, &Seal::new(salt).unwrap()).await;

            let again = db.import_litellm(&source, options, NOW).await.unwrap();
            assert!(again.tables.values().all(|table| table.written == 0), "{:?}", again.tables);
            for (table, first) in &report.tables {
                assert_eq!(again.tables[table].present, first.written + first.present, "{table}");
            }
        })
        .await;
    }
}

async fn entries(db: &Db, truth: &Value, seal: &Seal) {
    let found = db.entries(seal).await.unwrap();
    assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
    let (models, credentials) = (list(truth, "models"), list(truth, "credentials"));
    assert_eq!(found.entries.len(), models.len() + credentials.len());
    for expected in models {
        let id = expected["model_id"].as_str().unwrap();
        let entry = db.entry(EntryKind::Model, id, seal).await.unwrap().unwrap();
        assert_eq!(entry.name, expected["model_name"], "{id}");
        assert_eq!(entry.blocked, expected["blocked"], "{id}");
        let mut params = expected["litellm_params"].as_object().unwrap().clone();
        params.retain(|_, value| *value != json!(false));
        let mut secret = entry.secret;
        secret.retain(|_, value| *value != json!(false));
        assert_eq!(secret, params, "{id}");
        let mut info = expected["model_info_in_row"].as_object().unwrap().clone();
        info.retain(|name, _| name != "id" && name != "db_model");
        assert_eq!(entry.info, info, "{id}");
    }
    for expected in credentials {
        let name = expected["credential_name"].as_str().unwrap();
        let entry = db.entry(EntryKind::Credential, name, seal).await.unwrap().unwrap();
        assert_eq!(json!(entry.secret), expected["credential_values"], "{name}");
        assert_eq!(json!(entry.info), expected["credential_info"], "{name}");
    }
}

#[tokio::test]
async fn calls_of_the_spend_log_come_over_on_request() {
    for name in ["", "-gcm"] {
        let Some((source, truth)) = sample(name).await else { return };
        let tables = truth["table_rows"].clone();
        let truth = &truth["spend_logs"];
        let rows = truth["rows"].as_u64().unwrap();
        on_each(async |fresh| {
            let db = &fresh.db;
            let without = db.import_litellm(&source, ImportOptions::default(), NOW).await.unwrap();
            assert_eq!(without.not_carried["LiteLLM_SpendLogs"], rows, "they stay unless asked for");
            let options = ImportOptions { spend_logs: true, ..ImportOptions::default() };
            let dry = ImportOptions { dry_run: true, ..options.clone() };
            let rehearsal = db.import_litellm(&source, dry, NOW).await.unwrap();
            assert_eq!(calls(db).await, []);
            let report = db.import_litellm(&source, options.clone(), NOW).await.unwrap();
            assert_eq!(report, rehearsal);
            let table = report.tables["LiteLLM_SpendLogs"];
            assert_eq!((table.read, table.written, table.present), (rows, rows, 0));
            assert!(!report.not_carried.contains_key("LiteLLM_SpendLogs"));
            assert!(report.not_carried.keys().any(|name| name.starts_with("LiteLLM_SpendLogs.metadata.")));
            same_calls(&calls(db).await, truth);
            same_sums(db, truth).await;
            same_tools(db, &tables).await;

            let again = db.import_litellm(&source, options, NOW).await.unwrap();
            let table = again.tables["LiteLLM_SpendLogs"];
            assert_eq!((table.written, table.present), (0, rows));
            same_sums(db, truth).await;
        })
        .await;
    }
}

/// The tools that calls invoked came over with them, into rows and sums.
async fn same_tools(db: &Db, tables: &Value) {
    let named = calls(db).await.into_iter().filter_map(|call| Some((call.tools?, call.cost)));
    let rows: Vec<(Vec<String>, Option<Money>)> =
        named.map(|(tools, cost)| (serde_json::from_str(&tools).unwrap(), cost)).collect();
    let count: usize = rows.iter().map(|(tools, _)| tools.len()).sum();
    assert_eq!(count as u64, tables["LiteLLM_SpendLogToolIndex"].as_u64().unwrap_or_default());
    let cost: i64 = rows.iter().map(|(tools, cost)| cost.map_or(0, |cost| cost.0) * tools.len() as i64).sum();
    let query = ToolsQuery { from_day: 0, to_day: NOW / 86_400_000 + 365, most: 100 };
    let sums = db.spend_by_tool(&query).await.unwrap();
    assert_eq!(sums.iter().map(|sum| sum.cost.0).sum::<i64>(), cost);
    assert_eq!(sums.iter().map(|sum| sum.calls).sum::<i64>(), i64::try_from(count).unwrap());
}

async fn calls(db: &Db) -> Vec<SpendRow> {
    let page = PageRequest { page: 1, size: 1_000 };
    db.spend_rows(&SpendQuery { page, ..SpendQuery::default() }).await.unwrap().items
}

/// Every figure of the log by every owner.
fn same_calls(calls: &[SpendRow], truth: &Value) {
    type Owner = fn(&SpendRow) -> String;
    let owners: [(&str, Owner); 4] = [
        ("by_api_key", |call| call.key.as_ref().map(|key| key.as_str().to_owned()).unwrap_or_default()),
        ("by_team", |call| call.team_id.clone().unwrap_or_default()),
        ("by_user", |call| call.user_id.clone().unwrap_or_default()),
        ("by_end_user", |call| call.end_user.clone().unwrap_or_default()),
    ];
    for (name, owner) in owners {
        let mut sums: BTreeMap<String, Money> = BTreeMap::new();
        for call in calls {
            *sums.entry(owner(call)).or_default() += call.cost.unwrap();
        }
        // Owners of refused calls alone are not all told of.
        let expected = truth[name].as_object().unwrap();
        for (id, sum) in &sums {
            let told = Money::from_usd(expected.get(id).and_then(Value::as_f64).unwrap_or(0.0));
            assert!((sum.0 - told.0).abs() <= 50, "{name} {id}: {sum} is not {told}");
        }
        assert!(expected.keys().all(|id| sums.contains_key(id)), "{name}");
    }
    for (status, count) in truth["by_status"].as_object().unwrap() {
        let outcome = if status == "failure" { "failed" } else { "completed" };
        let found = calls.iter().filter(|call| call.outcome == outcome).count();
        assert_eq!(found as u64, count.as_u64().unwrap(), "{status}");
    }
    assert!(
        calls.iter().all(|call| call.metadata.as_deref().is_some_and(|text| text.contains("\"litellm\"")))
    );
}

/// What reports read is what the log holds.
async fn same_sums(db: &Db, truth: &Value) {
    let sums = db.spend_report(&ReportQuery::default()).await.unwrap()[0].sums;
    assert_eq!(sums.requests.unsigned_abs(), truth["rows"].as_u64().unwrap());
    let off = sums.cost.0 - Money::from_usd(truth["total_spend"].as_f64().unwrap()).0;
    assert!(off.abs() <= 200, "{}", sums.cost);
    let prompts: i64 = truth["by_model_group"]
        .as_object()
        .unwrap()
        .values()
        .map(|of| of["prompt_tokens"].as_i64().unwrap())
        .sum();
    assert_eq!(sums.input_tokens, prompts);
}

#[tokio::test]
async fn without_the_right_salt_what_is_sealed_does_not_come_over() {
    let Some((source, _)) = sample("").await else { return };
    on_each(async |fresh| {
        let db = &fresh.db;
        let wrong =
            ImportOptions { salt: Some(Secret::new("sk-wrong".to_owned())), ..ImportOptions::default() };
        for (options, words) in [(ImportOptions::default(), "--salt-key"), (wrong, "cannot be opened")] {
            let report = db.import_litellm(&source, options, NOW).await.unwrap();
            assert_eq!(report.problems.len(), 24, "19 models and 5 credentials");
            assert!(report.problems.iter().all(|problem| problem.contains(words)), "{:?}", report.problems);
        }
        assert!(db.entries(&Seal::new("sk-wrong").unwrap()).await.unwrap().entries.is_empty());
    })
    .await;
}

async fn keys(db: &Db, truth: &Value) {
    let living = db.all_keys().await.unwrap().keys.len();
    let (known, others) = (list(truth, "keys"), list(truth, "other_key_rows"));
    assert_eq!(living, known.len() + others.len());
    for expected in known {
        let hash = KeyHash::from(expected["token"].as_str().unwrap().to_owned());
        let key = db.key_by_hash(&hash).await.unwrap().unwrap();
        let label = &expected["label"];
        same_key(&key, &expected["expect"], label);
        assert_eq!(Some(key.spend), money(&expected["spend_in_row"]), "{label}");
        assert_eq!(Some(key.total_spend), money(&expected["total_spend_in_row"]), "{label}");
    }
    for gone in list(truth, "deleted_keys") {
        let hash = KeyHash::from(gone["token"].as_str().unwrap().to_owned());
        assert_eq!(db.key_by_hash(&hash).await.unwrap(), None);
    }
}

fn same_key(key: &KeyRecord, expect: &Value, label: &Value) {
    let settings = &key.settings;
    assert_eq!(settings.models, texts(&expect["models"]), "{label}");
    assert_eq!(json!(settings.aliases), expect["aliases"], "{label}");
    assert_eq!(settings.max_budget, money(&expect["max_budget"]), "{label}");
    assert_eq!(settings.budget_duration, text(&expect["budget_duration"]), "{label}");
    assert_eq!(settings.budget_reset_at, time(&expect["budget_reset_at"]), "{label}");
    assert_eq!(settings.expires_at, time(&expect["expires"]), "{label}");
    for (have, name) in [
        (settings.rpm_limit, "rpm_limit"),
        (settings.tpm_limit, "tpm_limit"),
        (settings.tpd_limit, "tpd_limit"),
        (settings.max_parallel_requests, "max_parallel_requests"),
    ] {
        assert_eq!(have, expect[name].as_i64(), "{label}: {name}");
    }
    assert_eq!(settings.blocked, expect["blocked"] == true, "{label}");
    for (have, name) in [
        (&settings.team_id, "team_id"),
        (&settings.user_id, "user_id"),
        (&settings.alias, "key_alias"),
        (&settings.key_type, "key_type"),
        (&key.name, "key_name"),
    ] {
        assert_eq!(*have, text(&expect[name]), "{label}: {name}");
    }
    assert_eq!(settings.allowed_routes, texts(&expect["allowed_routes"]), "{label}");
    assert_eq!(settings.access_group_ids, texts(&expect["access_group_ids"]), "{label}");
    for name in ["budget_id", "budget_limits"] {
        assert_eq!(settings.extra.get(name).unwrap_or(&Value::Null), &expect[name], "{label}: {name}");
    }
    assert_eq!(names(&json!(settings.metadata)), names(&expect["metadata"]), "{label}");
}

/// Values of callbacks in metadata stay encrypted, so names are compared.
fn names(map: &Value) -> Vec<String> {
    map.as_object().unwrap().keys().cloned().collect()
}

async fn teams(db: &Db, truth: &Value) {
    for expected in list(truth, "teams") {
        let id = expected["team_id"].as_str().unwrap();
        let team = scope(db, ScopeId::new(ScopeKind::Team, id)).await;
        let settings = &team.settings;
        assert_eq!(settings.alias, text(&expected["team_alias"]), "{id}");
        assert_eq!(settings.models, texts(&expected["models"]), "{id}");
        assert_eq!(settings.max_budget, money(&expected["max_budget"]), "{id}");
        assert_eq!(settings.soft_budget, money(&expected["soft_budget"]), "{id}");
        assert_eq!(settings.budget_reset_at, time(&expected["budget_reset_at"]), "{id}");
        assert_eq!(settings.tpm_limit, expected["tpm_limit"].as_i64(), "{id}");
        assert_eq!(settings.blocked, expected["blocked"] == true, "{id}");
        assert_eq!(names(&json!(settings.metadata)), names(&expected["metadata"]), "{id}");
        let aliases = settings.extra.get("model_aliases").unwrap_or(&Value::Null);
        assert_eq!(aliases, &expected["model_aliases"], "{id}");
        assert_eq!(Some(team.spend), money(&expected["spend_in_row"]), "{id}");
        for member in list(expected, "members_with_roles") {
            let user = member["user_id"].as_str().unwrap();
            let member_of = scope(db, ScopeId::member(ScopeKind::TeamMember, id, user)).await;
            assert_eq!(member_of.settings.role, text(&member["role"]), "{user} in {id}");
        }
        for member in list(expected, "memberships") {
            let user = member["user_id"].as_str().unwrap();
            let member_of = scope(db, ScopeId::member(ScopeKind::TeamMember, id, user)).await;
            assert_eq!(Some(member_of.spend), money(&member["spend"]), "{user} in {id}");
            assert_eq!(member_of.settings.budget_id, text(&member["budget_id"]), "{user} in {id}");
        }
    }
}

async fn owners(db: &Db, truth: &Value) {
    for expected in list(truth, "users") {
        let id = expected["user_id"].as_str().unwrap();
        let user = scope(db, ScopeId::new(ScopeKind::User, id)).await;
        assert_eq!(user.settings.email, text(&expected["user_email"]), "{id}");
        assert_eq!(user.settings.role, text(&expected["user_role"]), "{id}");
        assert_eq!(user.settings.max_budget, money(&expected["max_budget"]), "{id}");
        assert_eq!(user.settings.rpm_limit, expected["rpm_limit"].as_i64(), "{id}");
        assert_eq!(Some(user.spend), money(&expected["spend_in_row"]), "{id}");
        let hash = db.password(id).await.unwrap();
        assert_eq!(hash.is_some(), !expected["password"].is_null(), "{id}");
        assert!(!user.settings.extra.contains_key("password"), "{id}: hashes are kept apart");
        for team in texts(&expected["teams"]) {
            scope(db, ScopeId::member(ScopeKind::TeamMember, team, id)).await;
        }
    }
    for expected in list(truth, "customers") {
        let id = expected["user_id"].as_str().unwrap();
        let customer = scope(db, ScopeId::new(ScopeKind::Customer, id)).await;
        assert_eq!(customer.settings.budget_id, text(&expected["budget_id"]), "{id}");
        assert_eq!(customer.settings.blocked, expected["blocked"] == true, "{id}");
        assert_eq!(Some(customer.spend), money(&expected["spend_in_row"]), "{id}");
        let region = customer.settings.extra.get("allowed_model_region").unwrap_or(&Value::Null);
        assert_eq!(region, &expected["allowed_model_region"], "{id}");
    }
    for expected in list(truth, "budgets") {
        let id = expected["budget_id"].as_str().unwrap();
        let budget = scope(db, ScopeId::new(ScopeKind::Budget, id)).await;
        assert_eq!(budget.settings.max_budget, money(&expected["max_budget"]), "{id}");
        assert_eq!(budget.settings.soft_budget, money(&expected["soft_budget"]), "{id}");
        assert_eq!(budget.settings.budget_reset_at, time(&expected["budget_reset_at"]), "{id}");
        assert_eq!(budget.settings.rpm_limit, expected["rpm_limit"].as_i64(), "{id}");
    }
    for expected in list(&truth["access_groups"], "unified") {
        let id = expected["access_group_id"].as_str().unwrap();
        let group = scope(db, ScopeId::new(ScopeKind::AccessGroup, id)).await;
        assert_eq!(group.settings.models, texts(&expected["access_model_names"]), "{id}");
    }
    for expected in list(truth, "tags") {
        let id = expected["tag_name"].as_str().unwrap();
        let tag = scope(db, ScopeId::new(ScopeKind::Tag, id)).await;
        assert_eq!(tag.settings.budget_id, text(&expected["budget_id"]), "{id}");
        assert_eq!(Some(tag.spend), money(&expected["spend"]), "{id}");
    }
}

#[tokio::test]
async fn what_is_no_litellm_database_is_refused() {
    let fresh = sqlite().await;
    let error = fresh.db.import_litellm(&fresh.db, ImportOptions::default(), NOW).await.expect_err("SQLite");
    assert_eq!(error.kind(), DbErrorKind::BadUrl, "{error}");
    let Some(url) = postgres::fresh_database().await else { return };
    let empty = Db::connect(&url, &DbOptions::default()).await.unwrap();
    let error = fresh.db.import_litellm(&empty, ImportOptions::default(), NOW).await.expect_err("empty");
    assert_eq!(error.kind(), DbErrorKind::Schema, "{error}");
    assert!(error.to_string().contains("LiteLLM_"), "{error}");
}
