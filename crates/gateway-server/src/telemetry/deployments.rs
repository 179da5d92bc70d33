//! What is counted of deployments attempt by attempt, under LiteLLM's names (surface §7.5 and §11.4): failures, rests
//! and fallbacks. All of it is written on the way of something that went wrong.

use std::collections::HashMap;
use std::fmt::Write as _;

use dashmap::DashMap;
use llm_router::{Deployment, ErrorClass, GroupError, Moment, Rest, Routes, error_status};
use llm_types::Error;

use super::metrics::{Family, Histogram, escaped};

/// Failures, rests and fallbacks since the start.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// By deployment, status and class of error.
    failures: DashMap<(String, u16, &'static str), u64>,
    /// By deployment, cause and status; status 0 where no answer was the reason.
    rests: DashMap<(String, &'static str, u16), u64>,
    /// By the model that was asked for, the one that was tried instead, why, and whether that one answered.
    fallbacks: DashMap<Fallback, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Fallback {
    asked: String,
    tried: String,
    status: u16,
    class: &'static str,
    answered: bool,
}

/// A deployment as it is at a scrape.
#[derive(Debug)]
pub(crate) struct Standing {
    id: String,
    /// The labels that say which it is.
    labels: String,
    /// Its group, as one more label.
    group: String,
    provider: String,
    /// LiteLLM's number: 0 well, 1 failing in part, 2 resting.
    state: u8,
    tpm: Option<u64>,
    rpm: Option<u64>,
}

/// How calls of a deployment ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Those that ended well.
    pub(super) well: u64,
    /// Those that their clients left.
    pub(super) left: u64,
    /// What each token of the answers took.
    pub(super) per_token: Histogram,
}

pub(super) const FAMILIES: [Family; 10] = [
    Family(STATE, "gauge", "Health of a deployment: 0 well, 1 failures this minute, 2 it rests."),
    Family(TOTAL, "counter", "Attempts at a deployment that ended."),
    Family(SUCCESS, "counter", "Attempts at a deployment that brought a whole answer."),
    Family(FAILURE, "counter", "Attempts at a deployment that failed, by status and class of error."),
    Family(PER_TOKEN, "histogram", "Seconds that a deployment took for each token of an answer."),
    Family(COOLED, "counter", "Rests of deployments, by cause and by the status of the last failure."),
    Family(FELL_WELL, "counter", "Fallbacks that answered, by what the group before failed with."),
    Family(FELL_BADLY, "counter", "Fallbacks that failed, too."),
    Family(TPM, "gauge", "Tokens per minute that a deployment is set to."),
    Family(RPM, "gauge", "Requests per minute that a deployment is set to."),
];

const STATE: &str = "litellm_deployment_state";
const TOTAL: &str = "litellm_deployment_total_requests_total";
const SUCCESS: &str = "litellm_deployment_success_responses_total";
const FAILURE: &str = "litellm_deployment_failure_responses_total";
const PER_TOKEN: &str = "litellm_deployment_latency_per_output_token";
const COOLED: &str = "litellm_deployment_cooled_down_total";
const FELL_WELL: &str = "litellm_deployment_successful_fallbacks_total";
const FELL_BADLY: &str = "litellm_deployment_failed_fallbacks_total";
const TPM: &str = "litellm_deployment_tpm_limit";
const RPM: &str = "litellm_deployment_rpm_limit";

impl Attempts {
    /// Counts an attempt that failed; what is the gateway's own is no failure of a deployment.
    pub(crate) fn failed(&self, deployment: &Deployment, error: &Error) {
        let class = ErrorClass::of(error);
        if class != ErrorClass::Ours {
            let key = (deployment.id.as_str().to_owned(), error_status(error), class.litellm_name());
            *self.failures.entry(key).or_default() += 1;
        }
    }

    /// Counts deployments that were sent to rest, and says so in the log.
    pub(crate) fn rest(&self, rests: &[Rest]) {
        for rest in rests {
            let (id, cause) = (rest.deployment.as_str(), rest.cause.as_str());
            let seconds = rest.time.as_secs_f64();
            tracing::info!(deployment = id, cause, status = rest.status, seconds, "a deployment rests");
            *self.rests.entry((id.to_owned(), cause, rest.status.unwrap_or(0))).or_default() += 1;
        }
    }

    /// Counts the fallbacks of a call: those that failed, and the one that answered if one did.
    pub(crate) fn fell_back(&self, errors: &[GroupError], answered: Option<&str>) {
        let Some((first, others)) = errors.split_first() else { return };
        let mut before = first;
        for other in others.iter().filter(|other| other.group != first.group) {
            self.fallback(first, before, &other.group, false);
            before = other;
        }
        if let Some(answered) = answered.filter(|answered| *answered != first.group) {
            self.fallback(first, before, answered, true);
        }
    }

    fn fallback(&self, first: &GroupError, before: &GroupError, tried: &str, answered: bool) {
        let fallback = Fallback {
            asked: first.group.clone(),
            tried: tried.to_owned(),
            status: error_status(&before.error),
            class: ErrorClass::of(&before.error).litellm_name(),
            answered,
        };
        *self.fallbacks.entry(fallback).or_default() += 1;
    }

    /// One family in Prometheus' text form.
    pub(super) fn write(
        &self,
        out: &mut String,
        name: &str,
        standing: &[Standing],
        ended: &HashMap<String, Ended>,
    ) {
        match name {
            COOLED => self.write_rests(out, standing),
            FELL_WELL | FELL_BADLY => self.write_fallbacks(out, name),
            _ => standing.iter().for_each(|one| self.write_one(out, name, one, ended)),
        }
    }

    fn write_one(&self, out: &mut String, name: &str, one: &Standing, ended: &HashMap<String, Ended>) {
        let Standing { id, labels, group, provider, .. } = one;
        let failures = || self.failures.iter().filter(|entry| entry.key().0 == *id);
        let ended = ended.get(id);
        let (well, left) = ended.map_or((0, 0), |ended| (ended.well, ended.left));
        if let Some(ended) = ended.filter(|ended| name == PER_TOKEN && !ended.per_token.is_empty()) {
            return ended.per_token.write(out, name, &format!("{labels}{group}"));
        }
        // Writing to a `String` cannot fail.
        let mut line = |more: &str, value: u64| {
            let _ = writeln!(out, "{name}{{{labels}{more}}} {value}");
        };
        match name {
            STATE => line("", one.state.into()),
            TOTAL => line(group, well + left + failures().map(|entry| *entry.value()).sum::<u64>()),
            SUCCESS => line(group, well),
            FAILURE => {
                for entry in failures() {
                    let (_, status, class) = entry.key();
                    let why = format!(
                        "{group},exception_status=\"{status}\",exception_class=\"{}.{class}\"",
                        capitalized(provider)
                    );
                    line(&why, *entry.value());
                }
            }
            TPM => one.tpm.into_iter().for_each(|limit| line(group, limit)),
            RPM => one.rpm.into_iter().for_each(|limit| line(group, limit)),
            _ => {}
        }
    }

    fn write_rests(&self, out: &mut String, standing: &[Standing]) {
        for entry in &self.rests {
            let (id, cause, status) = entry.key();
            let known = standing.iter().find(|one| one.id == *id).map(|one| one.labels.clone());
            let labels = known.unwrap_or_else(|| format!("model_id=\"{}\"", escaped(id)));
            let count = entry.value();
            // As above.
            let _ =
                writeln!(out, "{COOLED}{{{labels},cause=\"{cause}\",exception_status=\"{status}\"}} {count}");
        }
    }

    fn write_fallbacks(&self, out: &mut String, name: &str) {
        for entry in self.fallbacks.iter().filter(|entry| entry.key().answered == (name == FELL_WELL)) {
            let Fallback { asked, tried, status, class, .. } = entry.key();
            let (asked, tried) = (escaped(asked), escaped(tried));
            // As above.
            let _ = writeln!(
                out,
                "{name}{{requested_model=\"{asked}\",fallback_model=\"{tried}\",exception_status=\"{status}\",exception_class=\"{class}\"}} {}",
                entry.value()
            );
        }
    }
}

/// The deployments of a configuration as they are now.
pub(crate) fn standing(routes: &Routes, counters: &llm_router::Counters, now: Moment) -> Vec<Standing> {
    let callable = routes.deployments().iter().filter(|one| one.auto.is_none());
    let told = callable.map(|one| {
        let state = counters.of(&one.id);
        let base = one.target.base_url.split('?').next().unwrap_or_default();
        let provider = one.target.spec.id.as_str();
        let labels = format!(
            "litellm_model_name=\"{}\",model_id=\"{}\",api_base=\"{}\",api_provider=\"{}\"",
            escaped(&one.model),
            escaped(one.id.as_str()),
            escaped(base),
            escaped(provider)
        );
        Standing {
            id: one.id.as_str().to_owned(),
            labels,
            group: format!(",model_group=\"{}\"", escaped(&one.group)),
            provider: escaped(provider),
            state: match (state.rests(now), state.this_minute(now).failures) {
                (true, _) => 2,
                (false, 1..) => 1,
                (false, 0) => 0,
            },
            tpm: one.tpm,
            rpm: one.rpm,
        }
    });
    told.collect()
}

/// LiteLLM writes `Openai.RateLimitError`.
fn capitalized(provider: &str) -> String {
    let mut letters = provider.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
