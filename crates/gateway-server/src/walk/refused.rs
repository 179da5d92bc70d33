//! What is told of a call that no deployment answered.

use std::sync::Arc;

use gateway_db::End;
use http::{Response, StatusCode};
use llm_router::{Failed, Report};
use llm_types::{Error, ErrorKind};

use super::{Call, Tail, funds};
use crate::answer::{self, ReplyBody, names};
use crate::state::Served;

/// A call that no deployment answered, with its tail not yet settled.
#[derive(Debug)]
pub(super) struct Refused {
    error: Error,
    tail: Box<Tail>,
    served: Option<Arc<Served>>,
    /// Which fallback was not asked because a budget did not hold it.
    unpaid: Option<String>,
    report: Report,
}

impl Refused {
    pub(super) fn of(call: &Call, mut tail: Box<Tail>, failed: &Failed<'_>) -> Self {
        let error = match &failed.postscript {
            None => failed.error.clone(),
            Some(_) => failed.error.clone().with_message(failed.message()),
        };
        let broke = tail.deployment().is_empty().then(|| funds::refusal(call, tail.caller.team())).flatten();
        let error = broke.unwrap_or(error);
        let error = match unserved(call) {
            Some(reason) => error.with_message(reason),
            None => error,
        };
        let unpaid = unpaid(&error, &failed.report);
        let error = match &unpaid {
            Some(unpaid) => {
                tracing::info!(call = call.shown_id.to_str().unwrap_or_default(), "{unpaid}");
                let said = format!("{}. {unpaid}", error.message());
                error.with_message(said)
            }
            None => error,
        };
        tail.retries = failed.report.retries;
        tail.fallbacks = failed.report.fallbacks;
        let served = tail.asked.lock().clone();
        Self { error, tail, served, unpaid, report: failed.report.clone() }
    }

    /// Settles the call, whose error has a status.
    fn settle(&mut self, call: &Call, status: StatusCode) {
        if self.served.is_none() {
            call.core.shared.metrics.refuse(status.as_u16());
        }
        self.tail.settle(End::Failed, status, Some(&self.error));
    }

    /// The error as the caller's answer.
    pub(super) fn answer(mut self, call: &Call) -> Response<ReplyBody> {
        let mut response = answer::error_response(&self.error, call.dialect);
        self.settle(call, response.status());
        let headers = response.headers_mut();
        if let Some(served) = &self.served {
            headers.extend(served.headers.lines());
        }
        if let Some(unpaid) = &self.unpaid {
            headers.insert(names::FALLBACK_UNPAID, answer::text(unpaid));
        }
        headers.insert(names::RETRIES, self.report.retries.into());
        headers.insert(names::MAX_RETRIES, self.report.max_retries.into());
        headers.insert(names::FALLBACKS, self.report.fallbacks.into());
        call.stamp(response)
    }

    /// The error for whoever tells it in another way than as an answer.
    pub(super) fn error(mut self, call: &Call) -> Error {
        self.settle(call, call.dialect.encode_error(&self.error).0);
        self.error
    }
}

/// The fallbacks that were not asked because a budget did not hold them, where something else is told.
fn unpaid(told: &Error, report: &Report) -> Option<String> {
    if told.kind() == ErrorKind::BudgetExceeded {
        return None;
    }
    let refused = report.errors.iter().filter(|fault| fault.error.kind() == ErrorKind::BudgetExceeded);
    let sentences: Vec<String> = refused
        .map(|fault| format!("Fallback `{}` was not asked: {}", fault.group, fault.error.message()))
        .collect();
    (!sentences.is_empty()).then(|| sentences.join(". "))
}

/// Why a model that is configured cannot be called, where that is so.
fn unserved(call: &Call) -> Option<String> {
    let asked = &call.glance.model;
    if call.snapshot.routes().resolve(asked, None).is_some() {
        return None;
    }
    let matches = |name: &str| match name.split_once('*') {
        Some((before, after)) => {
            asked.len() >= before.len() + after.len() && asked.starts_with(before) && asked.ends_with(after)
        }
        None => name == asked,
    };
    let entry = call.snapshot.config.unserved.iter().find(|entry| matches(&entry.name))?;
    let shown: String = asked.chars().take(200).collect();
    Some(format!("model `{shown}` is configured but cannot be called: {}", entry.reason))
}
