//! `region`, `try_region` and their kin: a region in the frame of its opener.
use crate::close::{self, Rest};
use crate::finalizer::FinalizerFn;
use crate::port::{Caught, PanicPayload};
use crate::raw::ext::{self, ChildSlot};
use crate::raw::place::Place;
use crate::raw::scope::{self, Scope};
use crate::spawn::Task;
use crate::{Cx, MaySpawn, NoSpawn, Row, outcome};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::{Pin, pin};
use core::task::Poll;
use core::time::Duration;
use region::{Body, Isolated, Lost, OnFailure, Open, Region, Settlement};
use task::{TaskRef, Verdict, control};
use trace::{End, Escalation, RegionKind, ScopeId};
use types::{AfterGrace, Policy, Res, Stop};

/// How a region is to behave. Start with [`RegionOptions::fail_fast`], [`RegionOptions::isolate`] or
/// [`RegionOptions::keep_going`].
pub struct RegionOptions {
    policy: Policy,
    after_grace: Option<AfterGrace>,
    grace: Option<Duration>,
    on_failure: Option<OnFailure>,
    name: Option<Cow<'static, str>>,
}

impl core::fmt::Debug for RegionOptions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RegionOptions").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Default for RegionOptions {
    fn default() -> Self {
        RegionOptions::fail_fast()
    }
}

impl RegionOptions {
    fn with(policy: Policy) -> RegionOptions {
        RegionOptions { policy, after_grace: None, grace: None, on_failure: None, name: None }
    }

    /// A member's failure cancels its siblings and the body. The default.
    pub fn fail_fast() -> RegionOptions {
        RegionOptions::with(Policy::FailFast)
    }

    /// A member's failure concerns nobody else: it goes to [`RegionOptions::on_failure`] and a counter. For
    /// servers.
    pub fn isolate() -> RegionOptions {
        RegionOptions::with(Policy::Isolate)
    }

    /// A member's failure cancels nobody: it waits for the close, then escalates as under `fail_fast`. One failure does, the first
    /// panic or else the first other one; the rest is reported.
    pub fn keep_going() -> RegionOptions {
        RegionOptions::with(Policy::Collect)
    }

    /// What the region is called in dumps. Default: `region`, and where it was opened.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> RegionOptions {
        self.name = Some(name.into());
        self
    }

    /// What an isolating region does with each failure.
    #[must_use]
    pub fn on_failure(mut self, f: impl Fn(&Isolated) + Send + Sync + 'static) -> RegionOptions {
        self.on_failure = Some(Box::new(f));
        self
    }

    /// Cleanup budget of requests that bring none.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> RegionOptions {
        self.grace = Some(grace);
        self
    }

    /// What happens to tasks that are still there at the cleanup deadline.
    #[must_use]
    pub fn after_grace(mut self, after: AfterGrace) -> RegionOptions {
        self.after_grace = Some(after);
        self
    }
}

/// What [`Cx::collect`] returns.
#[derive(Debug)]
pub struct Collected<T> {
    /// The body's value.
    pub value: T,
    /// Members that did not end in `Ok` and that nobody joined, with what they ended in.
    pub lost: Vec<Lost>,
    /// How many members ended, in all.
    pub ended: u64,
}

/// An open frame. Dropping it before `finish` leaves the region to the enclosing one.
struct Frame {
    region: Arc<Region>,
    task: TaskRef,
    address: usize,
    finished: bool,
}

impl Frame {
    /// As `try_open`, where there is no result to say no in.
    fn open<C: Row>(cx: &Cx<C>, options: RegionOptions, at: &'static Location<'static>) -> Frame {
        match Frame::try_open(cx, options, at) {
            Ok(frame) => frame,
            Err(enclosing) => not_open(&enclosing, at),
        }
    }

    /// Opens the region, or returns the one around that is not open to it any more.
    fn try_open<C: Row>(
        cx: &Cx<C>,
        options: RegionOptions,
        at: &'static Location<'static>,
    ) -> Result<Frame, Arc<Region>> {
        let enclosing = cx.enclosing_region();
        let open = Open {
            policy: options.policy,
            after_grace: options.after_grace.unwrap_or(enclosing.after_grace()),
            grace: options.grace,
            kind: RegionKind::Frame,
            body: Body::Task(cx.header().counted(), cx.task_id()),
            within: Some(ScopeId(cx.scope_id())),
            scopes_above: crate::scope::scopes_above(cx.place()),
            masks: crate::scope::masks_above(cx.place()),
            at,
            on_failure: options.on_failure,
        };
        let region = match enclosing.open_child(open, cx.world().clock.now()) {
            Ok(region) => region,
            Err(_) => return Err(enclosing),
        };
        if let Some(name) = options.name {
            region.set_name(name)
        }
        let task = cx.header().counted();
        // A request that was made on an enclosing scope is pending in the region from the start. Listed first:
        // one that is made from now on finds the region there.
        ext::make(&task).note_opened(&region);
        // Where nobody asked anything of the task, nobody did of a scope: as for a checkpoint.
        if task.control() & control::ATTENTION != 0
            && let Some(c) = crate::scope::requested(cx.place())
        {
            close::inherit(&region, cx.world(), &c, crate::scope::cleanup_deadline(cx.place()));
        }
        let id = region.id().as_u64();
        let mut body = Scope::new(task.as_ptr(), cx.address(), id, None).with_region(region.clone());
        body.env = cx.inherited_env();
        let slot: &ChildSlot = match cx.place() {
            Place::Root(h) => &ext::make(h).child,
            Place::Inner(s) => &s.child,
        };
        let address = scope::place_child(slot, body);
        Ok(Frame { region, task, address, finished: false })
    }

    /// The context of the body.
    fn cx<'a, C: Row>(&self) -> &'a mut Cx<C> {
        scope::enter_child(self.address)
    }

    /// The body is over: closes the region and says what was lost.
    async fn finish(&mut self, end: End, rest: Rest) -> Settlement {
        self.region.end_body(end);
        if end.severity() == types::Severity::Ok && !types::seeded!("obligation.body-keeps") {
            self.region.pass_obligations_up();
        }
        let mut settlement = close::close(&self.region, &self.task, rest).await;
        if settlement.visible.is_some() {
            self.region.emit_escalation(Escalation::Visible);
        }
        if let Some(c) = scope::seen_in_child(self.address, &self.region) {
            settlement.see_in(&self.region, &c)
        }
        ext::make(&self.task).forget(&self.region);
        self.finished = true;
        settlement
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        if !self.finished {
            ext::make(&self.task).forget(&self.region);
            close::janitor(&self.task, &self.region)
        }
    }
}

/// The mistake is the caller's: nothing of a region is within reach after its end but what was kept.
#[cold]
fn not_open(enclosing: &Region, at: &Location<'_>) -> ! {
    panic!(
        "the code at {at} opens a region through a `Cx` that was kept past the end of its own region: {}, opened at \
         {}, is {:?} and cannot wait for another one. Use the `Cx` of the code around instead (`try_region` would \
         return `Cancelled` here)",
        enclosing.id(),
        enclosing.opened_at(),
        enclosing.phase()
    )
}

/// Runs a body, catching its panic.
pub(crate) async fn caught<F: Future>(
    body: F,
    catch: fn(&mut dyn FnMut()) -> Caught,
) -> Result<F::Output, PanicPayload> {
    let mut body = pin!(body);
    poll_fn(|context| {
        let mut polled = Poll::Pending;
        match catch(&mut || polled = body.as_mut().poll(context)) {
            Err(payload) => Poll::Ready(Err(payload)),
            Ok(()) => polled.map(Ok),
        }
    })
    .await
}

impl<C: Row> Cx<C> {
    /// Opens a region, runs `body` in it, and returns the body's value once everything in the region has
    /// ended.
    ///
    /// Tasks spawned through the inner context belong to the region and may outlive the body, not the
    /// region. A body that returned never cancels its children: this waits for them. See
    /// [`Cx::try_region`] for one that does on `Err`.
    ///
    /// A failure that nobody joined becomes a `ChildFailed` cancellation of the awaiting scope, returned by
    /// its next checkpoint; a panic is resumed here. Of several one does so; the others are reported.
    ///
    /// # Panics
    /// With the body's panic, or a member's that nobody joined, after the region has closed. Also if this
    /// context's own region has closed already (it was kept past its region's end).
    ///
    /// # Cancel behaviour
    /// Not refused: the body sees the request at its own checkpoints. Dropped before its end (a foreign
    /// `select!`), its children are cancelled and the enclosing region awaits them.
    #[track_caller]
    pub fn region<'a, F, Fut>(&'a mut self, body: F) -> impl Future<Output = Fut::Output> + use<'a, C, F, Fut>
    where
        C: MaySpawn,
        F: FnOnce(&'a mut Cx<C>) -> Fut,
        Fut: Future,
    {
        self.region_in(Location::caller(), RegionOptions::fail_fast(), body)
    }

    /// As [`Cx::region`], with a policy, a cleanup budget, and what happens when it is spent.
    #[track_caller]
    pub fn region_with<'a, F, Fut>(
        &'a mut self,
        options: RegionOptions,
        body: F,
    ) -> impl Future<Output = Fut::Output> + use<'a, C, F, Fut>
    where
        C: MaySpawn,
        F: FnOnce(&'a mut Cx<C>) -> Fut,
        Fut: Future,
    {
        self.region_in(Location::caller(), options, body)
    }

    async fn region_in<'a, F, Fut>(
        &'a mut self,
        at: &'static Location<'static>,
        options: RegionOptions,
        body: F,
    ) -> Fut::Output
    where
        F: FnOnce(&'a mut Cx<C>) -> Fut,
        Fut: Future,
    {
        let around = self.address();
        let unwinding = self.world().unwinding;
        let mut frame = Frame::open(self, options, at);
        let inner = frame.cx::<C>();
        match caught(async { body(inner).await }, unwinding.catch).await {
            Ok(value) => {
                let settlement = frame.finish(End::Ok, Rest::Reported).await;
                let Frame { region, task, .. } = &frame;
                let place = scope::place_of(around, task);
                outcome::escalate(value, settlement, region, place, task, unwinding.resume)
            }
            Err(payload) => {
                close::body_failed(&frame.region, &frame.task, Verdict::Panicked);
                let settlement = frame.finish(End::Panicked, Rest::Reported).await;
                outcome::outdone(&frame.region, settlement, &frame.task);
                (unwinding.resume)(payload)
            }
        }
    }

    /// As [`Cx::region`] for a body that returns a [`Res`]: `Err` cancels the children, and what members
    /// lost comes back as the result.
    ///
    /// A member's failure that nobody joined is returned in place of `Ok` or of the body's own consequential
    /// cancellation: as `Stop::Err` if its type is `E`, else as a `ChildFailed` cancellation with the failure
    /// as its cause. A member that acknowledged a cancellation from above makes `Ok` that `Cancelled`
    /// (`cancel.visible`): nothing that was cut short looks complete. What the result has no room for (a second failure, the body's
    /// own error beside a member's panic) is reported. Through a context whose own region has
    /// closed this returns `Cancelled` with kind `SpawnRefused`, and the body does not run.
    #[track_caller]
    pub fn try_region<'a, T, E, F, Fut>(
        &'a mut self,
        body: F,
    ) -> impl Future<Output = Res<T, E>> + use<'a, C, T, E, F, Fut>
    where
        C: MaySpawn,
        E: Debug + 'static,
        F: FnOnce(&'a mut Cx<C>) -> Fut,
        Fut: Future<Output = Res<T, E>>,
    {
        self.try_region_with(RegionOptions::fail_fast(), body)
    }

    /// As [`Cx::try_region`], with options.
    #[track_caller]
    pub fn try_region_with<'a, T, E, F, Fut>(
        &'a mut self,
        options: RegionOptions,
        body: F,
    ) -> impl Future<Output = Res<T, E>> + use<'a, C, T, E, F, Fut>
    where
        C: MaySpawn,
        E: Debug + 'static,
        F: FnOnce(&'a mut Cx<C>) -> Fut,
        Fut: Future<Output = Res<T, E>>,
    {
        self.try_region_in(Location::caller(), options, body)
    }

    async fn try_region_in<'a, T, E, F, Fut>(
        &'a mut self,
        at: &'static Location<'static>,
        options: RegionOptions,
        body: F,
    ) -> Res<T, E>
    where
        E: Debug + 'static,
        F: FnOnce(&'a mut Cx<C>) -> Fut,
        Fut: Future<Output = Res<T, E>>,
    {
        let unwinding = self.world().unwinding;
        let mut frame = Frame::try_open(self, options, at).map_err(|around| region::refusal(&around, at))?;
        let inner = frame.cx::<C>();
        let result = match caught(async { body(inner).await }, unwinding.catch).await {
            Ok(result) => result,
            Err(payload) => {
                close::body_failed(&frame.region, &frame.task, Verdict::Panicked);
                let settlement = frame.finish(End::Panicked, Rest::Reported).await;
                outcome::outdone(&frame.region, settlement, &frame.task);
                (unwinding.resume)(payload)
            }
        };
        let end = match &result {
            Ok(_) => End::Ok,
            Err(Stop::Err(_)) => End::Err,
            Err(Stop::Cancelled(c)) => End::from(c),
        };
        match &result {
            Ok(_) => {}
            Err(Stop::Err(_)) => close::body_failed(&frame.region, &frame.task, Verdict::Err),
            Err(Stop::Cancelled(c)) => close::body_failed(&frame.region, &frame.task, Verdict::Cancelled(c)),
        }
        let settlement = frame.finish(end, Rest::Reported).await;
        outcome::combine(result, settlement, &frame.region, &frame.task, unwinding.resume)
    }

    /// Runs `body` in a region whose members' failures cancel nobody, and returns them beside the body's
    /// value. For finite sets of tasks.
    #[track_caller]
    pub fn collect<'a, F, Fut>(
        &'a mut self,
        body: F,
    ) -> impl Future<Output = Collected<Fut::Output>> + use<'a, C, F, Fut>
    where
        C: MaySpawn,
        F: FnOnce(&'a mut Cx<C>) -> Fut,
        Fut: Future,
    {
        let at = Location::caller();
        async move {
            let unwinding = self.world().unwinding;
            let mut frame = Frame::open(self, RegionOptions::keep_going(), at);
            let inner = frame.cx::<C>();
            match caught(async { body(inner).await }, unwinding.catch).await {
                Ok(value) => {
                    let settlement = frame.finish(End::Ok, Rest::HandedOver).await;
                    let ended = frame.region.ended();
                    if settlement.panic.is_some() || settlement.failure.is_some() {
                        frame.region.emit_escalation(Escalation::Returned);
                    }
                    Collected { value, lost: settlement.into_lost(), ended }
                }
                Err(payload) => {
                    close::body_failed(&frame.region, &frame.task, Verdict::Panicked);
                    let settlement = frame.finish(End::Panicked, Rest::Reported).await;
                    outcome::outdone(&frame.region, settlement, &frame.task);
                    (unwinding.resume)(payload)
                }
            }
        }
    }

    /// Registers a finalizer of the region this context stands in: it runs after all tasks of the region
    /// have ended, last registered first, masked, with at least one second of its own. What must run belongs
    /// here; a bracket's release is skipped if its frame is dropped.
    ///
    /// # Errors
    /// Gives the finalizer back if the region no longer registers any.
    #[track_caller]
    pub fn finally<F: Task<Res, NoSpawn>>(&self, finalizer: F) -> Result<(), Refusal> {
        let at = Location::caller();
        let run: FinalizerFn = Box::new(move |cx| {
            let fut: Pin<Box<dyn Future<Output = Res> + Send + '_>> =
                Box::pin(async move { <F as crate::TaskFn<'_, NoSpawn>>::Fut::from(finalizer(cx)).await });
            fut
        });
        self.spawn_region().register(Box::new(run), at).map_err(|_| Refusal(()))
    }
}

/// A finalizer was registered in a region that is already closing.
#[derive(Debug)]
pub struct Refusal(());

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the region is closing and registers no more finalizers")
    }
}
impl core::error::Error for Refusal {}
