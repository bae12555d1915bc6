//! Recording and replaying, on programs whose executions can be compared.
use crate::programs;
use explore::{
    Candidate, Decisions, Departure, Deviation, Ended, Expected, Fifo, Found, Pct, Point, Pos, Random,
    Recorded, Recording, Replay, RoundRobin, Scheduler, Step, Urw,
};
use trace::Choice;
use types::TaskId;

/// Whose turn it was, step by step, and how it ended.
fn order(
    machine: &mut explore::mini::Machine,
    scheduler: &mut dyn Scheduler,
) -> (Vec<TaskId>, explore::mini::End) {
    struct Watch<'a>(&'a mut dyn Scheduler, Vec<TaskId>);
    impl Scheduler for Watch<'_> {
        fn begin(&mut self) {
            self.0.begin();
        }
        fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
            self.0.pick(point)
        }
        fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
            self.0.choose(what, options, usual)
        }
        fn ran(&mut self, step: &Step<'_>) {
            self.1.extend(step.task);
            self.0.ran(step);
        }
        fn ended(&mut self, how: &Ended<'_>) {
            self.0.ended(how);
        }
    }
    let mut watch = Watch(scheduler, Vec::new());
    let end = machine.run(&mut watch);
    (watch.1, end)
}

#[test]
fn what_any_scheduler_did_is_replayed_step_by_step_through_its_text() {
    for mistake in programs::all() {
        let mut machine = mistake.machine();
        let schedulers: Vec<Box<dyn Scheduler>> = vec![
            Box::new(Fifo),
            Box::new(RoundRobin::new()),
            Box::new(Random::new(1)),
            Box::new(Pct::new(2, 3, 10)),
            Box::new(Pos::new(3)),
            Box::new(Urw::new(4)),
        ];
        for mut scheduler in schedulers {
            for _ in 0..50 {
                let mut recording = Recording::new(Forward(scheduler.as_mut()));
                let first = order(&mut machine, &mut recording);
                let text = Replay::new(mistake.name, recording.taken().decisions).line();
                let replay = Replay::read(&text).expect("what was written is read");
                let mut recorded = Recording::new(Recorded::new(replay.decisions));
                assert_eq!(order(&mut machine, &mut recorded), first, "{}: {text}", mistake.name);
                assert_eq!(recorded.inner().divergence(), None, "{}: {text}", mistake.name);
                assert_eq!(recorded.taken(), recording.taken(), "{}: {text}", mistake.name);
            }
        }
    }
}

struct Forward<'a>(&'a mut dyn Scheduler);

impl Scheduler for Forward<'_> {
    fn begin(&mut self) {
        self.0.begin();
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.0.pick(point)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.0.choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        self.0.ran(step);
    }
    fn ended(&mut self, how: &Ended<'_>) {
        self.0.ended(how);
    }
}

#[test]
fn one_seed_has_one_sequence_of_executions() {
    let mistake = programs::philosophers(4);
    let orders = |scheduler: &mut dyn Scheduler| -> Vec<_> {
        let mut machine = mistake.machine();
        (0..20).map(|_| order(&mut machine, scheduler)).collect()
    };
    assert_eq!(orders(&mut Random::new(7)), orders(&mut Random::new(7)));
    assert_eq!(orders(&mut Pct::new(7, 3, 5)), orders(&mut Pct::new(7, 3, 5)));
    assert_eq!(orders(&mut Pos::new(7)), orders(&mut Pos::new(7)));
    assert_eq!(orders(&mut Urw::new(7)), orders(&mut Urw::new(7)));
    assert_ne!(orders(&mut Random::new(7)), orders(&mut Random::new(8)));
}

#[test]
pub(crate) fn a_program_that_became_another_is_noticed_at_the_first_deviation_that_it_does_not_offer() {
    let mistake = programs::lost_update(3);
    let mut recording = Recording::new(Random::new(1));
    mistake.machine().run(&mut recording);
    let decisions = recording.taken().decisions;
    let third = explore::name_of(TaskId::from_u64(2));
    let first = decisions.deviations().iter().find(|d| d.what == Departure::Task { name: third, nth: 0 });
    let first = *first.expect("the third task overtook somebody");
    // One task fewer.
    let mut recorded = Recorded::new(decisions);
    programs::lost_update(2).machine().run(&mut recorded);
    let divergence = recorded.divergence().expect("the third task is gone").clone();
    assert_eq!(divergence.decision, first.at);
    assert_eq!(divergence.expected, Expected::Departure(first.what));
    assert!(matches!(&divergence.found, Found::Candidates(tasks) if tasks.len() <= 2), "{divergence}");
    let words = format!(
        "decision {}: the recording picks the task named {third:02x}, but the candidates are",
        first.at
    );
    assert!(divergence.to_string().starts_with(&words), "{divergence}");
}

#[test]
pub(crate) fn a_program_that_goes_another_way_between_deviations_is_noticed_at_the_end() {
    let mut recording = Recording::new(Fifo);
    programs::lost_update(3).machine().run(&mut recording);
    let mut recorded = Recorded::new(recording.taken().decisions);
    programs::publish_before_init().machine().run(&mut recorded);
    let divergence = recorded.divergence().expect("another program");
    assert_eq!((&divergence.expected, &divergence.found), (&Expected::Decisions { len: 6 }, &Found::End));
    programs::lost_wakeup().machine().run(&mut recorded);
    let divergence = recorded.divergence().expect("another program");
    assert_eq!((divergence.decision, &divergence.expected), (6, &Expected::SameRun));
}

fn candidates(tasks: &[u64]) -> Vec<Candidate> {
    tasks.iter().map(|task| Candidate::silent(TaskId::from_u64(*task))).collect()
}

#[test]
fn a_task_is_found_by_its_name_wherever_it_stands() {
    let what = Departure::Task { name: explore::name_of(TaskId::from_u64(3)), nth: 0 };
    let mut recorded = Recorded::new(Decisions::new(1, vec![Deviation { at: 0, what }]));
    for tasks in [[1, 2, 3], [3, 1, 2], [2, 3, 1]] {
        recorded.begin();
        let candidates = candidates(&tasks);
        let picked = recorded.pick(&Point { candidates: &candidates, usual: 0 }).expect("it never gives up");
        assert_eq!(tasks[picked], 3);
    }
}

#[test]
fn tasks_of_one_short_name_are_told_apart_by_their_order() {
    let name = explore::name_of(TaskId::from_u64(1));
    let alike: Vec<u64> = (1..).filter(|n| explore::name_of(TaskId::from_u64(*n)) == name).take(3).collect();
    let candidates = candidates(&[alike[0], 2, alike[1], alike[2]]);
    for nth in 0..3 {
        let what = Departure::Task { name, nth };
        let mut recorded = Recorded::new(Decisions::new(1, vec![Deviation { at: 0, what }]));
        recorded.begin();
        let picked = recorded.pick(&Point { candidates: &candidates, usual: 1 }).expect("it never gives up");
        assert_eq!(candidates[picked].task.as_u64(), alike[nth as usize]);
        // And recorded like that again.
        let mut recording = Recording::new(Recorded::new(recorded.decisions().clone()));
        recording.begin();
        recording.pick(&Point { candidates: &candidates, usual: 1 });
        assert_eq!(recording.taken().decisions.deviations()[0].what, what);
    }
}

#[test]
fn choices_are_recorded_with_the_picks_and_checked_for_their_kind() {
    let run = |scheduler: &mut dyn Scheduler, kinds: [Choice; 2]| -> Vec<u32> {
        let candidates = candidates(&[1, 2]);
        scheduler.begin();
        let mut answers = Vec::new();
        for kind in kinds {
            scheduler.pick(&Point { candidates: &candidates, usual: 0 });
            answers.push(scheduler.choose(kind, 1000, 0));
        }
        scheduler.ended(&Ended { stuck: &[] });
        answers
    };
    let kinds = [Choice::Io, Choice::Fault];
    let mut recording = Recording::new(Random::new(1));
    let answers = run(&mut recording, kinds);
    let mut recorded = Recorded::new(recording.taken().decisions);
    assert_eq!(run(&mut recorded, kinds), answers);
    assert_eq!(recorded.divergence(), None);
    // The second choice is about something else: it goes as usual, and the divergence says so.
    assert_eq!(run(&mut recorded, [Choice::Io, Choice::Time]), [answers[0], 0]);
    let divergence = recorded.divergence().expect("another kind");
    assert_eq!(
        (divergence.decision, &divergence.found),
        (3, &Found::Options { what: Choice::Time, options: 1000 })
    );
}
