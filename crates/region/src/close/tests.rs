//! What the close of a region is to the one around it.
use crate::Above;
use crate::origin::tests::{opened, root};
use crate::{Drained, Region};
use core::task::{Poll, Waker};
use types::Severity;

fn drained(region: &Region) -> Poll<Drained> {
    region.poll_drained(Waker::noop())
}

/// A task that a shutdown gave up, and that ends while its region is closed in its stead.
#[test]
fn a_region_that_two_close_leaves_the_one_around_it_once() {
    let root = root();
    let (one, other) = (opened(&root, Above::default()), opened(&root, Above::default()));
    for region in [&one, &root] {
        region.end_body(trace::End::Ok)
    }
    assert_eq!(one.close_if_done(), Some(Severity::Ok));
    assert_eq!(one.close_if_done(), Some(Severity::Ok));
    assert_eq!(drained(&one), Poll::Ready(Drained::Closed(Severity::Ok)));
    one.close(Severity::Ok);
    assert_eq!(drained(&root), Poll::Pending, "one is still there");
    other.end_body(trace::End::Ok);
    assert_eq!(other.close_if_done(), Some(Severity::Ok));
    assert_eq!(drained(&root), Poll::Ready(Drained::Closed(Severity::Ok)));
}
