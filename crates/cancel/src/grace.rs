//! How long cleanup may take (`cancel.bounded`): the defaults, and the absolute deadline made of them.
use core::time::Duration;
use types::Time;

/// Default cleanup budget of a runtime, from the first request to the cleanup deadline.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);
/// What a finalizer or a bracket's release has at least, even past the cleanup deadline.
pub const FINALIZER_GRACE: Duration = Duration::from_secs(1);
/// What a region that settles without any request gives its outstanding obligations.
pub const SETTLE_GRACE: Duration = Duration::from_secs(1);
/// After how long a region that drains without a request first reports who is still there.
pub const FIRST_REPORT: Duration = Duration::from_secs(5);
/// How often it repeats that.
pub const REPORT_EVERY: Duration = Duration::from_secs(30);

/// When cleanup has to be over: the time of the request plus the nearest `grace` that somebody set (the
/// request's own, else the region's, else the runtime's). Absolute, so that a subtree shares it.
pub fn cleanup_deadline(
    now: Time,
    request: Option<Duration>,
    region: Option<Duration>,
    runtime: Duration,
) -> Time {
    now.saturating_add(request.or(region).unwrap_or(runtime))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_grace_that_somebody_set_counts() {
        let (now, s) = (Time::from_nanos(0), Duration::from_secs);
        let after = |request, region| cleanup_deadline(now, request, region, s(10)).saturating_since(now);
        assert_eq!(after(None, None), s(10));
        assert_eq!(after(None, Some(s(3))), s(3));
        assert_eq!(after(Some(s(20)), Some(s(3))), s(20));
    }
}
