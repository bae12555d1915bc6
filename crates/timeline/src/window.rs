//! [`Window`]: which tasks and rows of a run are shown.
//!
//! A picture of 10^5 rows helps nobody. The window holds what is near the row that the reader wants to see
//! ([`Timeline::focus`]): first the tasks that the failure is about and those above them, then whoever did most just
//! before it; then the rows of these tasks, four fifths of them before the focus and the rest after it.
//!
//! Invariant: `timeline.bounded`.
use crate::model::{Row, RowOf, Timeline};

/// Which tasks and rows are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Indices of rows, rising.
    pub rows: Vec<usize>,
    /// Indices of tasks, as lanes from left to right.
    pub lanes: Vec<usize>,
    /// How many rows before and after those shown, of whichever task, were left out, and how many between them whose
    /// tasks aren't shown.
    pub left_out: [usize; 3],
    /// How many tasks aren't shown.
    pub hidden: usize,
}

impl Window {
    /// Rows and lanes of a picture that is looked at as a whole.
    pub const PICTURE: (usize, usize) = (100, 16);
    /// Rows and lanes of a page that is scrolled and searched.
    pub const PAGE: (usize, usize) = (1500, 24);
    /// Rows and lanes of a Mermaid diagram.
    pub const DIAGRAM: (usize, usize) = (60, 10);

    /// The window of at most so many rows and lanes around the focus.
    ///
    /// Linear in the run.
    #[must_use]
    pub fn around(line: &Timeline<'_>, most_rows: usize, most_lanes: usize) -> Window {
        let focus = line.focus().unwrap_or(0);
        let near = around(line.rows.len(), focus, most_rows);
        let lanes = lanes(line, near.clone(), focus, most_lanes.max(1));
        let mut shown = vec![false; line.tasks.len()];
        for &lane in &lanes {
            shown[lane] = true;
        }
        let is_shown = |row: &Row| row.task.is_none_or(|task| shown[task]);
        let mut all: Vec<usize> = (0..line.rows.len()).filter(|&row| is_shown(&line.rows[row])).collect();
        last_of_the_clock(line, &mut all);
        let place = all.partition_point(|&row| row < focus);
        let rows = all[around(all.len(), place, most_rows)].to_vec();
        let (first, end) = match (rows.first(), rows.last()) {
            (Some(&first), Some(&last)) => (first, last + 1),
            _ => (0, 0),
        };
        let left_out = [first, end - first - rows.len(), line.rows.len() - end];
        Window { rows, hidden: line.tasks.len() - lanes.len(), lanes, left_out }
    }

    /// The place of a row, or of the first shown one after it.
    pub(crate) fn place(&self, row: usize) -> usize {
        self.rows.partition_point(|&shown| shown < row)
    }

    /// The place of a row if it is shown.
    pub(crate) fn exact(&self, row: usize) -> Option<usize> {
        self.rows.binary_search(&row).ok()
    }

    /// A span of rows as places, if any of it is shown. What is still going on reaches to the end.
    pub(crate) fn span(&self, from: usize, to: Option<usize>) -> Option<(usize, usize)> {
        let last = self.rows.len().checked_sub(1)?;
        let to = to.unwrap_or(usize::MAX);
        if to < self.rows[0] || from > self.rows[last] {
            return None;
        }
        Some((self.place(from), self.place(to).min(last)))
    }
}

/// The clock moves in steps where tasks that aren't shown do something: of several moves in a row only the last says
/// something.
fn last_of_the_clock(line: &Timeline<'_>, rows: &mut Vec<usize>) {
    let is_clock = |row: usize| match line.rows[row].of {
        RowOf::Events { first, .. } => {
            matches!(line.run.events[first].label, trace::Label::TimeAdvance { .. })
        }
        _ => false,
    };
    let next: Vec<bool> = rows.iter().map(|&row| is_clock(row)).chain([false]).skip(1).collect();
    let mut at = 0;
    rows.retain(|&row| {
        at += 1;
        !(next[at - 1] && is_clock(row))
    });
}

/// So many of `all` around `focus`, four fifths of them up to it.
fn around(all: usize, focus: usize, most: usize) -> std::ops::Range<usize> {
    if all <= most {
        return 0..all;
    }
    let before = (most * 4 / 5).min(focus);
    let start = (focus - before).min(all - most);
    start..start + most
}

/// The lanes that are shown, in their order.
fn lanes(line: &Timeline<'_>, near: std::ops::Range<usize>, focus: usize, most: usize) -> Vec<usize> {
    let mut score = vec![0_u64; line.tasks.len()];
    for row in &line.rows[near.clone()] {
        if let Some(task) = row.task {
            score[task] += 1;
        }
    }
    for (index, task) in line.tasks.iter().enumerate() {
        // Who was over before the first row, or began after the last one, has nothing to show.
        let there = task.from < near.end && task.to.is_none_or(|to| to >= near.start);
        score[index] = if there { 1 + score[index] } else { 0 };
    }
    const SUSPECT: u64 = 1 << 60;
    const ABOVE: u64 = 1 << 50;
    const AT_FOCUS: u64 = 1 << 40;
    if let Some(task) = line.rows.get(focus).and_then(|row| row.task) {
        score[task] += AT_FOCUS;
    }
    for suspect in line.suspects() {
        score[suspect] |= SUSPECT;
        if let Some(holder) = line.wait_of(suspect, focus).and_then(|wait| wait.holder) {
            score[holder] |= AT_FOCUS;
        }
        let mut above = line.tasks[suspect].parent;
        for _ in 0..line.tasks.len() {
            let Some(task) = above else { break };
            if score[task] & ABOVE != 0 {
                break;
            }
            score[task] |= ABOVE;
            above = line.tasks[task].parent;
        }
    }
    let mut best: Vec<usize> = (0..line.tasks.len()).filter(|&task| score[task] > 0).collect();
    if best.len() > most {
        best.sort_by_key(|&task| (std::cmp::Reverse(score[task]), task));
        best.truncate(most);
    }
    let mut chosen = vec![false; line.tasks.len()];
    for task in best {
        chosen[task] = true;
    }
    line.order.iter().copied().filter(|&task| chosen[task]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_shown_lie_around_the_focus_and_are_never_too_many() {
        assert_eq!(around(10, 3, 20), 0..10);
        assert_eq!(around(1000, 0, 50), 0..50);
        assert_eq!(around(1000, 999, 50), 950..1000);
        let middle = around(1000, 500, 50);
        assert_eq!(middle, 460..510);
    }
}
