//! A sampler on each program: how many classes of executions it met, and how often some task never ended.
use crate::tasks;
use asupersync_lab::{Executor, Grain, LabConfig, LabFailure, Schedule};
use explore::mini::table::Row;
use explore::{Classified, Coverage};
use std::sync::{Arc, Mutex, PoisonError};

/// Which sampler, and for how long.
pub(crate) struct Sampler {
    name: String,
    runs: u64,
    seed: u64,
}

impl Sampler {
    /// Reads `sampler=NAME,runs=N,seed=N`.
    pub(crate) fn read(text: &str) -> Result<Sampler, String> {
        let mut sampler = Sampler { name: "random".into(), runs: 10_000, seed: 1 };
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or(format!("`{part}` is no `key=value`"))?;
            match key {
                "sampler" => sampler.name = value.into(),
                "runs" => sampler.runs = crate::number("runs", value)?,
                "seed" => sampler.seed = crate::number("seed", value)?,
                _ => return Err(format!("--mode knows sampler, runs and seed, not `{key}`")),
            }
        }
        if sampler.runs == 0 {
            return Err("runs=0 would try nothing: --mode wants at least one run".into());
        }
        sampler.schedule()?;
        Ok(sampler)
    }

    fn schedule(&self) -> Result<Schedule, String> {
        Ok(match self.name.as_str() {
            "random" => Schedule::Random,
            "pct" => Schedule::Pct { depth: 3, steps: 20 },
            "pos" => Schedule::Pos,
            "urw" => Schedule::Urw,
            "rr" | "round-robin" => Schedule::RoundRobin,
            "fifo" => Schedule::Fifo,
            other => {
                return Err(format!("no sampler is called `{other}`: random pct pos urw round-robin fifo"));
            }
        })
    }
}

/// Samples every row, and prints what was met. Rows where more classes were met than there are differ.
pub(crate) fn all<'a>(rows: impl Iterator<Item = &'a Row<'a>>, sampler: &Sampler, grain: Grain) -> u64 {
    println!("name\tclasses\tof\tstuck runs\truns\tunseen");
    let mut differing = 0;
    for row in rows {
        let (coverage, stuck) = sample(row, sampler, grain);
        let unseen = coverage.unseen() * 100.0;
        let (classes, of, runs) = (coverage.classes(), row.traces, coverage.runs());
        println!("{}\t{classes}\t{of}\t{stuck}\t{runs}\t{unseen:.2} %", row.name);
        if grain == Grain::Operation && classes > of {
            eprintln!("{}: {classes} classes were met, but there are {of}", row.name);
            differing += 1;
        }
    }
    differing
}

fn sample(row: &Row<'_>, sampler: &Sampler, grain: Grain) -> (Coverage, u64) {
    let Ok(schedule) = sampler.schedule() else { unreachable!("checked when it was read") };
    let program = Arc::new(row.program.clone());
    let executor = Executor::new(LabConfig::default().traced(false), grain);
    let scheduler = Arc::new(Mutex::new(Classified::new(schedule.scheduler(sampler.seed))));
    let (mut coverage, mut stuck) = (Coverage::new(), 0);
    for _ in 0..sampler.runs {
        let run = executor.execute(&scheduler, |lab| match lab.try_run(|cx| tasks::run(cx, &program)) {
            Ok(()) | Err(LabFailure::Redundant) => {}
            Err(LabFailure::Deadlock { .. }) => stuck += 1,
            Err(other) => panic!("{}: {other}", row.name),
        });
        if let Some(panic) = run.failure {
            std::panic::resume_unwind(panic)
        }
        coverage.saw(scheduler.lock().unwrap_or_else(PoisonError::into_inner).class().0);
    }
    (coverage, stuck)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_nothing_is_refused() {
        assert!(
            Sampler::read("sampler=pct,runs=0").is_err_and(|why| why.contains("runs=0 would try nothing"))
        );
        assert!(Sampler::read("sampler=pct,runs=1").is_ok());
    }

    #[test]
    fn numbers_wrap_around_as_on_the_machine_of_the_mini_language() {
        // A sum that the second addition makes too large, and a value that is one more than the largest.
        let max = i64::MAX;
        let sampler = Sampler::read("sampler=fifo,runs=1").expect("a sampler");
        for program in [format!("Fx+{max};Fx+1"), format!("Wx={max};Rx;Wx=$+1")] {
            let text = format!("columns\nwraps\t{program}\t1\t0\t1\t1\there");
            let rows = explore::mini::table::read(&text).expect("a table");
            assert_eq!((rows.len(), all(rows.iter(), &sampler, Grain::Operation)), (1, 0));
        }
    }
}
