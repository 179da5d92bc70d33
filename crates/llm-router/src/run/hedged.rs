//! One try, and a second one beside it when the first is slow to begin: the quicker answer counts.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use llm_types::{Error, Result};

use super::{Part, Walk};
use crate::counters::InFlight;
use crate::limits::Limits;
use crate::{Ask, Attempt, Hedging, Moment, Route, hedge, rates};

/// The second try, where its answer is the one that counts.
pub(super) struct Rival<'r> {
    pub(super) at: u32,
    pub(super) model: Cow<'r, str>,
    pub(super) place: InFlight,
    pub(super) began: Moment,
}

/// Two tries side by side and what came of them.
enum First {
    Own,
    Rival,
}

impl<'r> Walk<'r> {
    /// Waits for a try at the deployment at `at`; when it is slow to begin another deployment is asked too,
    /// and the one that answers later is dropped.
    pub(super) async fn hedged<T, F, Fut>(
        &mut self,
        hedging: &Hedging,
        (route, part, at): (&Route<'r>, &Part<'r>, u32),
        own: Fut,
        attempt: &mut F,
    ) -> (Result<T>, Option<Rival<'r>>)
    where
        F: FnMut(Attempt<'r>) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        self.router.routes.hedges().earn(hedging);
        let now = self.router.clock.now();
        let Some(delay) = hedge::after(hedging, &route.group.candidates[at as usize], now) else {
            return (own.await, None);
        };
        let mut own = pin!(own);
        let late = self.router.clock.sleep(delay);
        if let Some(answer) = before(own.as_mut(), late).await {
            return (answer, None);
        }
        let Some((mut rival, next)) = self.rival(route, part, at) else {
            return (own.await, None);
        };
        let waiting = route.group.candidates[rival.at as usize].state.measures.wait(rival.began);
        rival.model = next.model.clone();
        self.report.hedges += 1;
        let (answer, first) = quicker(own, pin!(attempt(next))).await;
        drop(waiting);
        match first {
            First::Own => (answer, None),
            First::Rival => (answer, Some(rival)),
        }
    }

    /// Another deployment that has a place at once, if the budget allows a second try.
    fn rival(&mut self, route: &Route<'r>, part: &Part<'r>, at: u32) -> Option<(Rival<'r>, Attempt<'r>)> {
        let now = self.router.clock.now();
        let picked = self.pick(route, part, &[at], now).ok().filter(|picked| *picked != at)?;
        let candidate = &route.group.candidates[picked as usize];
        if !self.router.routes.hedges().take() {
            return None;
        }
        let mut place = candidate.state.enter(candidate.parallel_limit)?;
        let limits = Limits::of(&self.request, &candidate.deployment, self.settings);
        let ask = Ask { stream: self.request.stream, ..self.request.ask };
        place.hold(rates::take(candidate, &ask, self.settings, now).ok()?);
        let next = self.attempt(route, candidate, &limits, part.params);
        Some((Rival { at: picked, model: Cow::Borrowed(""), place, began: now }, next))
    }
}

/// What a future gives before another is over.
async fn before<T>(mut own: Pin<&mut impl Future<Output = T>>, late: impl Future<Output = ()>) -> Option<T> {
    let mut late = pin!(late);
    poll_fn(|cx| match own.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => late.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// The first answer of two tries; an error only when both fail, and then that of the first.
async fn quicker<T>(
    mut own: Pin<&mut impl Future<Output = Result<T>>>,
    mut rival: Pin<&mut impl Future<Output = Result<T>>>,
) -> (Result<T>, First) {
    let (mut own_error, mut rival_error): (Option<Error>, Option<Error>) = (None, None);
    poll_fn(move |cx| {
        if own_error.is_none()
            && let Poll::Ready(answer) = own.as_mut().poll(cx)
        {
            match answer {
                Ok(answer) => return Poll::Ready((Ok(answer), First::Own)),
                Err(error) => own_error = Some(error),
            }
        }
        if rival_error.is_none()
            && let Poll::Ready(answer) = rival.as_mut().poll(cx)
        {
            match answer {
                Ok(answer) => return Poll::Ready((Ok(answer), First::Rival)),
                Err(error) => rival_error = Some(error),
            }
        }
        match (own_error.take(), &rival_error) {
            (Some(error), Some(_)) => Poll::Ready((Err(error), First::Own)),
            (error, _) => {
                own_error = error;
                Poll::Pending
            }
        }
    })
    .await
}
