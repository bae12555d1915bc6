//! Small programs with a mistake each, and how to tell that it happened.
use explore::mini::{End, Machine, Program};

/// A program and what is wrong with it.
pub(crate) struct Mistake {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// Whether this end of an execution is the mistake.
    pub(crate) happened: fn(&Machine, End) -> bool,
}

impl Mistake {
    fn new(name: &'static str, text: &str, happened: fn(&Machine, End) -> bool) -> Mistake {
        let program = Program::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Mistake { name, program, happened }
    }

    pub(crate) fn machine(&self) -> Machine {
        Machine::new(&self.program)
    }

    pub(crate) fn tasks(&self) -> u64 {
        self.program.tasks().len() as u64
    }
}

fn stuck(_: &Machine, end: End) -> bool {
    end == End::Stuck
}

/// Two locks in opposite orders.
pub(crate) fn ab_ba() -> Mistake {
    Mistake::new("AB-BA", "La;Lb;Ub;Ua || Lb;La;Ua;Ub", stuck)
}

/// Left fork, then right.
pub(crate) fn philosophers(n: usize) -> Mistake {
    let fork = |n: usize| char::from(b'a' + n as u8);
    let one = |i: usize| {
        let (left, right) = (fork(i), fork((i + 1) % n));
        format!("L{left};L{right};U{right};U{left}")
    };
    let text = (0..n).map(one).collect::<Vec<_>>().join(" || ");
    let name = ["philosophers(3)", "philosophers(4)", "philosophers(5)"][n - 3];
    Mistake::new(name, &text, stuck)
}

/// The waiter looks at the flag, registers and waits; the notifier sets the flag and wakes who is registered, which may
/// fall between the look and the registration.
pub(crate) fn lost_wakeup() -> Mistake {
    Mistake::new("lost wakeup", "Rf;?=0{Wr=1;Xc} || Wf=1;Rr;?=1{Sc}", stuck)
}

/// n additions of 1 by a load and a store.
pub(crate) fn lost_update(n: usize) -> Mistake {
    let name = ["lost update(2)", "lost update(3)", "lost update(4)"][n - 2];
    Mistake::new(name, &format!("*{n} Rx;Wx=$+1"), |machine, _| {
        machine.cells()[0] < machine.lasts().len() as i64
    })
}

/// A value is announced before it is there; who finds that out says so.
pub(crate) fn publish_before_init() -> Mistake {
    Mistake::new("publish before init", "Wp=1;Wd=1 || Rp;?=1{Rd;?=0{We=1}}", |machine, _| {
        machine.cells()[2] == 1
    })
}

/// One store against k of another task's, and the one comes last.
pub(crate) fn uneven(k: usize) -> Mistake {
    let many = vec!["Wx=2"; k].join(";");
    Mistake::new("uneven", &format!("Wx=1 || {many}"), |machine, _| machine.cells()[0] == 1)
}

/// Four orderings: the first task begins before the second, which it then falls behind; the second waits for the third.
pub(crate) fn two_falls() -> Mistake {
    let text = "Wa=1;Wx=1 || Ra;?=1{Wb=1;Rc;?=1{Rx;?=0{We=1}}} || Rb;?=1{Wc=1}";
    Mistake::new("two falls", text, |machine, _| machine.cells()[4] == 1)
}

/// All of them.
pub(crate) fn all() -> Vec<Mistake> {
    let mut all = vec![ab_ba(), lost_wakeup(), publish_before_init()];
    all.extend((3..=5).map(philosophers));
    all.extend((2..=4).map(lost_update));
    all
}
