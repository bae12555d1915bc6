//! [`obligation_leaks`]: every permit is used or given back, once.

use alloc::collections::BTreeMap;

use trace::{Event, Label, Site};
use types::{ObligationId, ObligationKind, RegionId, TaskId};

use crate::{
    report::{Findings, Report},
    whereabouts::Whereabouts,
};

struct Record {
    kind: ObligationKind,
    region: RegionId,
    by: Option<TaskId>,
    site: Site,
    resolved: Option<&'static str>,
}

/// Judges `obligation.linear` and `obligation.balanced`: no record leaks, each is resolved exactly
/// once, and none is outstanding when its region closes.
///
/// A leak that the runtime declared is a finding too: the runtime did right, the program didn't.
///
/// # Errors
/// A finding for each leak with the line that reserved, each second resolution, each late holder.
pub fn obligation_leaks(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("obligation_leaks");
    let mut tree = Whereabouts::default();
    let mut records: BTreeMap<ObligationId, Record> = BTreeMap::new();
    for event in events {
        tree.note(event);
        match &event.label {
            Label::ObligationReserve { obligation, region, kind, by, site } => {
                let record =
                    Record { kind: *kind, region: *region, by: *by, site: site.clone(), resolved: None };
                if records.insert(*obligation, record).is_some() {
                    findings.at(event, format_args!("{obligation} was reserved twice"));
                }
            }
            Label::ObligationCommit { obligation } => {
                resolve(&mut findings, &mut records, event, *obligation, "committed");
            }
            Label::ObligationAbort { obligation } => {
                resolve(&mut findings, &mut records, event, *obligation, "aborted");
            }
            Label::ObligationLeak { obligation } => {
                resolve(&mut findings, &mut records, event, *obligation, "leaked");
                if let Some(record) = records.get(obligation) {
                    leaked(&mut findings, &tree, event, *obligation, record);
                }
            }
            Label::ObligationLate { obligation } => {
                let site = records.get(obligation).map(|record| &record.site);
                let Some(site) = site else { continue };
                findings.at(
                    event,
                    format_args!("{obligation}, reserved at {site}, was resolved after it had leaked"),
                );
            }
            Label::ObligationRehome { obligation, to } => {
                if let Some(record) = records.get_mut(obligation) {
                    record.region = *to;
                }
            }
            Label::RegionClose { region, .. } => {
                let left = records
                    .iter()
                    .filter(|(_, record)| record.region == *region && record.resolved.is_none());
                for (id, record) in left {
                    leaked(&mut findings, &tree, event, *id, record);
                }
            }
            _ => {}
        }
    }
    findings.verdict()
}

fn resolve(
    findings: &mut Findings,
    records: &mut BTreeMap<ObligationId, Record>,
    event: &Event,
    id: ObligationId,
    how: &'static str,
) {
    match records.get_mut(&id) {
        None => findings.at(event, format_args!("{id} was {how} and never reserved")),
        Some(Record { resolved: Some(before), site, .. }) => {
            findings.at(event, format_args!("{id}, reserved at {site}, was {before} and then {how}"));
        }
        Some(record) => record.resolved = Some(how),
    }
}

fn leaked(findings: &mut Findings, tree: &Whereabouts, event: &Event, id: ObligationId, record: &Record) {
    let Record { kind, region, site, .. } = record;
    let region = tree.region(*region);
    match record.by {
        Some(by) => findings.at(
            event,
            format_args!("{id} leaked: a {kind} reserved at {site} by {}, owned by {region}", tree.task(by)),
        ),
        None => {
            findings.at(event, format_args!("{id} leaked: a {kind} reserved at {site}, owned by {region}"))
        }
    }
}
