//! The session's state machine. Pure: no clock, no socket, no process.
//!
//! ```text
//! serving ──suspended──> paused ──revived──> serving
//!    └──────closed─────────┴──────> ended
//! ```

use crate::compute::Hash;
use ember_types::lease::LeaseState;
use std::collections::{BTreeMap, VecDeque};

/// A live connection.
pub type ConnId = u64;

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The tenant is served.
    Serving,
    /// The lease is suspended, or unknown: nobody is served, nothing runs, blobs and results are kept.
    Paused,
    /// The lease is over.
    Ended,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Where it stands.
    pub phase: Phase,
    /// Live connections and the fingerprints of their certificates.
    pub conns: BTreeMap<ConnId, String>,
    /// What the workers run.
    pub running: Vec<Hash>,
    /// What waits for one.
    pub queue: VecDeque<Hash>,
    /// Most jobs that run at once: one a device.
    pub workers: usize,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The chain says so of the lease; `None` when its answer does not have it. What is unknown is not over: the
    /// answer may be at fault, and the tenant's data would be gone.
    Lease(Option<LeaseState>),
    /// A certificate lost its rights.
    Revoked(String),
    /// The tenant connected.
    Connected(ConnId, String),
    /// A connection ended.
    Disconnected(ConnId),
    /// A job was submitted.
    Submitted(Hash),
    /// A job that ran has ended.
    JobEnded(Hash),
}

/// What has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End a connection now.
    Cut(ConnId),
    /// Run a job.
    Start(Hash),
    /// Kill the workers, and with them what they run.
    KillWorkers,
    /// Remove the tenant's data.
    Wipe,
}

impl Session {
    /// A session of an active lease with so many workers, at least one.
    pub fn new(workers: usize) -> Self {
        Self {
            phase: Phase::Serving,
            conns: BTreeMap::new(),
            running: Vec::new(),
            queue: VecDeque::new(),
            workers: workers.max(1),
        }
    }

    /// Steps on.
    #[must_use]
    pub fn transition(mut self, input: Input) -> (Self, Vec<Effect>) {
        let mut effects = Vec::new();
        match input {
            Input::Lease(state) => self.lease(state, &mut effects),
            Input::Revoked(fingerprint) => {
                let cut: Vec<_> = self
                    .conns
                    .iter()
                    .filter(|(_, f)| **f == fingerprint)
                    .map(|(c, _)| *c)
                    .collect();
                for conn in cut {
                    self.conns.remove(&conn);
                    effects.push(Effect::Cut(conn));
                }
            }
            Input::Connected(conn, fingerprint) => {
                if self.phase == Phase::Serving {
                    self.conns.insert(conn, fingerprint);
                } else {
                    effects.push(Effect::Cut(conn));
                }
            }
            Input::Disconnected(conn) => {
                self.conns.remove(&conn);
            }
            Input::Submitted(job) => {
                if self.phase == Phase::Serving
                    && !self.running.contains(&job)
                    && !self.queue.contains(&job)
                {
                    self.queue.push_back(job);
                    self.start_next(&mut effects);
                }
            }
            Input::JobEnded(job) => {
                if let Some(at) = self.running.iter().position(|j| *j == job) {
                    self.running.remove(at);
                    self.start_next(&mut effects);
                }
            }
        }
        (self, effects)
    }

    fn lease(&mut self, state: Option<LeaseState>, effects: &mut Vec<Effect>) {
        let next = match (self.phase, state) {
            // Over is over, whatever the chain is said to say later.
            (Phase::Ended, _) | (_, Some(LeaseState::Closed)) => Phase::Ended,
            (_, Some(LeaseState::Active)) => Phase::Serving,
            (_, Some(LeaseState::Suspended) | None) => Phase::Paused,
        };
        if next == self.phase {
            return;
        }
        self.phase = next;
        if next != Phase::Serving {
            effects.extend(std::mem::take(&mut self.conns).into_keys().map(Effect::Cut));
            self.queue.clear();
            self.running.clear();
            effects.push(Effect::KillWorkers);
        }
        if next == Phase::Ended {
            effects.push(Effect::Wipe);
        }
    }

    fn start_next(&mut self, effects: &mut Vec<Effect>) {
        if self.running.len() < self.workers
            && self.phase == Phase::Serving
            && let Some(job) = self.queue.pop_front()
        {
            self.running.push(job);
            effects.push(Effect::Start(job));
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(inputs: &[Input]) -> (Session, Vec<Effect>) {
        run_on(1, inputs)
    }

    fn run_on(workers: usize, inputs: &[Input]) -> (Session, Vec<Effect>) {
        inputs
            .iter()
            .fold((Session::new(workers), Vec::new()), |(s, mut all), i| {
                let (s, effects) = s.transition(i.clone());
                all.extend(effects);
                (s, all)
            })
    }

    #[test]
    fn jobs_run_one_at_a_time_and_each_once() {
        let (a, b) = (Hash([1; 32]), Hash([2; 32]));
        let (s, effects) = run(&[
            Input::Submitted(a),
            Input::Submitted(b),
            Input::Submitted(a),
            Input::JobEnded(a),
            Input::JobEnded(a),
        ]);
        assert_eq!(effects, [Effect::Start(a), Effect::Start(b)]);
        assert_eq!(s.running, [b]);
    }

    #[test]
    fn a_lease_of_two_units_runs_two_jobs_at_once() {
        let [a, b, c] = [1, 2, 3].map(|n| Hash([n; 32]));
        let (s, effects) = run_on(2, &[a, b, c].map(Input::Submitted));
        assert_eq!(effects, [Effect::Start(a), Effect::Start(b)]);
        let (s, effects) = s.transition(Input::JobEnded(a));
        assert_eq!(effects, [Effect::Start(c)]);
        assert_eq!(s.running, [b, c]);
    }

    #[test]
    fn the_end_of_a_lease_cuts_kills_and_wipes() {
        let (s, effects) = run(&[
            Input::Connected(7, "f".into()),
            Input::Submitted(Hash([1; 32])),
            Input::Lease(Some(LeaseState::Closed)),
            Input::Lease(Some(LeaseState::Active)),
            Input::Connected(8, "f".into()),
        ]);
        assert_eq!(s.phase, Phase::Ended);
        let end = [
            Effect::Cut(7),
            Effect::KillWorkers,
            Effect::Wipe,
            Effect::Cut(8),
        ];
        assert_eq!(effects[1..], end);
    }

    #[test]
    fn a_suspended_or_unknown_lease_keeps_its_data() {
        for state in [Some(LeaseState::Suspended), None] {
            let (s, effects) = run(&[
                Input::Connected(7, "f".into()),
                Input::Submitted(Hash([1; 32])),
                Input::Submitted(Hash([2; 32])),
                Input::Lease(state),
                Input::Submitted(Hash([3; 32])),
            ]);
            assert_eq!(s.phase, Phase::Paused);
            assert_eq!(effects[1..], [Effect::Cut(7), Effect::KillWorkers]);
            let (s, effects) = s.transition(Input::Lease(Some(LeaseState::Active)));
            assert_eq!((s.phase, effects), (Phase::Serving, vec![]));
        }
    }

    #[test]
    fn a_revoked_certificate_loses_its_connections_and_no_other_does() {
        let (s, effects) = run(&[
            Input::Connected(1, "a".into()),
            Input::Connected(2, "b".into()),
            Input::Revoked("a".into()),
        ]);
        assert_eq!(effects, [Effect::Cut(1)]);
        assert_eq!(s.conns.keys().copied().collect::<Vec<_>>(), [2]);
    }

    fn inputs() -> impl Strategy<Value = Input> {
        let state = prop::option::of(prop_oneof![
            Just(LeaseState::Active),
            Just(LeaseState::Suspended),
            Just(LeaseState::Closed)
        ]);
        prop_oneof![
            state.prop_map(Input::Lease),
            (0u64..4, 0u8..3).prop_map(|(c, f)| Input::Connected(c, f.to_string())),
            (0u64..4).prop_map(Input::Disconnected),
            (0u8..3).prop_map(|f| Input::Revoked(f.to_string())),
            (0u8..4).prop_map(|j| Input::Submitted(Hash([j; 32]))),
            (0u8..4).prop_map(|j| Input::JobEnded(Hash([j; 32]))),
        ]
    }

    proptest! {
        #[test]
        fn nobody_is_served_and_nothing_runs_without_a_lease(
            workers in 1usize..4, all in prop::collection::vec(inputs(), 0..60),
        ) {
            let (s, effects) = run_on(workers, &all);
            if s.phase != Phase::Serving {
                prop_assert!(s.conns.is_empty() && s.running.is_empty() && s.queue.is_empty());
            }
            prop_assert!(s.running.len() <= workers);
            prop_assert!(s.running.len() == workers || s.queue.is_empty());
            prop_assert!(effects.iter().filter(|e| **e == Effect::Wipe).count() <= 1);
        }
    }
}
