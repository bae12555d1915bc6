//! [`Roll`]: what a sampler knows of each task.
//!
//! An open table with a fixed hash: the same in every run, no allocation for a task that was seen before, in whatever
//! execution. It grows with the number of different spawn paths a program has and never shrinks.
use super::dice::mix;
use types::TaskId;

#[derive(Clone, Debug)]
pub(crate) struct Roll<T> {
    /// A power of two of them, at most half full.
    slots: Vec<Option<(TaskId, T)>>,
    used: usize,
}

impl<T: Default> Roll<T> {
    pub(crate) fn new() -> Roll<T> {
        Roll { slots: Vec::new(), used: 0 }
    }

    /// What is known of the task; what is known of nobody, if it was never seen.
    pub(crate) fn of(&mut self, task: TaskId) -> &mut T {
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let at = self.place(task);
        if self.slots[at].is_none() {
            self.used += 1;
        }
        &mut self.slots[at].get_or_insert_with(|| (task, T::default())).1
    }

    /// What is known of a task that was seen.
    pub(crate) fn seen(&self, task: TaskId) -> Option<&T> {
        if self.slots.is_empty() {
            None
        } else {
            self.slots[self.place(task)].as_ref().map(|(_, known)| known)
        }
    }

    /// What is known of everybody.
    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().flatten().map(|(_, known)| known)
    }

    /// Where the task is, or would be.
    fn place(&self, task: TaskId) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = mix(task.as_u64()) as usize & mask;
        while self.slots[at].as_ref().is_some_and(|(other, _)| *other != task) {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        let old = std::mem::take(&mut self.slots);
        self.slots.resize_with(size, || None);
        for (task, known) in old.into_iter().flatten() {
            let at = self.place(task);
            self.slots[at] = Some((task, known));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_keeps_its_own_entry_while_the_roll_grows() {
        let mut roll: Roll<u64> = Roll::new();
        for n in 0..1000 {
            *roll.of(TaskId::from_u64(n * 64)) = n + 1;
        }
        assert!((0..1000).all(|n| roll.seen(TaskId::from_u64(n * 64)) == Some(&(n + 1))));
        assert_eq!(roll.seen(TaskId::from_u64(1)), None);
        assert_eq!(roll.all().count(), 1000);
    }
}
