//! The question mark with an error type of the user's own.
//!
//! Not here: the default error type, which the other shapes use.
use super::*;

#[derive(Debug)]
enum Trouble {
    Parse(std::num::ParseIntError),
    Gone,
}

impl From<std::num::ParseIntError> for Trouble {
    fn from(e: std::num::ParseIntError) -> Self {
        Trouble::Parse(e)
    }
}

impl From<Closed> for Trouble {
    fn from(_: Closed) -> Self {
        Trouble::Gone
    }
}

async fn sum(cx: &mut Cx, rx: &mut Receiver<&'static str>) -> Res<u32, Trouble> {
    let mut sum = 0;
    loop {
        match rx.recv(cx).await {
            Ok(text) => sum += text.parse::<u32>()?,
            Err(WaitError::Closed) if sum > 0 => return Ok(sum),
            Err(e) => return Err(e.into()),
        }
    }
}

#[test]
fn the_question_mark_keeps_failure_and_cancellation_apart() {
    let of = |values: &[&'static str]| {
        let (tx, mut rx) = mpsc::channel(4);
        values.iter().for_each(|v| tx.try_send(*v).unwrap());
        drop(tx);
        run(async |cx| cx.timeout(ms(10_000), async |cx| sum(cx, &mut rx).await).await)
    };
    assert_eq!(of(&["40", "2"]).unwrap(), 42);
    assert!(matches!(of(&["x"]), Err(Stop::Err(Trouble::Parse(e))) if e.to_string().contains("digit")));
    assert!(matches!(of(&[]), Err(Stop::Err(Trouble::Gone))));
    let (_tx, mut rx) = mpsc::channel(1);
    let cut = run(async |cx| cx.timeout(ms(5), async |cx| sum(cx, &mut rx).await).await);
    assert!(matches!(cut, Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Deadline));
}
