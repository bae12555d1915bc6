//! How many clients the process has files for.
//!
//! Each client is an open file. Without one left a client could not even be told that there is no place for it, and
//! would wait for a server that does not see it. So there are never more places than files, as in Redis.
//!
//! Not here: raising the limit; whoever starts the process does (`ulimit -n`).

/// Files for everything but clients: the log, the reactor, signals, the listener, whoever is told that all places are
/// taken.
const RESERVED: usize = 32;

/// How many files this process may open, if there is a limit and it can be known. Where it cannot, the accept loop
/// meets it.
pub(crate) fn limit() -> Option<usize> {
    soft_limit(&std::fs::read_to_string("/proc/self/limits").ok()?)
}

/// The places there can be with so many files.
pub(crate) fn places(files: usize) -> usize {
    files.saturating_sub(RESERVED).max(1)
}

/// The soft limit on open files in the text of `/proc/self/limits`; none if there is no limit.
fn soft_limit(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_on_files_bounds_the_places() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             unlimited            unlimited            processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit(&limits.replace("1024  ", "unlimited")), None);
        assert_eq!(soft_limit(""), None);
        assert_eq!((places(1024), places(10)), (992, 1));
    }
}
