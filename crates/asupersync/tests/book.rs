//! The code of the book's chapter on the lab (`docs/lab.md`), which shows it piece by piece, and what it prints. Tests that
//! fail are ignored: the chapter runs them by hand, and the tests at the end of this file run them and compare. When lines
//! move, what is printed changes: copy it into the chapter.

use asupersync::prelude::*;
use asupersync::sync::shared::Shared;
use std::sync::Arc;

struct Bank {
    savings: Shared<i64>,
    checking: Shared<i64>,
}

impl Bank {
    fn new() -> Arc<Bank> {
        Arc::new(Bank { savings: Shared::new(100), checking: Shared::new(0) })
    }

    fn total(&self) -> i64 {
        self.savings.get() + self.checking.get()
    }
}

/// A question to another service: others run meanwhile, and it may be cancelled.
async fn is_allowed(cx: &mut Cx, amount: i64) -> Res<bool> {
    cx.step().await;
    cx.checkpoint()?;
    Ok(amount <= 50)
}

mod lost {
    use super::*;

    async fn transfer(cx: &mut Cx, bank: &Bank, amount: i64) -> Res {
        cx.step().await;
        let balance = bank.savings.get();
        if is_allowed(cx, amount).await? {
            bank.savings.set(balance - amount);
            bank.checking.write(|balance| *balance += amount);
        }
        Ok(())
    }

    #[asupersync::lab_test(explore)]
    #[ignore = "fails, as the chapter shows"]
    pub(super) async fn money_is_neither_made_nor_lost(cx: &mut Cx) {
        let bank = Bank::new();
        cx.region(|scope| async {
            for amount in [10, 20] {
                let bank = bank.clone();
                scope.spawn(async move |cx| transfer(cx, &bank, amount).await);
            }
        })
        .await;
        assert_eq!(bank.total(), 100);
    }
}

mod torn {
    use super::*;

    async fn transfer(cx: &mut Cx, bank: &Bank, amount: i64) -> Res {
        cx.step().await;
        cx.checkpoint()?;
        bank.savings.write(|balance| *balance -= amount);
        if is_allowed(cx, amount).await? {
            bank.checking.write(|balance| *balance += amount);
        } else {
            bank.savings.write(|balance| *balance += amount);
        }
        Ok(())
    }

    #[asupersync::lab_test(explore)]
    #[ignore = "fails, as the chapter shows"]
    pub(super) async fn a_transfer_that_is_cancelled_leaves_the_total(cx: &mut Cx) {
        let bank = Bank::new();
        let its = bank.clone();
        let mut transfer = cx.spawn(async move |cx| transfer(cx, &its, 10).await);
        cx.step().await;
        cx.step().await;
        transfer.cancel("the customer has left");
        let _ = transfer.join(cx).await;
        assert_eq!(bank.total(), 100);
    }
}

mod swept {
    use super::*;

    async fn transfer(cx: &mut Cx, bank: &Bank, amount: i64) -> Res {
        cx.step().await;
        cx.checkpoint()?;
        bank.savings.write(|balance| *balance -= amount);
        if is_allowed(cx, amount).await? {
            bank.checking.write(|balance| *balance += amount);
        } else {
            bank.savings.write(|balance| *balance += amount);
        }
        Ok(())
    }

    #[asupersync::lab_test(cancel = "sweep")]
    #[ignore = "fails, as the chapter shows"]
    pub(super) async fn whoever_is_cancelled_the_money_is_there(cx: &mut Cx) {
        let bank = Bank::new();
        cx.region(|scope| async {
            for amount in [10, 20] {
                let bank = bank.clone();
                scope.spawn(async move |cx| transfer(cx, &bank, amount).await);
            }
        })
        .await;
        assert_eq!(bank.total(), 100);
    }
}

mod mended {
    use super::*;

    async fn transfer(cx: &mut Cx, bank: &Bank, amount: i64) -> Res {
        if is_allowed(cx, amount).await? {
            bank.savings.write(|balance| *balance -= amount);
            bank.checking.write(|balance| *balance += amount);
        }
        Ok(())
    }

    #[asupersync::lab_test(explore)]
    async fn money_is_neither_made_nor_lost(cx: &mut Cx) {
        let bank = Bank::new();
        cx.region(|scope| async {
            for amount in [10, 20] {
                let bank = bank.clone();
                scope.spawn(async move |cx| transfer(cx, &bank, amount).await);
            }
        })
        .await;
        assert_eq!(bank.total(), 100);
    }

    #[asupersync::lab_test(cancel = "sweep")]
    async fn whoever_is_cancelled_the_money_is_there(cx: &mut Cx) {
        let bank = Bank::new();
        cx.region(|scope| async {
            for amount in [10, 20] {
                let bank = bank.clone();
                scope.spawn(async move |cx| transfer(cx, &bank, amount).await);
            }
        })
        .await;
        assert_eq!(bank.total(), 100);
    }

    #[asupersync::lab_test(explore)]
    async fn a_transfer_that_is_cancelled_leaves_the_total(cx: &mut Cx) {
        let bank = Bank::new();
        let its = bank.clone();
        let mut transfer = cx.spawn(async move |cx| transfer(cx, &its, 10).await);
        cx.step().await;
        cx.step().await;
        transfer.cancel("the customer has left");
        let _ = transfer.join(cx).await;
        assert_eq!(bank.total(), 100);
    }
}

mod late {
    use super::*;

    async fn transfer(cx: &mut Cx, bank: &Bank, amount: i64) -> Res {
        bank.savings.write(|balance| *balance -= amount);
        let mut answer = cx.spawn(async move |cx| is_allowed(cx, amount).await);
        if answer.join(cx).await.ok()? {
            bank.checking.write(|balance| *balance += amount);
        }
        Ok(())
    }

    #[asupersync::lab_test(explore, time = "eager")]
    #[should_panic(expected = "left: 90")]
    async fn a_transfer_that_takes_too_long_leaves_the_total(cx: &mut Cx) {
        let bank = Bank::new();
        let minute = Duration::from_secs(60);
        let _ = cx.timeout(minute, async |cx| transfer(cx, &bank, 10).await).await;
        assert_eq!(bank.total(), 100);
    }

    /// As long as the clock only moves when nothing can run, nobody is late.
    #[asupersync::lab_test(explore)]
    async fn nobody_is_late_as_long_as_time_waits_for_everybody(cx: &mut Cx) {
        let bank = Bank::new();
        let minute = Duration::from_secs(60);
        let _ = cx.timeout(minute, async |cx| transfer(cx, &bank, 10).await).await;
        assert_eq!(bank.total(), 100);
    }
}

mod chance {
    use super::*;

    #[asupersync::lab_test(explore, random = "branch")]
    #[should_panic(expected = "overdrawn")]
    async fn the_fee_is_paid(cx: &mut Cx) {
        let bank = Bank::new();
        // One transfer in twelve is looked at by somebody, and costs more.
        let fee = if cx.random_below(12) == 7 { 150 } else { 1 };
        bank.savings.write(|balance| *balance -= fee);
        assert!(bank.savings.get() >= 0, "overdrawn");
    }
}

const CHAPTER: &str = include_str!("../../../docs/lab.md");

/// The lines of a text that say something, without the space around them.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// The blocks of the chapter whose first line begins like this.
fn blocks(fence: &str) -> Vec<Vec<&'static str>> {
    let parts = CHAPTER.split("\n```");
    // Every other part is inside of a fence.
    let inside = parts.skip(1).step_by(2).filter(|part| part.starts_with(fence));
    inside.map(|part| lines(part.split_once('\n').expect("a fence is a line of its own").1)).collect()
}

#[test]
fn the_chapter_s_code_is_this_file_s() {
    let source = lines(include_str!("book.rs"));
    let blocks = blocks("rust");
    assert!(blocks.len() >= 6, "the chapter has lost its code");
    for block in blocks {
        assert!(
            source.windows(block.len()).any(|here| here == block),
            "not in book.rs:\n{}",
            block.join("\n")
        );
    }
}

/// What a failing test prints stands in the chapter, line by line.
fn is_shown(test: fn()) {
    let failed = std::panic::catch_unwind(test).expect_err("the chapter shows how it fails");
    let report = failed.downcast::<String>().expect("a report");
    let report = lines(&report);
    let shown =
        blocks("text").into_iter().any(|block| block.windows(report.len()).any(|here| here == report));
    assert!(shown, "not in docs/lab.md:\n{}", report.join("\n"));
}

#[test]
fn the_chapter_s_failures_are_what_the_tests_print() {
    is_shown(lost::money_is_neither_made_nor_lost);
    is_shown(torn::a_transfer_that_is_cancelled_leaves_the_total);
    is_shown(swept::whoever_is_cancelled_the_money_is_there);
}
