//! Obligations as primitives take them: one record of the region a `Cx` stands in, behind every permit.
use crate::raw::place::{Place, counted, owner_of};
use crate::raw::start;
use crate::{Cx, Row};
use alloc::sync::Arc;
use core::panic::Location;
use obligation::{AlreadyLeaked, Obligation, Outstanding, Rehomed, Settled};
use region::Region;
use task::control;
use trace::{Label, Site};
use types::{ObligationId, ObligationKind};

/// A reserved effect, counted in its region until it is committed or given up. Dropping it gives it up.
#[derive(Debug)]
#[must_use = "what is reserved has to be committed or given up"]
pub struct Reserved {
    record: Option<Obligation>,
    /// Set when steps are traced.
    region: Option<Arc<Region>>,
}

impl<C: Row> Cx<C> {
    /// Opens a record in the nearest region (`obligation.owner`): for authors of two-phase operations. About
    /// 10 ns. A context that is kept past its region's end reserves in the next region around that still admits.
    #[inline]
    pub fn reserve(&self, kind: ObligationKind, site: &'static Location<'static>) -> Reserved {
        let by = self.task_id();
        let (mut place, mut from_body) = (self.place(), false);
        loop {
            let (region, around) = owner_at(place, &mut from_body);
            let of = Outstanding { account: region.account(), kind, site, by, from_body };
            if let Some(record) = start::obligation(region, of) {
                return self.reserved(record, region, kind, site);
            }
            match around {
                Some(around) => place = around,
                // Only after a shutdown wrote off the region of a task that still runs: nobody counts any more.
                None => return Reserved { record: None, region: None },
            }
        }
    }

    #[inline]
    fn reserved(
        &self,
        record: Obligation,
        region: &Region,
        kind: ObligationKind,
        site: &'static Location<'static>,
    ) -> Reserved {
        let traced = self.header().control() & control::TRACE != 0;
        if traced {
            region.emit(crate::scope::actor(self.header()), || Label::ObligationReserve {
                obligation: record.id(),
                region: region.id(),
                kind,
                by: crate::scope::actor(self.header()),
                site: Site::from(site),
            });
        }
        Reserved { record: Some(record), region: traced.then(|| counted(region)) }
    }
}

/// The region that owns what is reserved at `place`: the nearest one opened by `region`, whose body this is,
/// else the one that owns the task. And the place around that region, if there is one.
fn owner_at<'a>(mut place: Place<'a>, from_body: &mut bool) -> (&'a Region, Option<Place<'a>>) {
    loop {
        match place {
            Place::Root(header) => {
                *from_body = false;
                return (owner_of(header), None);
            }
            Place::Inner(scope) => match scope.region() {
                Some(region) if scope.kind.is_none() => {
                    *from_body = true;
                    return (region, Some(scope.outer()));
                }
                _ => place = scope.outer(),
            },
        }
    }
}

impl Reserved {
    /// Its identity.
    pub fn id(&self) -> Option<ObligationId> {
        self.record.as_ref().map(Obligation::id)
    }

    /// The effect happens now. Fails only if the region closed over the permit and reported it as leaked;
    /// then nothing must be done or given back.
    #[inline]
    pub fn commit(mut self) -> Result<(), AlreadyLeaked> {
        let Some(record) = self.record.take() else { return Ok(()) };
        match &self.region {
            None => record.commit(),
            Some(region) => traced(region, record, Settled::Committed),
        }
    }

    /// Gives the effect up.
    #[inline]
    pub fn abort(mut self) -> Result<(), AlreadyLeaked> {
        self.give_up()
    }

    fn give_up(&mut self) -> Result<(), AlreadyLeaked> {
        let Some(record) = self.record.take() else { return Ok(()) };
        if types::seeded!("obligation.abort-forgotten") {
            core::mem::forget(record);
            return Ok(());
        }
        match &self.region {
            None => record.abort(),
            Some(region) => traced(region, record, Settled::Aborted),
        }
    }

    /// Moves the record to the nearest region of `cx` that still admits.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        let Some(record) = &mut self.record else { return Ok(()) };
        let mut place = cx.place();
        loop {
            let (region, around) = owner_at(place, &mut false);
            let (to, obligation) = (region.id(), record.id());
            let mut result = Ok(Rehomed::Refused);
            let mut rehome = || {
                result = start::rehome(record, region);
                let moved = matches!(result, Ok(Rehomed::Moved(_)));
                moved.then_some(Label::ObligationRehome { obligation, to })
            };
            match &self.region {
                Some(old) => old.step(crate::scope::actor(cx.header()), rehome),
                None => drop(rehome()),
            }
            match result? {
                Rehomed::Refused => {}
                Rehomed::There => return Ok(()),
                Rehomed::Moved(_) => {
                    if let Some(traced) = &mut self.region {
                        *traced = counted(region)
                    }
                    return Ok(());
                }
            }
            match around {
                Some(around) => place = around,
                None => return Ok(()),
            }
        }
    }
}

/// Settles a record and says so, before the region that waits for it can hear of it (`event.linear`).
#[cold]
fn traced(region: &Region, record: Obligation, to: Settled) -> Result<(), AlreadyLeaked> {
    let obligation = record.id();
    let (mut record, mut result) = (Some(record), Ok(None));
    region.step(None, || {
        result = record.take()?.settle(to);
        Some(match (&result, to) {
            (Err(AlreadyLeaked), _) => Label::ObligationLate { obligation },
            (Ok(_), Settled::Committed) => Label::ObligationCommit { obligation },
            (Ok(_), _) => Label::ObligationAbort { obligation },
        })
    });
    result.map(drop)
}

impl Drop for Reserved {
    #[inline]
    fn drop(&mut self) {
        let _ = self.give_up();
    }
}
