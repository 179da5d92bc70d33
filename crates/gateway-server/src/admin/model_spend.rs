//! What keys, teams and users spent by model, as their rows show it (`model_spend`): from the daily sums, as far as
//! they are shipped.

use std::collections::HashMap;

use gateway_db::{ReportQuery, SpendBy};
use llm_types::Money;
use serde_json::{Map, Value, json};

use super::job::Job;
use super::refusal::Refusal;
use crate::identity::{For, PartSpec};

/// How many are asked for in one statement: databases bound the values of one.
const AT_ONCE: usize = 500;

impl Job {
    /// Tells rows what was spent by model. `id` is the member that names whose row it is; one that spent nothing keeps
    /// what it says.
    pub(super) async fn tell_models(&self, by: SpendBy, id: &str, rows: &mut [Value]) -> Result<(), Refusal> {
        for rows in rows.chunks_mut(AT_ONCE) {
            let ids = rows.iter().filter_map(|row| row[id].as_str().map(str::to_owned)).collect();
            let mut spent = self.spent_by_model(by, ids).await?;
            for row in rows {
                if let Some(models) = row[id].as_str().and_then(|id| spent.remove(id)) {
                    row["model_spend"] = Value::Object(models);
                }
            }
        }
        Ok(())
    }

    /// The same of one row.
    pub(super) async fn with_models(
        &self,
        by: SpendBy,
        id: &str,
        row: Map<String, Value>,
    ) -> Result<Value, Refusal> {
        let mut rows = [Value::Object(row)];
        self.tell_models(by, id, &mut rows).await?;
        let [row] = rows;
        Ok(row)
    }

    /// What is spent of the budgets by model of a key or a scope, in their present periods
    /// (`model_max_budget_usage`).
    pub(super) async fn model_budgets_spent(
        &self,
        owner: &str,
        parts: Vec<PartSpec>,
    ) -> Result<Value, Refusal> {
        let mut usage = Map::new();
        for part in parts {
            let (For::Model(model), Some(max)) = (&part.of, part.limits.max_budget) else { continue };
            let stored = self.db.scope(&part.id(owner)).await?;
            let spent = stored.map_or(Money::ZERO, |stored| self.spent(&stored));
            let entry = json!({
                "current_spend": spent.as_usd(),
                "budget_limit": max.as_usd(),
                "time_period": part.period,
            });
            usage.insert(model.clone(), entry);
        }
        Ok(Value::Object(usage))
    }

    /// What is spent of the further periods of a budget (`budget_limits_usage`).
    pub(super) async fn periods_spent(
        &self,
        owner: &str,
        parts: Vec<PartSpec>,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut usage = Map::new();
        for part in parts {
            let (For::All, Some(period)) = (&part.of, &part.period) else { continue };
            let stored = self.db.scope(&part.id(owner)).await?;
            let spent = stored.map_or(Money::ZERO, |stored| self.spent(&stored));
            usage.insert(period.clone(), json!({ "current_spend": spent.as_usd() }));
        }
        Ok(usage)
    }

    async fn spent_by_model(
        &self,
        by: SpendBy,
        ids: Vec<String>,
    ) -> Result<HashMap<String, Map<String, Value>>, Refusal> {
        let mut spent: HashMap<String, Map<String, Value>> = HashMap::new();
        if ids.is_empty() {
            return Ok(spent);
        }
        let query = ReportQuery {
            only: vec![(by, ids)],
            by: vec![by, SpendBy::Model, SpendBy::ModelGroup],
            brief: true,
            ..ReportQuery::default()
        };
        for row in self.db.spend_report(&query).await? {
            let [whose, model, group] = row.names.as_slice() else { continue };
            let usd = row.sums.cost.as_usd();
            if usd == 0.0 {
                continue;
            }
            let name = if model.is_empty() { group } else { model };
            let models = spent.entry(whose.clone()).or_default();
            let before = models.get(name).and_then(Value::as_f64).unwrap_or_default();
            models.insert(name.clone(), json!(before + usd));
        }
        Ok(spent)
    }
}
