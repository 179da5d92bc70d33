//! Every order in which two replicas can reserve, set more aside for a dearer fallback, lease, settle, ship, give back
//! and crash: none overshoots the budget, and none leaves money stranded.
//!
//! The accounts are the real ones; the database is the arithmetic of `gateway-db/src/repo/leases.rs` and of the
//! shipper, each of whose transactions is one step. What is on its way between the two is a step of its own.

use gateway_db::Granted;
use std::collections::HashSet;

use super::*;

const NOW: i64 = 1_000_000;
const MAX: i64 = 10;

#[derive(Debug, Clone, Default)]
struct World {
    spend: i64,
    outstanding: [i64; 2],
    nodes: [Node; 2],
    crashes: u32,
    /// Calls go on to a fallback that costs so much more; nothing where none does.
    more: i64,
}

#[derive(Debug, Clone, Default)]
struct Node {
    account: Copied,
    calls: Vec<Call>,
    /// Settled, and in the ledger only.
    unshipped: i64,
    /// A lease on its way, and for which call.
    lease: Option<(usize, Money, Granted)>,
    /// A part that was taken out of the account, on its way back.
    returning: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Waiting,
    Wants(Money),
    Holds(Reserved),
    /// It goes on to a fallback, and asks for a lease first.
    WantsMore(Reserved, Money),
    /// The fallback is asked, with more set aside; nothing more where no budget holds it: it is not asked then.
    Covered(Reserved, Option<Reserved>),
    /// It is settled; what was set aside for the fallback is still to be given back.
    Ends(Reserved),
    Refused,
    Done,
}

/// An account that is copied with the world.
#[derive(Debug)]
struct Copied(Account);

impl Clone for Copied {
    fn clone(&self) -> Self {
        Self(Account(Mutex::new(self.0.0.lock().clone())))
    }
}

impl Default for Copied {
    fn default() -> Self {
        Self(Account::leasing(Money::ZERO))
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Reserve(usize),
    Lease(usize),
    Grant,
    /// A fallback is dearer: more is set aside.
    Extend(usize),
    Settle(usize),
    End(usize),
    Ship,
    TakeIdle,
    GiveBack,
    Crash,
}

fn limits() -> Limits {
    Limits { max_budget: Some(Money(MAX)), ..Limits::default() }
}

/// The first call of a replica uses what it asks for, later ones less.
fn ask(call: usize) -> (i64, i64) {
    if call == 0 { (4, 4) } else { (3, 1) }
}

impl Call {
    /// What is set aside for it: what a crash books, where the ledger was told of all of it.
    fn held(&self) -> i64 {
        match self {
            Self::Holds(held) | Self::WantsMore(held, _) | Self::Covered(held, None) => held.cost.0,
            Self::Covered(held, Some(more)) => held.cost.0 + more.cost.0,
            Self::Waiting | Self::Wants(_) | Self::Ends(_) | Self::Refused | Self::Done => 0,
        }
    }
}

impl World {
    fn new(calls: [usize; 2], crashes: u32) -> Self {
        let nodes = calls.map(|calls| Node { calls: vec![Call::Waiting; calls], ..Node::default() });
        Self { nodes, crashes, ..Self::default() }
    }

    fn steps(&self, at: usize) -> Vec<Step> {
        let node = &self.nodes[at];
        let mut steps = Vec::new();
        for (index, call) in node.calls.iter().enumerate() {
            match call {
                Call::Waiting => steps.push(Step::Reserve(index)),
                Call::Wants(_) | Call::WantsMore(..) if node.lease.is_none() => {
                    steps.push(Step::Lease(index))
                }
                Call::Holds(_) if self.more > 0 => steps.extend([Step::Extend(index), Step::Settle(index)]),
                Call::Holds(_) | Call::Covered(..) => steps.push(Step::Settle(index)),
                Call::Ends(_) => steps.push(Step::End(index)),
                _ => {}
            }
        }
        if node.lease.is_some() {
            steps.push(Step::Grant);
        }
        if node.unshipped > 0 {
            steps.push(Step::Ship);
        }
        match node.returning {
            Some(_) => steps.push(Step::GiveBack),
            None if node.account.0.wants_tending(NOW + 2_000) => steps.push(Step::TakeIdle),
            None => {}
        }
        if self.crashes > 0 {
            steps.push(Step::Crash);
        }
        steps
    }

    fn take(&mut self, at: usize, step: Step) {
        let node = &mut self.nodes[at];
        match step {
            Step::Reserve(call) => {
                let ask = Ask { cost: Money(ask(call).0), ..Ask::default() };
                node.calls[call] = match node.account.0.reserve(&limits(), ask, NOW) {
                    Ok((reserved, _)) => Call::Holds(reserved),
                    Err(Denial::Lease { wanted, .. }) => Call::Wants(wanted),
                    Err(_) => Call::Refused,
                };
            }
            Step::Lease(call) => {
                let (Call::Wants(wanted) | Call::WantsMore(_, wanted)) = node.calls[call] else { return };
                let elsewhere = self.outstanding[1 - at];
                let left = MAX - self.spend - elsewhere - self.outstanding[at];
                let granted = wanted.0.max(left / 8).min(left);
                self.outstanding[at] = (self.outstanding[at] + granted).max(0);
                let got = Granted {
                    granted: Money(granted),
                    spent: Money(self.spend),
                    elsewhere: Money(elsewhere),
                };
                node.lease = Some((call, wanted, got));
            }
            Step::Grant => {
                let Some((call, wanted, got)) = node.lease.take() else { return };
                node.account.0.grant(&got, (wanted, Money(MAX)), (NOW, NOW + 60_000));
                node.calls[call] = match node.calls[call] {
                    Call::WantsMore(held, _) => Call::Holds(held),
                    _ => Call::Waiting,
                };
            }
            Step::Extend(call) => {
                let Call::Holds(held) = node.calls[call] else { return };
                let ask = Ask { cost: Money(self.more), beside: Some(held.cost), ..Ask::default() };
                node.calls[call] = match node.account.0.reserve(&limits(), ask, NOW) {
                    Ok((more, _)) => Call::Covered(held, Some(more)),
                    Err(Denial::Lease { wanted, .. }) => Call::WantsMore(held, wanted),
                    Err(_) => Call::Covered(held, None),
                };
            }
            Step::Settle(call) => {
                let (held, more) = match node.calls[call] {
                    Call::Holds(held) => (held, None),
                    Call::Covered(held, more) => (held, more),
                    _ => return,
                };
                // Who answered for more is a fallback that cost all of it.
                let all = more.map_or(Money(ask(call).1), |more| held.cost + more.cost);
                let cost = if more.is_some() { all } else { all.min(held.cost) };
                node.account.0.settle(held, Settlement { cost, tokens: 0 });
                node.unshipped += cost.0;
                node.calls[call] = more.map_or(Call::Done, Call::Ends);
            }
            Step::End(call) => {
                let Call::Ends(more) = node.calls[call] else { return };
                node.account.0.release(more);
                node.calls[call] = Call::Done;
            }
            Step::Ship => {
                let shipped = std::mem::take(&mut node.unshipped);
                self.spend += shipped;
                self.outstanding[at] = (self.outstanding[at] - shipped).max(0);
            }
            Step::TakeIdle => {
                node.returning = node.account.0.take_idle_lease(NOW + 2_000).map(|money| money.0)
            }
            Step::GiveBack => {
                let unused = node.returning.take().unwrap_or(0);
                self.outstanding[at] = (self.outstanding[at] - unused).max(0);
            }
            Step::Crash => self.crash(at),
        }
    }

    /// The process dies and starts again: what was in flight is booked at its reservation, the ledger is shipped
    /// before anything else, and what was leased is free again.
    fn crash(&mut self, at: usize) {
        self.crashes -= 1;
        let node = &mut self.nodes[at];
        self.spend += node.unshipped + node.calls.iter().map(Call::held).sum::<i64>();
        self.outstanding[at] = 0;
        let calls = node.calls.iter().map(|call| if *call == Call::Waiting { *call } else { Call::Done });
        *node = Node { calls: calls.collect(), ..Node::default() };
    }

    fn check(&self, path: &[(usize, Step)]) {
        let held = |node: &Node| node.calls.iter().map(Call::held).sum::<i64>() + node.unshipped;
        let promised = self.spend + self.nodes.iter().map(held).sum::<i64>();
        assert!(promised <= MAX, "{promised} of {MAX} are promised after {path:?}");
        let leased = self.spend + self.outstanding.iter().sum::<i64>();
        assert!(leased <= MAX, "{leased} of {MAX} are leased after {path:?}");
    }

    /// Nothing is left to do: whoever comes now gets exactly what is left.
    fn check_end(&self, path: &[(usize, Step)]) {
        assert_eq!(self.outstanding, [0, 0], "stranded after {path:?}");
        let left = MAX - self.spend;
        for (cost, fits) in [(left, left > 0), (left + 1, left > 0)] {
            let mut world = self.clone();
            let node = &mut world.nodes[0];
            let ask = Ask { cost: Money(cost), ..Ask::default() };
            let mut admitted = node.account.0.reserve(&limits(), ask, NOW + 5_000);
            if let Err(Denial::Lease { wanted, .. }) = admitted {
                let granted = Money(wanted.0.max(left / 8).min(left));
                let got = Granted { granted, spent: Money(self.spend), elsewhere: Money::ZERO };
                let times = (NOW + 5_000, NOW + 65_000);
                node.account.0.grant(&got, (wanted, Money(MAX)), times);
                admitted = node.account.0.reserve(&limits(), ask, NOW + 5_000);
            }
            assert_eq!(admitted.is_ok(), fits, "{cost} of {left} after {path:?}");
        }
    }
}

/// Walks every order of steps; gives how many states there are.
fn explore(first: World) -> usize {
    let mut seen = HashSet::new();
    let mut stack = vec![(first, Vec::new())];
    while let Some((world, path)) = stack.pop() {
        if !seen.insert(format!("{world:?}")) {
            continue;
        }
        world.check(&path);
        let mut ended = true;
        for at in 0..2 {
            for step in world.steps(at) {
                ended &= matches!(step, Step::Crash);
                let mut next = world.clone();
                next.take(at, step);
                let mut path = path.clone();
                path.push((at, step));
                stack.push((next, path));
            }
        }
        if ended {
            world.check_end(&path);
        }
    }
    seen.len()
}

#[test]
fn no_order_of_two_replicas_overshoots_or_strands_money() {
    let states = explore(World::new([1, 1], 0));
    assert!(states > 50, "only {states} states: the walk does not cover what it should");
}

#[test]
fn no_order_of_two_calls_of_a_replica_does() {
    let states = explore(World::new([2, 0], 0));
    assert!(states > 30, "only {states} states");
}

#[test]
fn no_order_with_a_crash_does() {
    let states = explore(World::new([1, 1], 1));
    assert!(states > 100, "only {states} states");
}

fn covering(calls: [usize; 2], crashes: u32, more: i64) -> World {
    World { more, ..World::new(calls, crashes) }
}

#[test]
fn no_order_with_dearer_fallbacks_does() {
    for more in [1, 3, 8] {
        let states = explore(covering([1, 1], 0, more));
        assert!(states > 100, "only {states} states with {more} more");
        let states = explore(covering([2, 0], 0, more));
        assert!(states > 80, "only {states} states of one replica with {more} more");
    }
}

#[test]
fn no_order_with_dearer_fallbacks_and_a_crash_does() {
    let states = explore(covering([1, 1], 1, 3));
    assert!(states > 200, "only {states} states");
}
