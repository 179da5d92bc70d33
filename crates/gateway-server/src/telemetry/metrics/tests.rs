//! The text form is what Prometheus reads.

use std::sync::atomic::Ordering::Relaxed;

use super::Metrics;

#[test]
fn counts_are_rendered_with_escaped_labels_and_cumulative_buckets() {
    let metrics = Metrics::default();
    let counts = metrics.calls("my\"group", "gpt-4o", "openai", "d1");
    counts.succeeded.fetch_add(2, Relaxed);
    counts.spend_nanos.fetch_add(1_500_000_000, Relaxed);
    counts.total.count(7_000);
    counts.total.count(400_000_000);
    metrics.refuse(401);
    let text = metrics.render(&[("gateway_ledger_backlog_bytes", 12)], &[]);
    let labels = "requested_model=\"my\\\"group\",model=\"gpt-4o\",api_provider=\"openai\",model_id=\"d1\"";
    for line in [
        format!("litellm_proxy_total_requests_metric_total{{{labels},status_code=\"200\"}} 2"),
        format!("litellm_spend_metric_total{{{labels}}} 1.500000000"),
        format!("litellm_request_total_latency_metric_bucket{{{labels},le=\"0.005\"}} 0"),
        format!("litellm_request_total_latency_metric_bucket{{{labels},le=\"0.01\"}} 1"),
        format!("litellm_request_total_latency_metric_bucket{{{labels},le=\"+Inf\"}} 2"),
        "gateway_refused_requests_total{status_code=\"401\"} 1".to_owned(),
        "gateway_ledger_backlog_bytes 12".to_owned(),
    ] {
        assert!(text.lines().any(|have| have == line), "missing {line} in\n{text}");
    }
}

#[test]
fn the_same_deployment_counts_in_the_same_place() {
    let metrics = Metrics::default();
    metrics.calls("g", "m", "p", "d").failed.fetch_add(1, Relaxed);
    assert_eq!(metrics.calls("g", "m", "p", "d").failed.load(Relaxed), 1);
}
