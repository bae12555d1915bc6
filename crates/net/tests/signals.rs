//! Signals on the production runtime. Alone in its process, which is sent some.

use asupersync_net::signal::{self, Signal, SignalError, Watch};
use cx::Cx;
use rustix::process::{self, getpid, kill_process};
use types::Res;

fn send(number: process::Signal) {
    kill_process(getpid(), number).expect("sent");
}

#[test]
fn signals_wake_who_waits_and_are_kept_for_who_comes_later() {
    runtime::run(async |cx: &mut Cx| -> Res<(), SignalError> {
        let mut watch = Watch::new(cx, Signal::User1)?;
        // The machine may merge signals of one kind that are pending at once: one at a time.
        for _ in 0..3 {
            send(process::Signal::USR1);
            assert_eq!(watch.recv(cx).await?, 1);
        }

        // Begins to watch before the signals can come.
        let mut interrupt = Watch::new(cx, Signal::Interrupt)?;
        let mut terminate = Watch::new(cx, Signal::Terminate)?;
        let told = cx
            .try_region(|cx| async move {
                let mut told = cx.spawn(async |cx: &mut Cx| signal::shutdown_signal(cx).await);
                while !told.is_finished() {
                    send(process::Signal::TERM);
                    cx.yield_now().await;
                }
                told.join(cx).await.ok()
            })
            .await?;
        assert_eq!(told, Signal::Terminate);
        assert!(terminate.recv(cx).await? >= 1);

        send(process::Signal::INT);
        assert_eq!(interrupt.recv(cx).await?, 1);
        Ok(())
    })
    .expect("signals can be watched");
}
