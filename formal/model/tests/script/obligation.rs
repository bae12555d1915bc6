//! Obligations: exactly one way out of `Reserved`, and a region that waits for it.

use super::{legal, refused};
use asupersync_model::Standing;
use types::ObligationId;

#[test]
fn a_record_leaves_reserved_exactly_once() {
    for first in ["obligation-commit", "obligation-abort"] {
        legal(&format!("reserve 1 1; {first} obligation=1"));
        for second in ["obligation-commit", "obligation-abort", "obligation-leak", "obligation-late"] {
            refused(
                "obligation.linear",
                &format!("reserve 1 1; {first} obligation=1; {second} obligation=1"),
            );
        }
        refused(
            "obligation.linear",
            &format!("reserve 1 1; {first} obligation=1; obligation-rehome obligation=1 to=1"),
        );
    }
    refused("obligation.linear", "obligation-commit obligation=1");
    refused("obligation.linear", "reserve 1 1; reserve 1 1");
    refused("obligation.linear", "reserve 1 1; obligation-late obligation=1");
}

const SETTLING: &str = "at 5; frame 2 1 1; reserve 1 2; body 2 ok; drain 2; finalize 2; settle 2";

#[test]
fn a_leak_is_declared_in_settling_after_the_deadline() {
    refused(
        "obligation.balanced",
        "frame 2 1 1; reserve 1 2; body 2 ok; drain 2; at 5000000000; obligation-leak obligation=1",
    );
    refused("obligation.balanced", &format!("{SETTLING}; at 1000000004; obligation-leak obligation=1"));
    legal(&format!(
        "{SETTLING}; at 1000000005; obligation-leak obligation=1; region-close region=2 outcome=ok"
    ));
    let asked = "frame 2 1 1; reserve 1 2; body 2 ok; region-request region=2 kind=explicit origin=2#1 deadline=70; drain 2; finalize 2; settle 2";
    refused("obligation.balanced", &format!("{asked}; at 69; obligation-leak obligation=1"));
    legal(&format!("{asked}; at 70; obligation-leak obligation=1"));
}

#[test]
fn a_commit_after_the_leak_loses_and_is_reported_once() {
    let leaked =
        format!("{SETTLING}; at 1000000005; obligation-leak obligation=1; region-close region=2 outcome=ok");
    refused("obligation.linear", &format!("{leaked}; obligation-commit obligation=1"));
    let state = legal(&format!("{leaked}; obligation-late obligation=1"));
    assert_eq!(state.obligations[&ObligationId::from_u64(1)].standing, Standing::Leaked { late: true });
    refused(
        "obligation.linear",
        &format!("{leaked}; obligation-late obligation=1; obligation-late obligation=1"),
    );
}

#[test]
fn an_owner_is_a_region_that_will_still_wait() {
    refused("obligation.owner", "frame 2 1 1; body 2 ok; drain 2; finalize 2; settle 2; reserve 1 2");
    refused(
        "obligation.owner",
        "frame 2 1 1; body 2 ok; finish 2 ok; reserve 1 1; obligation-rehome obligation=1 to=2",
    );
    legal("frame 2 1 1; body 2 ok; drain 2; finalize 2; reserve 1 2");
    legal(
        "frame 2 1 1; reserve 1 2; body 2 ok; obligation-rehome obligation=1 to=1; finish 2 ok; obligation-commit obligation=1",
    );
    refused("task.once", "obligation-reserve obligation=1 region=1 kind=ack by=9 site=t.rs:1");
}
