//! Random walks through the model: from every state that is reached, labels that are legal lead to
//! states that keep every invariant, and labels that aren't change nothing.
//!
//! A walk draws labels with a small bias to ones that fit the state, so that regions do close; what
//! the rules make of each is the model's own business, and the invariants are counted afresh after
//! every step. The dice are our own: the same seed gives the same walk for ever.

use std::collections::{BTreeMap, BTreeSet};

use asupersync_model::{RULES, State, Task, check, check_step, step};
use trace::{
    End, Escalation, FinalizerEnd, FinalizerId, Label, Refused, RegionKind, RegionPhase, ScopeEnd, ScopeId,
    ScopeKind, Site, TimerId,
};
use types::{
    AfterGrace, CancelKind, ObligationId, ObligationKind, Origin, Policy, RegionId, Severity, TaskId, Time,
};

/// SplitMix64 (Steele, Lea, Flood 2014): tiny, and good enough to choose labels.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Some key of a map, mostly; sometimes one that isn't there.
    fn key<K: Copy + Ord, V>(&mut self, map: &BTreeMap<K, V>, absent: K) -> K {
        if map.is_empty() || self.chance(3) {
            return absent;
        }
        let at = self.below(map.len());
        *map.keys().nth(at).expect("below the length")
    }
}

/// Draws the next label to try.
struct Walker {
    dice: Dice,
    fresh: u64,
}

impl Walker {
    fn new(seed: u64) -> Self {
        Self { dice: Dice(seed), fresh: 1 }
    }

    /// A new number, mostly; sometimes one that is in use.
    fn fresh(&mut self) -> u64 {
        self.fresh += u64::from(self.dice.chance(98));
        self.fresh
    }

    fn region(&mut self, state: &State) -> RegionId {
        self.dice.key(&state.regions, RegionId::from_u64(9999))
    }

    fn task(&mut self, state: &State) -> TaskId {
        self.dice.key(&state.tasks, TaskId::from_u64(9999))
    }

    /// A scope of any sort: an inner one, a task's root, a region's body.
    fn scope(&mut self, state: &State) -> ScopeId {
        match self.dice.below(3) {
            0 => ScopeId(self.region(state).as_u64()),
            1 => ScopeId(self.task(state).as_u64()),
            _ => self.dice.key(&state.scopes, ScopeId(9999)),
        }
    }

    fn kind(&mut self) -> CancelKind {
        CancelKind::from_u8(1 + self.dice.below(10) as u8).expect("ten kinds")
    }

    /// A request: mostly one that was made somewhere, sometimes a new one on `own`.
    fn request(&mut self, state: &State, own: u64) -> (CancelKind, Origin) {
        let made = || {
            let regions = state.regions.values().map(|region| &region.requests);
            let tasks = state.tasks.values().map(|task| &task.requests);
            let scopes = state.scopes.values().map(|scope| &scope.requests);
            regions.chain(tasks).chain(scopes).flat_map(|requests| requests.all.iter())
        };
        let count = made().count();
        if count > 0 && self.dice.chance(60) {
            let at = self.dice.below(count);
            let request = made().nth(at).expect("below the count");
            (request.kind, request.origin)
        } else {
            (self.kind(), Origin { scope: own, request: self.dice.below(3) as u32 })
        }
    }

    fn deadline(&mut self, state: &State) -> Time {
        let later = [Time::MAX, Time::from_nanos(state.now.as_nanos() + 5), Time::from_nanos(3)];
        self.dice.pick(&later)
    }

    fn end(&mut self, state: &State, own: u64) -> End {
        match self.dice.below(8) {
            0 => End::Err,
            1 => End::Panicked,
            2 => {
                let (kind, origin) = self.request(state, own);
                End::Cancelled { kind, origin }
            }
            _ => End::Ok,
        }
    }

    fn open(&mut self, state: &State) -> Label {
        let kind = self.dice.pick(&[
            RegionKind::Frame,
            RegionKind::Implicit,
            RegionKind::Implicit,
            RegionKind::Branch,
        ]);
        let within = self.scope(state);
        let owner = state.tasks.get(&TaskId::from_u64(within.0)).map(|task: &Task| task.region);
        let parent = match owner {
            Some(owner) if self.dice.chance(70) => owner,
            _ => self.region(state),
        };
        Label::RegionOpen {
            region: RegionId::from_u64(self.fresh()),
            parent: Some(parent),
            within: Some(within),
            kind,
            policy: self.dice.pick(&Policy::ALL),
            after_grace: self.dice.pick(&AfterGrace::ALL),
            shielded: self.dice.chance(10),
            site: Site::new("walk.rs", 1),
        }
    }

    fn label(&mut self, state: &State) -> Label {
        if state.regions.is_empty() {
            let (parent, within) = (None, None);
            let (policy, after_grace) = (Policy::FailFast, AfterGrace::Wait);
            let (region, site) = (RegionId::from_u64(1), Site::new("walk.rs", 1));
            let kind = RegionKind::Root;
            return Label::RegionOpen {
                region,
                parent,
                within,
                kind,
                policy,
                after_grace,
                shielded: false,
                site,
            };
        }
        match self.dice.below(12) {
            0 => self.open(state),
            1..=3 => self.about_region(state),
            4..=5 => self.about_task(state),
            6 => self.about_scope(state),
            7..=8 => self.about_request(state),
            9 => self.about_finalizer(state),
            10 => self.about_obligation(state),
            _ => self.about_time(state),
        }
    }

    fn about_region(&mut self, state: &State) -> Label {
        let region = self.region(state);
        let site = Site::new("walk.rs", 2);
        match self.dice.below(10) {
            0 => Label::BodyDropped { region, to: self.region(state), site },
            1 => Label::BodyEnd { region, end: self.end(state, region.as_u64()) },
            2 => {
                let owing = state.regions.iter().find(|(_, found)| found.owes_escalation.is_some());
                let region = owing.map_or(region, |(owing, _)| *owing);
                let to = state.regions.get(&region).and_then(|found| found.within).unwrap_or(ScopeId(1));
                let what = self.dice.pick(&[
                    Escalation::Panic,
                    Escalation::ChildFailed,
                    Escalation::Returned,
                    Escalation::Visible,
                ]);
                Label::Escalate { region, to, what }
            }
            3 => Label::SpawnRefused {
                region,
                origin: Origin { scope: region.as_u64(), request: 0 },
                why: self.dice.pick(&[Refused::NotOpen, Refused::Shutdown]),
            },
            4 => Label::RegionWriteOff { region },
            5 => Label::RegionClose { region, outcome: self.dice.pick(&[Severity::Ok, Severity::Err]) },
            _ => self.advance_region(state, region),
        }
    }

    /// The step that would bring a region nearer to its close, if it's ready.
    fn advance_region(&mut self, state: &State, region: RegionId) -> Label {
        let Some(found) = state.regions.get(&region) else {
            return Label::RegionState { region, to: RegionPhase::Closed };
        };
        let to = match found.phase {
            RegionPhase::Open if found.body.is_none() && !found.dropped && found.parent.is_some() => {
                return Label::BodyEnd { region, end: End::Ok };
            }
            RegionPhase::Open => RegionPhase::Draining,
            RegionPhase::Draining => RegionPhase::Finalizing,
            RegionPhase::Finalizing => RegionPhase::Settling,
            RegionPhase::Settling | RegionPhase::Closed => {
                let all =
                    [Severity::Ok, Severity::Ok, Severity::Err, Severity::Cancelled, Severity::Panicked];
                return Label::RegionClose { region, outcome: self.dice.pick(&all) };
            }
        };
        Label::RegionState { region, to }
    }

    fn about_task(&mut self, state: &State) -> Label {
        let task = self.task(state);
        match self.dice.below(12) {
            0..=3 => Label::TaskSpawn {
                task: TaskId::from_u64(self.fresh()),
                region: self.region(state),
                daemon: self.dice.chance(15),
                site: Site::new("walk.rs", 3),
            },
            4 => Label::TaskJoined { task, by: self.dice.chance(50).then(|| self.task(state)) },
            5 => Label::TaskAbandon { task },
            6 => Label::TaskWriteOff { task },
            _ => {
                let end = self.end(state, task.as_u64());
                let failure = end != End::Ok && self.dice.chance(80);
                let owner = state.tasks.get(&task).map_or(0, |found| found.region.as_u64());
                let own = end.origin().is_some_and(|origin| origin.scope == owner);
                let consequential = own != self.dice.chance(5);
                Label::TaskEnd { task, end, failure, consequential }
            }
        }
    }

    fn about_scope(&mut self, state: &State) -> Label {
        let scope = self.dice.key(&state.scopes, ScopeId(9999));
        match self.dice.below(6) {
            0..=2 => {
                let task = self.task(state);
                // Mostly inside something that is open, so that races get branches.
                let open = state.scopes.iter().rfind(|(_, found)| found.end.is_none());
                let (task, parent) = match open {
                    Some((scope, found)) if self.dice.chance(50) => (found.task, *scope),
                    _ => (task, ScopeId::from(task)),
                };
                let kind = self.dice.pick(&[
                    ScopeKind::Combinator,
                    ScopeKind::Branch,
                    ScopeKind::Masked,
                    ScopeKind::Phase { masked: false },
                ]);
                Label::ScopeOpen { scope: ScopeId(self.fresh()), parent, task, kind }
            }
            3 => {
                let race = state.scopes.get(&scope).map_or(scope, |found| found.parent);
                Label::RaceWon { race, winner: scope }
            }
            4 => Label::ReleaseSkipped { scope, site: Site::new("walk.rs", 4) },
            _ => Label::ScopeClose {
                scope,
                end: self.dice.pick(&[
                    ScopeEnd::Returned,
                    ScopeEnd::Returned,
                    ScopeEnd::Dropped,
                    ScopeEnd::Forced,
                ]),
            },
        }
    }

    fn about_request(&mut self, state: &State) -> Label {
        let deadline = self.deadline(state);
        match self.dice.below(8) {
            0 | 1 => {
                let region = self.region(state);
                let (kind, origin) = self.request(state, region.as_u64());
                Label::RegionRequest { region, kind, origin, deadline }
            }
            2 | 3 => {
                let task = self.task(state);
                let (kind, origin) = self.request(state, task.as_u64());
                Label::TaskRequest { task, kind, origin, deadline }
            }
            4 => {
                let scope = self.dice.key(&state.scopes, ScopeId(9999));
                let (kind, origin) = self.request(state, scope.0);
                Label::ScopeRequest { scope, kind, origin, deadline }
            }
            5 => {
                let task = self.task(state);
                let (kind, origin) = self.request(state, task.as_u64());
                Label::TaskAck { task, scope: ScopeId::from(task), kind, origin }
            }
            6 => {
                let effective = self.dice.chance(50).then(|| self.kind());
                Label::Checkpoint { scope: self.scope(state), effective }
            }
            _ => Label::MaskPierced { scope: self.dice.key(&state.scopes, ScopeId(9999)) },
        }
    }

    fn about_finalizer(&mut self, state: &State) -> Label {
        let finalizer = self.dice.key(&state.finalizers, FinalizerId(9999));
        let region = state.finalizers.get(&finalizer).map_or(RegionId::from_u64(1), |found| found.region);
        match self.dice.below(5) {
            0 => Label::FinalizerRegister {
                region: self.region(state),
                finalizer: FinalizerId(self.fresh()),
                site: Site::new("walk.rs", 5),
            },
            1 | 2 => Label::FinalizerRun { region, finalizer },
            _ => {
                let end = self.dice.pick(&[FinalizerEnd::Ok, FinalizerEnd::Failed, FinalizerEnd::Panicked]);
                Label::FinalizerEnd { region, finalizer, end }
            }
        }
    }

    fn about_obligation(&mut self, state: &State) -> Label {
        let obligation = self.dice.key(&state.obligations, ObligationId::from_u64(9999));
        match self.dice.below(7) {
            0 | 1 => Label::ObligationReserve {
                obligation: ObligationId::from_u64(self.fresh()),
                region: self.region(state),
                kind: ObligationKind::Lease,
                by: None,
                site: Site::new("walk.rs", 6),
            },
            2 => Label::ObligationCommit { obligation },
            3 => Label::ObligationAbort { obligation },
            4 => Label::ObligationLeak { obligation },
            5 => Label::ObligationRehome { obligation, to: self.region(state) },
            _ => Label::ObligationLate { obligation },
        }
    }

    fn about_time(&mut self, state: &State) -> Label {
        let timer = self.dice.key(&state.timers, TimerId(9999));
        match self.dice.below(5) {
            0 => {
                let at = Time::from_nanos(state.now.as_nanos() + self.dice.below(4) as u64);
                Label::TimerArm { timer: TimerId(self.fresh()), task: None, at }
            }
            1 => Label::TimerFire { timer },
            2 => Label::TimerDisarm { timer },
            _ => {
                let to = state.now.as_nanos() + [1, 3, 2_000_000_000][self.dice.below(3)];
                Label::TimeAdvance { to: Time::from_nanos(if self.dice.chance(5) { 0 } else { to }) }
            }
        }
    }
}

/// Walks, and tells which labels were taken and which rules have refused one.
fn walk(seed: u64, steps: usize, taken: &mut BTreeSet<&'static str>, refusing: &mut BTreeSet<&'static str>) {
    let mut walker = Walker::new(seed);
    let mut state = State::EMPTY;
    for at in 0..steps {
        let label = walker.label(&state);
        let before = state.clone();
        match step(&mut state, &label) {
            Ok(()) => {
                taken.insert(label.name());
                check(&state).unwrap_or_else(|why| panic!("seed {seed}, step {at}, after {label}: {why}"));
                check_step(&before, &state)
                    .unwrap_or_else(|why| panic!("seed {seed}, step {at}, {label}: {why}"));
            }
            Err(refusal) => {
                assert!(RULES.contains(&refusal.rule), "seed {seed}, step {at}: {refusal}");
                assert!(state == before, "seed {seed}, step {at}: refused {label} left traces: {refusal}");
                refusing.insert(refusal.rule);
            }
        }
    }
}

#[test]
fn every_walk_keeps_every_invariant_and_refused_labels_change_nothing() {
    let (mut taken, mut refusing) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..300 {
        walk(seed, 400, &mut taken, &mut refusing);
    }
    // A walk that never gets somewhere proves nothing about it.
    let engine = [
        "task-poll",
        "task-park",
        "task-wake",
        "decision",
        "wait-for",
        "deadlock",
        "stuck",
        "lost-wakeup",
        "livelock",
        "futurelock",
    ];
    let missing: Vec<_> = Label::NAMES
        .iter()
        .filter(|name| {
            !taken.contains(*name) && !engine.contains(name) && !["foreign-call", "user"].contains(name)
        })
        .collect();
    assert!(missing.is_empty(), "no walk has taken {missing:?}");
    let silent: Vec<_> =
        RULES.iter().filter(|rule| !refusing.contains(*rule) && !REPLAY_ONLY.contains(rule)).collect();
    assert!(silent.is_empty(), "no walk was refused by {silent:?}");
}

/// Rules that only a whole trace can break.
const REPLAY_ONLY: &[&str] = &["event.order"];
