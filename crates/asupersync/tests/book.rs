//! The code of the book's chapter on the lab (`docs/lab.md`), which shows it piece by piece, and what it prints. Tests that
//! fail are ignored: the chapter runs them by hand, and the tests at the end of this file run them and compare.
#![allow(clippy::disallowed_methods, reason = "the chapter is a file")]

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
