//! What deployments were not told of what the caller said: for the caller, who must not find out by the answer.

use std::sync::Arc;

use http::HeaderValue;
use llm_providers::left_out::LeftOut;
use parking_lot::Mutex;

use crate::answer::text;
use crate::state::Served;

/// The longest name that is shown whole, bytes.
const LONGEST: usize = 64;

/// The names of what was left out, by the deployment that was asked without it. Most calls leave nothing out.
#[derive(Debug, Default)]
pub(crate) struct Untold(Mutex<Vec<(Arc<Served>, LeftOut)>>);

impl Untold {
    /// Notes what a deployment is asked without.
    pub(super) fn note(&self, served: &Arc<Served>, left_out: LeftOut) {
        if !left_out.is_empty() {
            self.0.lock().push((Arc::clone(served), left_out));
        }
    }

    /// What a deployment was asked without when it was asked last, as a header says it.
    pub(super) fn of(&self, served: &Arc<Served>) -> Option<HeaderValue> {
        let noted = self.0.lock();
        let (_, left_out) = noted.iter().rfind(|(asked, _)| asked.deployment.id == served.deployment.id)?;
        Some(line(left_out))
    }
}

/// The names in one line. They may be the caller's own words, of any length.
fn line(left_out: &LeftOut) -> HeaderValue {
    let names: Vec<&str> = left_out.iter().map(|name| shortened(name)).collect();
    text(&names.join(", "))
}

fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST)]
}

#[cfg(test)]
mod tests;
