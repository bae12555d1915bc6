//! [`finalizers_once_in_order`]: last in, first out, each exactly once.

use alloc::{collections::BTreeMap, vec::Vec};

use trace::{Event, FinalizerId, Label, Site};
use types::RegionId;

use crate::report::{Findings, Report};

#[derive(Default)]
struct Stack {
    /// Registered and not ended, oldest first.
    waiting: Vec<(FinalizerId, Site)>,
    running: Option<FinalizerId>,
}

/// Judges `finalizer.order`: in every region the finalizers run one at a time, the newest first, and
/// by its close each has run exactly once.
///
/// # Errors
/// A finding for each one that ran out of turn, twice, beside another one or never.
pub fn finalizers_once_in_order(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("finalizers_once_in_order");
    let mut stacks: BTreeMap<RegionId, Stack> = BTreeMap::new();
    for event in events {
        match &event.label {
            Label::FinalizerRegister { region, finalizer, site } => {
                stacks.entry(*region).or_default().waiting.push((*finalizer, site.clone()));
            }
            Label::FinalizerRun { region, finalizer } => {
                let stack = stacks.entry(*region).or_default();
                run(&mut findings, stack, event, *finalizer);
            }
            Label::FinalizerEnd { region, finalizer, .. } => {
                let stack = stacks.entry(*region).or_default();
                if stack.running.take() != Some(*finalizer) {
                    findings.at(event, format_args!("{finalizer} of {region} ended and wasn't running"));
                }
                stack.waiting.retain(|(waiting, _)| waiting != finalizer);
            }
            Label::RegionClose { region, .. } => {
                for (finalizer, site) in stacks.remove(region).unwrap_or_default().waiting {
                    findings.at(
                        event,
                        format_args!(
                            "{region} closed and {finalizer}, registered at {site}, never ran to its end"
                        ),
                    );
                }
            }
            _ => {}
        }
    }
    findings.verdict()
}

fn run(findings: &mut Findings, stack: &mut Stack, event: &Event, finalizer: FinalizerId) {
    if let Some(running) = stack.running.replace(finalizer) {
        findings.at(event, format_args!("{finalizer} started while {running} was running"));
    }
    let site = stack.waiting.iter().find(|(waiting, _)| *waiting == finalizer).map(|(_, site)| site);
    let Some(site) = site else {
        findings.at(event, format_args!("{finalizer} ran a second time, or was never registered"));
        return;
    };
    if let Some((newest, later)) = stack.waiting.last().filter(|(newest, _)| *newest != finalizer) {
        findings.at(
            event,
            format_args!(
                "{finalizer}, registered at {site}, ran before {newest}, registered later at {later}"
            ),
        );
    }
}
