//! How a program's executions are timed and printed, the same for every explorer: one line
//! `explorer program executions seconds cpu_seconds`.
use std::time::Instant;

/// CPU time of this process so far, in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    // utime and stime, in ticks of 1/100 s.
    (ticks(11) + ticks(12)) / 100.0
}

/// Runs one program, which returns how many executions it had.
pub fn timed(explorer: &str, program: &str, run: impl FnOnce() -> u64) {
    let (cpu_before, start) = (cpu(), Instant::now());
    let executions = run();
    println!("{explorer}\t{program}\t{executions}\t{:.6}\t{:.2}", start.elapsed().as_secs_f64(), cpu() - cpu_before);
}

/// The programs asked for: the arguments, or all.
pub fn wanted(program: &str) -> bool {
    let mut any = false;
    for argument in std::env::args().skip(1) {
        if argument == program {
            return true;
        }
        any = true;
    }
    !any
}
