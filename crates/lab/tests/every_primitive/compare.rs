//! All that a program comes to, by every schedule one by one and by explorations, and the smallest program for which the
//! two differ.
//!
//! Not here: which programs (`program`, `regressions`).
use crate::every_schedule::every_schedule;
use crate::one_by_one::OneByOne;
use crate::program::{Program, Theme};
use crate::world::run;
use asupersync_lab::{Grain, LabConfig, Search};
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// More schedules of a drawn program than this are too many to run.
const ENOUGH: usize = 600;

type Notes = BTreeSet<String>;

/// Where a program runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) grain: Grain,
    pub(crate) overtakings: u32,
}

impl Setting {
    /// With eager time only those programs that have to do with the clock.
    pub(crate) fn all(program: &Program) -> impl Iterator<Item = Setting> {
        let eager = if program.is_timed() { 1 } else { 0 };
        let grains = [Grain::Operation, Grain::Poll].into_iter();
        grains.flat_map(move |grain| (0..=eager).map(move |overtakings| Setting { grain, overtakings }))
    }

    fn config(self) -> LabConfig {
        LabConfig::default().traced(false).eager_time(self.overtakings)
    }

    fn one_by_one(self, program: &Program, enough: usize) -> Option<Notes> {
        let schedules = match self.overtakings {
            0 => OneByOne::with_empty_beginnings_first(),
            _ => OneByOne::default(),
        };
        let run = |lab: &_| run(lab, program);
        every_schedule(self.config(), self.grain, schedules, enough, run).map(|(notes, _)| notes)
    }

    /// What it finds; or, if it fails, its words.
    fn explored(self, program: &Program, order: Option<u64>) -> Result<Notes, String> {
        let notes = Mutex::new(Notes::new());
        let search = Search::every().grain(self.grain).config(self.config()).shrink(0);
        let search = match order {
            Some(order) => search.in_random_order(order),
            None => search,
        };
        let exploring = AssertUnwindSafe(|| {
            let found = search
                .run_labs("every primitive", None, |lab| notes.lock().unwrap().extend(run(lab, program)));
            assert!(found.complete, "{found}")
        });
        match catch_unwind(exploring) {
            Ok(()) => Ok(notes.into_inner().unwrap()),
            Err(payload) => Err(payload.downcast::<String>().map_or("it panics".to_owned(), |text| *text)),
        }
    }

    /// The first of these orders in which the exploration says something else than all schedules; nothing, if they agree;
    /// and no answer if there are more schedules than `enough`.
    pub(crate) fn compared(
        self,
        program: &Program,
        enough: usize,
        orders: impl IntoIterator<Item = Option<u64>>,
    ) -> Option<Option<Difference>> {
        let all = self.one_by_one(program, enough)?;
        let differs = |order| {
            let found = self.explored(program, order);
            let (setting, program) = (self, program.clone());
            (found.as_ref() != Ok(&all)).then(|| Difference {
                setting,
                order,
                program,
                all: all.clone(),
                found,
            })
        };
        Some(orders.into_iter().find_map(differs))
    }
}

pub(crate) struct Difference {
    setting: Setting,
    order: Option<u64>,
    program: Program,
    all: Notes,
    found: Result<Notes, String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { setting, order, program, all, found } = self;
        write!(f, "{setting:?}, order {order:?}: {:?}, {:?}\n  ", program.tasks, program.ends)?;
        match found {
            Ok(found) => {
                let missed: Vec<_> = all.difference(found).collect();
                let invented: Vec<_> = found.difference(all).collect();
                write!(f, "missed {missed:?}, and found {invented:?}, which isn't there")
            }
            Err(words) => write!(f, "the exploration failed: {words}"),
        }
    }
}

impl Difference {
    /// The smallest program that shows a difference there, in some order.
    fn smallest(self) -> Difference {
        let mut least = self;
        let orders = || std::iter::once(None).chain((0..30).map(Some));
        while let Some(less) = least
            .program
            .smaller()
            .iter()
            .find_map(|smaller| least.setting.compared(smaller, ENOUGH, orders()).flatten())
        {
            least = less
        }
        least
    }
}

/// So many of a theme's programs that show a difference are enough to go on with.
const PLENTY: usize = 5;

/// Fails if an exploration of one of these programs misses something, or finds what isn't there.
pub(crate) fn check_theme(theme: Theme, programs: u64) {
    let (mut compared, mut asked, mut differ) = (0, 0, 0);
    for seed in 0..programs {
        let program = Program::random(theme, seed);
        for setting in Setting::all(&program) {
            asked += 1;
            let orders = [None, Some(seed), Some(!seed)];
            let Some(difference) = setting.compared(&program, ENOUGH, orders) else { continue };
            compared += 1;
            let Some(difference) = difference else { continue };
            eprintln!("{theme:?}, program {seed}: {}", difference.smallest());
            differ += 1;
            assert!(differ < PLENTY, "{theme:?}: explorations of {differ} programs and more went wrong");
        }
    }
    assert_eq!(differ, 0, "{theme:?}: explorations went wrong");
    assert!(3 * compared >= asked, "{compared} of {asked} were small enough");
}
