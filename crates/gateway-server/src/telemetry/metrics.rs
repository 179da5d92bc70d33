//! Counters and histograms in Prometheus' text form. Metric names are LiteLLM's where it has one
//! (surface §11.4); ours begin with `gateway_`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use dashmap::DashMap;

use super::deployments::{self, Attempts, Ended, Standing};

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS_US: [u64; 14] = [
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
];

/// A histogram of durations.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    /// Counts a duration.
    pub(crate) fn count(&self, us: u64) {
        let bucket = BUCKETS_US.iter().position(|bound| us <= *bound).unwrap_or(BUCKETS_US.len());
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
    }

    /// Counts what another has counted.
    fn add(&self, other: &Self) {
        for (own, others) in self.buckets.iter().zip(&other.buckets) {
            own.fetch_add(others.load(Relaxed), Relaxed);
        }
        self.sum_us.fetch_add(other.sum_us.load(Relaxed), Relaxed);
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.load(Relaxed) == 0)
    }

    pub(super) fn write(&self, out: &mut String, name: &str, labels: &str) {
        let mut seen = 0;
        for (bucket, bound) in self.buckets.iter().zip(BUCKETS_US.iter().map(Some).chain([None])) {
            seen += bucket.load(Relaxed);
            let le = bound.map_or_else(|| "+Inf".to_owned(), |us| seconds(*us));
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{le}\"}} {seen}");
        }
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}", seconds(self.sum_us.load(Relaxed)));
        let _ = writeln!(out, "{name}_count{{{labels}}} {seen}");
    }
}

fn seconds(us: u64) -> String {
    let whole = us / 1_000_000;
    let part = us % 1_000_000;
    if part == 0 { whole.to_string() } else { format!("{whole}.{part:06}").trim_end_matches('0').to_owned() }
}

/// What is counted of the calls of one deployment.
#[derive(Debug, Default)]
pub(crate) struct CallCounts {
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) hung_up: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) fallbacks: AtomicU64,
    pub(crate) input_tokens: AtomicU64,
    pub(crate) output_tokens: AtomicU64,
    pub(crate) spend_nanos: AtomicU64,
    pub(crate) total: Histogram,
    pub(crate) first_token: Histogram,
    /// From when the deployment was asked to the end of its answer.
    pub(crate) answer: Histogram,
    /// The same for each token of the answer.
    pub(crate) per_token: Histogram,
}

/// The labels of [`CallCounts`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CallLabels {
    group: String,
    model: String,
    provider: String,
    deployment: String,
}

/// All metrics of a gateway.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    calls: DashMap<CallLabels, Arc<CallCounts>>,
    /// Calls refused before a deployment was chosen, by status.
    pub(crate) refused: DashMap<u16, u64>,
    /// Failures, rests and fallbacks, attempt by attempt.
    pub(crate) attempts: Attempts,
    /// Second tries beside slow ones.
    pub(crate) hedges: AtomicU64,
    /// Streams that broke off and went on at another deployment.
    pub(crate) failovers: AtomicU64,
    /// Times that the program of `routing_webhook` gave no advice.
    pub(crate) unadvised: AtomicU64,
    /// Calls being answered.
    pub(crate) in_flight: AtomicU64,
    /// Calls that were let in since the start.
    pub(crate) begun: AtomicU64,
}

/// A metric family: name, kind, help.
pub(super) struct Family(pub(super) &'static str, pub(super) &'static str, pub(super) &'static str);

const FAMILIES: [Family; 15] = [
    Family("litellm_proxy_total_requests_metric_total", "counter", "Calls that reached a deployment."),
    Family("litellm_proxy_failed_requests_metric_total", "counter", "Calls that ended in an error."),
    Family("litellm_input_tokens_metric_total", "counter", "Prompt tokens."),
    Family("litellm_output_tokens_metric_total", "counter", "Answer tokens."),
    Family("litellm_spend_metric_total", "counter", "Cost in USD."),
    Family("litellm_request_total_latency_metric", "histogram", "Seconds from request to end of answer."),
    Family(
        "litellm_llm_api_latency_metric",
        "histogram",
        "Seconds from asking a deployment to the end of its answer.",
    ),
    Family(
        "litellm_llm_api_time_to_first_token_metric",
        "histogram",
        "Seconds to the first byte of a stream.",
    ),
    Family(
        "gateway_hedged_requests_total",
        "counter",
        "Second tries beside streams that were slow to begin.",
    ),
    Family(
        "gateway_stream_failovers_total",
        "counter",
        "Streams that broke off and went on at another deployment.",
    ),
    Family(
        "gateway_routing_webhook_failures_total",
        "counter",
        "Times that the program of `routing_webhook` failed or was too slow.",
    ),
    Family("gateway_hung_up_requests_total", "counter", "Calls whose client left before the end."),
    Family("gateway_retries_total", "counter", "Attempts beyond the first on the same model group."),
    Family("gateway_fallbacks_total", "counter", "Model groups tried beyond the first."),
    Family("gateway_refused_requests_total", "counter", "Calls refused before a deployment was chosen."),
];

impl Metrics {
    /// The counts of one deployment, made on first use and kept across reloads.
    pub(crate) fn calls(
        &self,
        group: &str,
        model: &str,
        provider: &str,
        deployment: &str,
    ) -> Arc<CallCounts> {
        let labels = CallLabels {
            group: group.to_owned(),
            model: model.to_owned(),
            provider: provider.to_owned(),
            deployment: deployment.to_owned(),
        };
        self.calls.entry(labels).or_default().clone()
    }

    /// Counts a refusal.
    pub(crate) fn refuse(&self, status: u16) {
        *self.refused.entry(status).or_default() += 1;
    }

    /// How the calls of deployments ended, by their ids.
    fn ended(&self) -> HashMap<String, Ended> {
        let mut ended: HashMap<String, Ended> = HashMap::new();
        for entry in &self.calls {
            let of_deployment = ended.entry(entry.key().deployment.clone()).or_default();
            of_deployment.well += entry.value().succeeded.load(Relaxed);
            of_deployment.left += entry.value().hung_up.load(Relaxed);
            of_deployment.per_token.add(&entry.value().per_token);
        }
        ended
    }

    /// Everything in Prometheus' text form.
    pub(crate) fn render(&self, ledger: &[(&str, u64)], standing: &[Standing]) -> String {
        let mut out = String::with_capacity(8 * 1024);
        let calls: Vec<(String, Arc<CallCounts>)> =
            self.calls.iter().map(|entry| (labels_text(entry.key()), entry.value().clone())).collect();
        for Family(name, kind, help) in FAMILIES {
            head(&mut out, &Family(name, kind, help));
            for (labels, counts) in &calls {
                counts.write(&mut out, name, labels);
            }
            if name == "gateway_hedged_requests_total" {
                let _ = writeln!(out, "{name} {}", self.hedges.load(Relaxed));
            }
            if name == "gateway_routing_webhook_failures_total" {
                let _ = writeln!(out, "{name} {}", self.unadvised.load(Relaxed));
            }
            if name == "gateway_stream_failovers_total" {
                let _ = writeln!(out, "{name} {}", self.failovers.load(Relaxed));
            }
            if name == "gateway_refused_requests_total" {
                for entry in &self.refused {
                    let _ = writeln!(out, "{name}{{status_code=\"{}\"}} {}", entry.key(), entry.value());
                }
            }
        }
        let ended = self.ended();
        for family in &deployments::FAMILIES {
            head(&mut out, family);
            self.attempts.write(&mut out, family.0, standing, &ended);
        }
        let _ = writeln!(out, "# HELP gateway_in_flight_requests Calls being answered.");
        let _ = writeln!(out, "# TYPE gateway_in_flight_requests gauge");
        let _ = writeln!(out, "gateway_in_flight_requests {}", self.in_flight.load(Relaxed));
        for (name, value) in ledger {
            let _ = writeln!(out, "# TYPE {name} gauge\n{name} {value}");
        }
        out
    }

    /// Names, kinds and meanings, for the reference.
    pub(crate) fn reference() -> Vec<(&'static str, &'static str, &'static str)> {
        let mut rows: Vec<_> = FAMILIES
            .iter()
            .chain(&deployments::FAMILIES)
            .map(|Family(name, kind, help)| (*name, *kind, *help))
            .collect();
        rows.push(("gateway_in_flight_requests", "gauge", "Calls being answered."));
        rows
    }
}

/// The lines that say what a family is.
fn head(out: &mut String, Family(name, kind, help): &Family) {
    let family = if *kind == "counter" { name.trim_end_matches("_total") } else { name };
    // Writing to a `String` cannot fail.
    let _ = writeln!(out, "# HELP {family} {help}\n# TYPE {family} {kind}");
}

impl CallCounts {
    fn write(&self, out: &mut String, name: &str, labels: &str) {
        let status = |out: &mut String, status: &str, count: &AtomicU64| {
            let _ = writeln!(out, "{name}{{{labels},status_code=\"{status}\"}} {}", count.load(Relaxed));
        };
        let plain = |out: &mut String, count: &AtomicU64| {
            let _ = writeln!(out, "{name}{{{labels}}} {}", count.load(Relaxed));
        };
        match name {
            "litellm_proxy_total_requests_metric_total" => {
                status(out, "200", &self.succeeded);
                status(out, "499", &self.hung_up);
                status(out, "error", &self.failed);
            }
            "litellm_proxy_failed_requests_metric_total" => plain(out, &self.failed),
            "litellm_input_tokens_metric_total" => plain(out, &self.input_tokens),
            "litellm_output_tokens_metric_total" => plain(out, &self.output_tokens),
            "litellm_spend_metric_total" => {
                let nanos = self.spend_nanos.load(Relaxed);
                let _ = writeln!(
                    out,
                    "{name}{{{labels}}} {}.{:09}",
                    nanos / 1_000_000_000,
                    nanos % 1_000_000_000
                );
            }
            "litellm_request_total_latency_metric" => self.total.write(out, name, labels),
            "litellm_llm_api_latency_metric" => self.answer.write(out, name, labels),
            "litellm_llm_api_time_to_first_token_metric" => self.first_token.write(out, name, labels),
            "gateway_hung_up_requests_total" => plain(out, &self.hung_up),
            "gateway_retries_total" => plain(out, &self.retries),
            "gateway_fallbacks_total" => plain(out, &self.fallbacks),
            _ => {}
        }
    }
}

fn labels_text(labels: &CallLabels) -> String {
    format!(
        "requested_model=\"{}\",model=\"{}\",api_provider=\"{}\",model_id=\"{}\"",
        escaped(&labels.group),
        escaped(&labels.model),
        escaped(&labels.provider),
        escaped(&labels.deployment)
    )
}

pub(super) fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
