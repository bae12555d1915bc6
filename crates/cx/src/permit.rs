//! Obligations as primitives take them: one record of the region a `Cx` stands in, behind every permit.
use crate::raw::place::{Place, counted, owner_of};
use crate::{Cx, Row};
use alloc::sync::Arc;
use core::panic::Location;
use obligation::{AlreadyLeaked, Obligation, Outstanding};
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
            if let Some(record) = crate::raw::start::obligation(region, of) {
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
        let id = record.id();
        let result = record.commit();
        self.emit(id, result, |obligation| Label::ObligationCommit { obligation });
        result
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
        let id = record.id();
        let result = record.abort();
        self.emit(id, result, |obligation| Label::ObligationAbort { obligation });
        result
    }

    fn emit(
        &self,
        id: ObligationId,
        result: Result<(), AlreadyLeaked>,
        label: impl FnOnce(ObligationId) -> Label,
    ) {
        if let Some(region) = &self.region {
            region.emit(None, || match result {
                Ok(()) => label(id),
                Err(AlreadyLeaked) => Label::ObligationLate { obligation: id },
            })
        }
    }

    /// Moves the record to the nearest region of `cx` that still admits.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        let Some(record) = &mut self.record else { return Ok(()) };
        let mut place = cx.place();
        let region = loop {
            let (region, around) = owner_at(place, &mut false);
            if crate::raw::start::rehome(record, region)? {
                break region;
            }
            match around {
                Some(around) => place = around,
                None => return Ok(()),
            }
        };
        let id = record.id();
        if self.region.is_some()
            && let Some(old) = self.region.replace(counted(region))
        {
            old.emit(crate::scope::actor(cx.header()), || Label::ObligationRehome {
                obligation: id,
                to: region.id(),
            });
        }
        Ok(())
    }
}

impl Drop for Reserved {
    #[inline]
    fn drop(&mut self) {
        let _ = self.give_up();
    }
}
