//! A sampler on each program: how many classes of executions it met, and how often it met what: each result, and that some task
//! never ended.
use crate::hits::Hits;
use crate::{Asked, tasks};
use asupersync_lab::{Executor, Grain, LabConfig, LabFailure, Schedule};
use explore::mini::table::Row;
use explore::{Classified, Coverage};
use std::sync::{Arc, Mutex, PoisonError};
use sync::shared::Shared;

/// Which sampler, and for how long.
#[derive(Debug)]
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

/// How many results of a program are told, the commonest first.
const TOLD: usize = 20;

/// What a run comes to in which somebody never ends.
const STUCK: &str = "stuck";

/// Samples every row, and prints what was met. Rows where more classes were met than there are differ; so do those with
/// a run that failed.
pub(crate) fn all<'a>(rows: impl Iterator<Item = &'a Row<'a>>, sampler: &Sampler, asked: &Asked) -> u64 {
    println!(
        "name\tclasses\tof\tstuck runs\truns\tunseen\tstuck, with 99 % confidence\trarest class\tcommonest class"
    );
    let mut differing = 0;
    for row in rows {
        let (coverage, hits) = match sample(row, sampler, asked.grain) {
            Ok(sampled) => sampled,
            Err((run, why)) => {
                let Sampler { name, seed, .. } = sampler;
                let mode = format!("sampler={name},runs={run},seed={seed}");
                println!("# {} fails in run {run} of {name} with seed {seed}: {why}", row.name);
                println!("# to run this again: {}", asked.again(row.name, &mode, None));
                differing += 1;
                continue;
            }
        };
        let unseen = coverage.unseen() * 100.0;
        let (classes, of, runs) = (coverage.classes(), row.traces, coverage.runs());
        let (stuck, (rarest, commonest)) = (hits.of(STUCK), hits.extremes());
        let rate = hits.rate(stuck);
        println!(
            "{}\t{classes}\t{of}\t{stuck}\t{runs}\t{unseen:.2} %\t{rate}\t{rarest}\t{commonest}",
            row.name
        );
        let results = hits.results();
        for (result, hits, rate) in results.iter().take(TOLD) {
            println!("#\t{result}\t{hits}\t{rate}")
        }
        if results.len() > TOLD {
            println!("#\tand {} other results", results.len() - TOLD)
        }
        if asked.grain == Grain::Operation && classes > of {
            eprintln!("{}: {classes} classes were met, but there are {of}", row.name);
            differing += 1;
        }
    }
    differing
}

/// What was met; or in which run something else happened, and what.
fn sample(row: &Row<'_>, sampler: &Sampler, grain: Grain) -> Result<(Coverage, Hits), (u64, String)> {
    let Ok(schedule) = sampler.schedule() else { unreachable!("checked when it was read") };
    let program = Arc::new(row.program.clone());
    let executor = Executor::new(LabConfig::default().traced(false), grain);
    let scheduler = Arc::new(Mutex::new(Classified::new(schedule.scheduler(sampler.seed))));
    let (mut coverage, mut hits) = (Coverage::new(), Hits::default());
    for number in 1..=sampler.runs {
        let mut result = Ok(String::new());
        let run = executor.execute(&scheduler, |lab| {
            let look = |cells: &[Shared<i64>], read: &[Option<i64>]| {
                let cells = program.cells().iter().zip(cells);
                let cells = cells.map(|(name, cell)| format!("{name}={}", cell.get()));
                let read =
                    read.iter().zip(1..).filter_map(|(read, n)| Some(format!("task {n} reads {}", (*read)?)));
                cells.chain(read).collect::<Vec<_>>().join(", ")
            };
            result = match lab.try_run(async |cx| tasks::run_to(cx, &program, look).await) {
                Ok(cells) => Ok(cells),
                Err(LabFailure::Deadlock { .. }) => Ok(STUCK.into()),
                Err(other) => Err(other.to_string()),
            }
        });
        let result = match run.failure {
            Some(panic) => Err(crate::words(&*panic)),
            None => result,
        };
        let class = scheduler.lock().unwrap_or_else(PoisonError::into_inner).class().0;
        coverage.saw(class);
        hits.saw(result.map_err(|why| (number, why))?, class)
    }
    Ok((coverage, hits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_tell_what_cells_hold_and_tasks_have_read() {
        let text = "columns\nSB\tWx=1;Ry || Wy=1;Rx\t3\t0\t3\t3\there";
        let rows = explore::mini::table::read(text).expect("a table");
        let sampler = Sampler::read("sampler=random,runs=200").expect("a sampler");
        let (coverage, hits) = sample(&rows[0], &sampler, Grain::Operation).expect("no run fails");
        let results: Vec<_> = hits.results().into_iter().map(|(result, ..)| result.to_string()).collect();
        assert_eq!((coverage.classes(), results.len()), (3, 3), "{results:?}");
        assert!(results.contains(&"x=1, y=1, task 1 reads 0, task 2 reads 1".into()), "{results:?}");
    }

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
            assert_eq!((rows.len(), all(rows.iter(), &sampler, &Asked::default())), (1, 0));
        }
    }
}
