//! Obligations as primitives take them: one record of the region a `Cx` stands in, behind every permit.
use crate::raw::place::counted;
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
    /// 10 ns.
    #[inline]
    pub fn reserve(&self, kind: ObligationKind, site: &'static Location<'static>) -> Reserved {
        let (region, from_body) = self.obligation_region();
        let by = self.task_id();
        let record = crate::raw::start::obligation(
            region,
            Outstanding { account: region.account(), kind, site, by, from_body },
        );
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

    /// Moves the record to the nearest region of `cx`.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        let (region, _) = cx.obligation_region();
        let Some(record) = &mut self.record else { return Ok(()) };
        crate::raw::start::rehome(record, region)?;
        let id = record.id();
        if let Some(old) = self.region.replace(counted(region)) {
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
