//! What happens when the process may open no more files. Alone in its process, which it cripples.

#[path = "machine/machine.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod machine;

use machine::Machine;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::fd::AsRawFd;

#[test]
fn an_accept_without_a_free_descriptor_fails_each_time_and_works_again_later() {
    let machine = Machine::new();
    let (listener, at) = machine.listen();
    let waiting = [machine.connect(at), machine.connect(at)];
    let first = machine.accept(&*listener).expect("accepted");

    let before = getrlimit(Resource::Nofile);
    // The lowest free number is the one that the next file would get.
    let next = std::fs::File::open("/dev/null").expect("a file").as_raw_fd();
    let limit = Rlimit { current: Some(u64::try_from(next).expect("a number")), ..before };
    setrlimit(Resource::Nofile, limit).expect("lowered");
    for _ in 0..3 {
        let failure = machine.accept(&*listener).err().expect("no descriptor is left");
        assert_eq!(failure.code, Some(Errno::MFILE.raw_os_error()), "{failure}");
    }
    setrlimit(Resource::Nofile, before).expect("raised");

    let second = machine.accept(&*listener).expect("the connection was still in the queue");
    assert_ne!(first.peer().expect("connected"), second.peer().expect("connected"));
    assert!(waiting.iter().all(Result::is_ok));
}
