//! The fold over one label: which noun it opens, changes or ends.
//!
//! Not here: rows (`build`, `build/merge`).
use super::Build;
use crate::model::{Arrow, ArrowKind, Obligation, Request, Scope, Settled, Timer};
use trace::{Event, Label, RegionKind, RegionPhase};
use types::{CancelKind, Origin, TaskId};

impl Build<'_> {
    /// Takes note of an event that stands in `row` and was taken by `by`; returns the task that it is about.
    pub(super) fn fold(&mut self, event: &Event, by: Option<usize>, row: usize) -> Option<usize> {
        match event.label.chapter() {
            trace::Chapter::Region => self.fold_region(&event.label, by, row),
            trace::Chapter::Task => self.fold_task(&event.label, by, row),
            trace::Chapter::Scope => self.fold_scope(&event.label, by, row),
            trace::Chapter::Cancel => self.fold_cancel(&event.label, by, row),
            trace::Chapter::Finalizer => self.fold_finalizer(&event.label, by),
            trace::Chapter::Obligation => self.fold_obligation(&event.label, by, row),
            trace::Chapter::Time => self.fold_time(&event.label, by, row),
            trace::Chapter::Schedule | trace::Chapter::Note => self.fold_schedule(&event.label, by, row),
        }
    }

    fn fold_region(&mut self, label: &Label, by: Option<usize>, row: usize) -> Option<usize> {
        match label {
            Label::RegionOpen { region: id, parent, within, kind, site, .. } => {
                let parent = parent.map(|parent| self.region(parent));
                let body = match (kind, within) {
                    (RegionKind::Root, _) => {
                        // The root body has the root's number.
                        let id = TaskId::from_u64(id.as_u64());
                        let main = self.task(id);
                        let task = &mut self.line.tasks[main];
                        (task.path, task.site, task.from) = ("main".into(), Some(site.clone()), row);
                        Some(main)
                    }
                    (_, Some(scope)) => self.task_of_scope(*scope).or(by),
                    (_, None) => by,
                };
                let index = self.region(*id);
                let region = &mut self.line.regions[index];
                (region.kind, region.parent, region.body, region.from) = (*kind, parent, body, row);
                region.site = site.clone();
                region.phases.push((RegionPhase::Open, row));
                body
            }
            Label::BodyEnd { region, end } => {
                let region = self.region(*region);
                let seen = &self.line.regions[region];
                if let (RegionKind::Root, Some(body)) = (seen.kind, seen.body) {
                    let task = &mut self.line.tasks[body];
                    (task.to, task.end) = (Some(row), Some(*end));
                }
                seen.body
            }
            Label::BodyDropped { region, to, .. } => {
                let (region, to) = (self.region(*region), self.region(*to));
                self.line.regions[region].parent = Some(to);
                self.line.regions[region].body
            }
            Label::RegionState { region, to } => {
                let region = self.region(*region);
                self.line.regions[region].phases.push((*to, row));
                self.line.regions[region].body
            }
            Label::RegionClose { region, .. } | Label::RegionWriteOff { region } => {
                let region = self.region(*region);
                let seen = &mut self.line.regions[region];
                seen.to = Some(row);
                seen.phases.push((RegionPhase::Closed, row));
                if let Label::RegionClose { outcome, .. } = label {
                    seen.outcome = Some(*outcome);
                }
                seen.body
            }
            Label::Escalate { to, .. } => self.task_of_scope(*to),
            Label::SpawnRefused { region, .. } => {
                let region = self.region(*region);
                by.or(self.line.regions[region].body)
            }
            _ => by,
        }
    }

    fn fold_task(&mut self, label: &Label, by: Option<usize>, row: usize) -> Option<usize> {
        match label {
            Label::TaskSpawn { task: id, region, daemon, site } => {
                let region = self.region(*region);
                let parent = by.or(self.line.regions[region].body);
                let path = match parent {
                    Some(parent) => {
                        let parent = &mut self.line.tasks[parent];
                        parent.children += 1;
                        let path = match parent.path.as_str() {
                            "main" => parent.children.to_string(),
                            path => format!("{path}.{}", parent.children),
                        };
                        if path.len() > LONGEST_PATH { short(&path, self.line.tasks.len()) } else { path }
                    }
                    None => {
                        self.unknown += 1;
                        format!("?{}", self.unknown)
                    }
                };
                let task = match self.tasks.get(id) {
                    // Heard of before its spawn: its step was recorded first.
                    Some(&task) => {
                        self.line.tasks[task].path = path;
                        (self.line.tasks[task].site, self.line.tasks[task].parent) =
                            (Some(site.clone()), parent);
                        task
                    }
                    None => self.new_task(*id, path, Some(site.clone()), parent),
                };
                let seen = &mut self.line.tasks[task];
                (seen.region, seen.daemon, seen.from) = (Some(region), *daemon, row);
                if let Some(parent) = parent {
                    self.arrow(ArrowKind::Spawn, (row, parent), (row, task));
                }
                parent
            }
            Label::TaskEnd { task, end, failure, .. } => {
                let task = self.task(*task);
                self.over(task, row);
                let seen = &mut self.line.tasks[task];
                (seen.to, seen.end, seen.failure) = (Some(row), Some(*end), *failure);
                Some(task)
            }
            Label::TaskJoined { task, by: joiner } => {
                let task = self.task(*task);
                let joiner = joiner.map(|joiner| self.task(joiner)).or(by);
                if let (Some(joiner), Some(end)) = (joiner, self.line.tasks[task].to) {
                    self.arrow(ArrowKind::Join, (end, task), (row, joiner));
                }
                joiner
            }
            Label::TaskAbandon { task } => Some(self.task(*task)),
            Label::TaskWriteOff { task } => {
                let task = self.task(*task);
                self.over(task, row);
                let seen = &mut self.line.tasks[task];
                (seen.to, seen.lost) = (Some(row), true);
                Some(task)
            }
            _ => by,
        }
    }

    fn fold_scope(&mut self, label: &Label, by: Option<usize>, row: usize) -> Option<usize> {
        match label {
            Label::ScopeOpen { scope: id, parent, task, kind } => {
                let task = Some(self.task(*task));
                let parent = self.scopes.get(parent).copied();
                let depth = parent.map_or(0, |parent| self.line.scopes[parent].depth + 1);
                let (kind, from) = (*kind, row);
                let scope =
                    Scope { id: *id, task, kind, parent, depth, from, to: None, end: None, won: false };
                self.line.scopes.push(scope);
                self.scopes.insert(*id, self.line.scopes.len() - 1);
                task
            }
            Label::RaceWon { race, winner } => {
                if let Some(&winner) = self.scopes.get(winner) {
                    self.line.scopes[winner].won = true;
                }
                self.task_of_scope(*race).or(by)
            }
            Label::ScopeClose { scope, end } => {
                if let Some(&scope) = self.scopes.get(scope) {
                    let seen = &mut self.line.scopes[scope];
                    (seen.to, seen.end) = (Some(row), Some(*end));
                }
                self.task_of_scope(*scope).or(by)
            }
            _ => by,
        }
    }

    /// The request of this row, made if the row is new.
    fn request(&mut self, kind: CancelKind, origin: Origin, row: usize) -> usize {
        let last = self.line.requests.len().wrapping_sub(1);
        let same = |r: &Request| r.row == row && r.kind == kind && r.origin == origin;
        if self.line.requests.last().is_some_and(same) {
            return last;
        }
        let (tasks, regions, scopes, seen) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        self.line.requests.push(Request { kind, origin, row, tasks, regions, scopes, seen });
        self.line.requests.len() - 1
    }

    fn fold_cancel(&mut self, label: &Label, by: Option<usize>, row: usize) -> Option<usize> {
        match label {
            Label::RegionRequest { region, kind, origin, .. } => {
                let region = self.region(*region);
                let request = self.request(*kind, *origin, row);
                self.line.requests[request].regions.push(region);
                self.line.regions[region].requests.push((*kind, row));
                by.or(self.line.regions[region].body)
            }
            Label::TaskRequest { task, kind, origin, .. } => {
                let task = self.task(*task);
                let request = self.request(*kind, *origin, row);
                self.line.requests[request].tasks.push(task);
                by.or(Some(task))
            }
            Label::ScopeRequest { scope, kind, origin, .. } => {
                let task = self.task_of_scope(*scope);
                let request = self.request(*kind, *origin, row);
                self.line.requests[request].scopes.push(task);
                task
            }
            Label::TaskAck { task, kind, origin, .. } => {
                let task = self.task(*task);
                let seen =
                    self.line.requests.iter_mut().rev().find(|r| r.kind == *kind && r.origin == *origin);
                if let Some(request) = seen {
                    request.seen.push((task, row));
                }
                Some(task)
            }
            Label::MaskPierced { scope } => self.task_of_scope(*scope),
            _ => by,
        }
    }

    fn fold_finalizer(&mut self, label: &Label, by: Option<usize>) -> Option<usize> {
        match label {
            Label::FinalizerRegister { region, finalizer, .. } => {
                let region = self.region(*region);
                self.finalizers.insert(*finalizer, self.line.finalizers.len());
                self.line.finalizers.push((*finalizer, Some(region)));
                by.or(self.line.regions[region].body)
            }
            Label::FinalizerRun { region, .. } | Label::FinalizerEnd { region, .. } => {
                let region = self.region(*region);
                by.or(self.line.regions[region].body)
            }
            Label::ReleaseSkipped { scope, .. } => self.task_of_scope(*scope).or(by),
            _ => by,
        }
    }

    fn fold_obligation(&mut self, label: &Label, by: Option<usize>, row: usize) -> Option<usize> {
        let (id, settled) = match label {
            Label::ObligationReserve { obligation: id, region, kind, by: holder, site } => {
                let region = Some(self.region(*region));
                let by = holder.map(|holder| self.task(holder)).or(by);
                let (kind, site, from) = (*kind, site.clone(), row);
                self.line.obligations.push(Obligation {
                    id: *id,
                    kind,
                    region,
                    by,
                    site,
                    from,
                    settled: None,
                });
                self.obligations.insert(*id, self.line.obligations.len() - 1);
                return by;
            }
            Label::ObligationCommit { obligation } => (obligation, Some(Settled::Committed)),
            Label::ObligationAbort { obligation } => (obligation, Some(Settled::Aborted)),
            Label::ObligationLeak { obligation } => (obligation, Some(Settled::Leaked)),
            Label::ObligationRehome { obligation, to } => {
                let to = self.region(*to);
                if let Some(&index) = self.obligations.get(obligation) {
                    self.line.obligations[index].region = Some(to);
                }
                (obligation, None)
            }
            Label::ObligationLate { obligation } => (obligation, None),
            _ => return by,
        };
        let seen = self.obligations.get(id).map(|&index| &mut self.line.obligations[index]);
        let Some(seen) = seen else { return by };
        if let Some(how) = settled {
            seen.settled = Some((how, row));
        }
        by.or(seen.by)
    }

    fn fold_time(&mut self, label: &Label, by: Option<usize>, row: usize) -> Option<usize> {
        match label {
            Label::TimerArm { timer: id, task, at } => {
                let task = task.map(|task| self.task(task)).or(by);
                let (id, due, from) = (*id, *at, row);
                self.timers.insert(id, self.line.timers.len());
                self.line.timers.push(Timer { id, task, due, from, to: None, fired: false });
                task
            }
            Label::TimerFire { timer } | Label::TimerDisarm { timer } => {
                let seen = self.timers.get(timer).map(|&index| &mut self.line.timers[index]);
                let Some(seen) = seen else { return by };
                (seen.to, seen.fired) = (Some(row), matches!(label, Label::TimerFire { .. }));
                seen.task.or(by)
            }
            // The world's own.
            _ => None,
        }
    }

    fn fold_schedule(&mut self, label: &Label, by: Option<usize>, row: usize) -> Option<usize> {
        match label {
            Label::TaskPoll { task } => {
                let task = self.task(*task);
                self.over(task, row);
                Some(task)
            }
            Label::TaskPark { task, what } => {
                let task = self.task(*task);
                self.begin_wait(task, what, None, row, None);
                Some(task)
            }
            Label::TaskWake { task, by: waker } => {
                let task = self.task(*task);
                let waker = waker.map(|waker| self.task(waker)).or(by);
                if let Some(waker) = waker.filter(|waker| *waker != task) {
                    self.arrow(ArrowKind::Wake, (row, waker), (row, task));
                }
                waker.or(Some(task))
            }
            Label::WaitFor { task, holder, what } => {
                let task = self.task(*task);
                let holder = holder.map(|holder| self.task(holder));
                self.begin_wait(task, what, holder, row, None);
                Some(task)
            }
            Label::Deadlock { task } => Some(self.task(*task)),
            _ => by,
        }
    }

    fn arrow(&mut self, kind: ArrowKind, (from, from_task): (usize, usize), (to, to_task): (usize, usize)) {
        self.line.arrows.push(Arrow { from, from_task, to, to_task, kind });
    }
}

/// A longer path is cut, so that a chain of tasks that spawn each other doesn't have names that grow with it.
const LONGEST_PATH: usize = 32;

/// The beginning of a path that is too long, and the task's number in the run, which no other has.
fn short(path: &str, number: usize) -> String {
    let begin: String = path.chars().take(8).collect();
    format!("{}…t{number}", begin.trim_end_matches('.'))
}
