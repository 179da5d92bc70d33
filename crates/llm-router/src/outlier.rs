//! Deployments that fail more often or are slower than the others of their group rest for a while.
//!
//! Cooldowns judge a deployment by itself; this judges it by its group, from what calls show anyway. A
//! group is looked at now and then, on the way of a call that ended.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::{Candidate, Cause, Group, Moment, Outliers, Rest};

/// When a group was looked at last, milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Look(AtomicU64);

/// How often a deployment was put out of its group in a row.
#[derive(Debug, Default)]
pub(crate) struct Ejections {
    count: AtomicU32,
    /// Until when, milliseconds.
    until: AtomicU64,
}

impl Look {
    /// Whether it is time to look again; says so to one caller.
    fn is_due(&self, every: Duration, now: Moment) -> bool {
        let last = self.0.load(Relaxed);
        let due = last == 0 || now.since(Moment(last)) >= every;
        due && self.0.compare_exchange(last, now.0.max(1), Relaxed, Relaxed).is_ok() && last != 0
    }
}

/// What a deployment has shown in the minute at hand.
#[derive(Debug, Clone, Copy)]
struct Shown {
    /// Failures as a share of calls.
    failing: f64,
    /// Milliseconds; 0 is unknown.
    latency: f64,
}

/// Looks at a group if it is time, and rests its outliers; says who rests for how long.
pub(crate) fn look(group: &Group, stream: bool, settings: &Outliers, now: Moment) -> Vec<Rest> {
    if group.is_single() || !group.looked.is_due(seconds(settings.interval), now) {
        return Vec::new();
    }
    judge(group, stream, settings, now)
}

/// Rests the outliers of a group, the worst first, as many as may be out at a time.
fn judge(group: &Group, stream: bool, settings: &Outliers, now: Moment) -> Vec<Rest> {
    let shown: Vec<Option<Shown>> =
        group.candidates.iter().map(|one| shown(one, stream, settings, now)).collect();
    let mut found: Vec<(f64, usize)> = (0..shown.len())
        .filter_map(|at| Some((excess(at, &shown, settings)?, at)))
        .filter(|(excess, _)| *excess > 1.0)
        .collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let out = group.candidates.iter().filter(|one| one.state.rests(now)).count();
    let free = most_out(group.candidates.len(), settings).saturating_sub(out);
    for (at, one) in group.candidates.iter().enumerate() {
        if shown[at].is_some() && !found.iter().any(|(_, found)| *found == at) {
            one.state.ejections.forgive();
        }
    }
    let rest = |(_, at): &(f64, usize)| {
        let one = &group.candidates[*at];
        let time = one.state.ejections.add(settings, now);
        one.state.rest_for(now, time, Cause::Outlier);
        Rest { deployment: one.deployment.id.clone(), time, cause: Cause::Outlier, status: None }
    };
    found.iter().take(free).map(rest).collect()
}

/// How many of a group may be out at a time: never all, and one at least.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a group"
)]
fn most_out(all: usize, settings: &Outliers) -> usize {
    ((all as f64 * settings.max_ejected.clamp(0.0, 1.0)) as usize).clamp(1, all.saturating_sub(1).max(1))
}

/// What a deployment has shown; nothing where it rests, has had too few calls, or is back only since this
/// minute, whose counts are from before its rest.
fn shown(one: &Candidate, stream: bool, settings: &Outliers, now: Moment) -> Option<Shown> {
    let counts = one.state.this_minute(now);
    let calls = f64::from(counts.successes) + f64::from(counts.failures);
    let back = Moment(one.state.ejections.until.load(Relaxed));
    let fresh = back.0 == 0 || back.minute() < now.minute();
    if one.blocked || one.state.rests(now) || calls < settings.min_requests.max(1.0) || !fresh {
        return None;
    }
    let failing = f64::from(counts.failures) / calls;
    Some(Shown { failing, latency: f64::from(one.state.latency(stream, now)) })
}

/// How far a deployment is beyond what its group allows, 1 being the limit; nothing where there is no group
/// to judge it by.
fn excess(at: usize, shown: &[Option<Shown>], settings: &Outliers) -> Option<f64> {
    let own = (*shown.get(at)?)?;
    let others = || shown.iter().enumerate().filter(|(other, _)| *other != at).filter_map(|(_, one)| *one);
    let failing = median(others().map(|one| one.failing).collect())?;
    let allowed = (failing * settings.error_factor).max(settings.error_rate);
    let by_errors = if allowed > 0.0 { own.failing / allowed } else { 0.0 };
    let latency = median(others().map(|one| one.latency).filter(|latency| *latency > 0.0).collect());
    let by_latency = match latency.map(|latency| latency * settings.latency_factor) {
        Some(allowed) if allowed > 0.0 => own.latency / allowed,
        _ => 0.0,
    };
    Some(by_errors.max(by_latency))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        even if even % 2 == 0 => Some(f64::midpoint(values[middle - 1], values[middle])),
        _ => Some(values[middle]),
    }
}

impl Ejections {
    /// Counts one and says how long it takes.
    fn add(&self, settings: &Outliers, now: Moment) -> Duration {
        let count = self.count.fetch_add(1, Relaxed).saturating_add(1);
        let time = (settings.ejection_time * f64::from(count)).min(settings.max_ejection_time);
        let time = seconds(time);
        self.until.store((now + time).0, Relaxed);
        time
    }

    /// It was judged and did well: the next time in a row is shorter.
    fn forgive(&self) {
        // The closure gives a value unless there is nothing to forgive.
        let _ = self.count.fetch_update(Relaxed, Relaxed, |count| count.checked_sub(1));
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
