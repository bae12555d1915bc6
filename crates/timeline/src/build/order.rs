//! The order of the lanes: a task, then for each region it opened the members with all that is theirs, so that every
//! region is a run of neighbours and a box can be drawn around it.
//!
//! Not here: which lanes are shown (`window`).
use crate::model::Timeline;

enum Visit {
    Task(usize),
    Region(usize),
}

/// Indices of all tasks in the order in which they stand beside each other.
pub(super) fn of(line: &Timeline<'_>) -> Vec<usize> {
    let mut members = vec![Vec::new(); line.regions.len()];
    for (task, seen) in line.tasks.iter().enumerate() {
        if let Some(region) = seen.region {
            members[region].push(task);
        }
    }
    // Regions opened by a body inside another region of the same body hang on that; the others on their task.
    let mut inner = vec![Vec::new(); line.regions.len()];
    let mut outer = vec![Vec::new(); line.tasks.len()];
    for (index, region) in line.regions.iter().enumerate() {
        let around = region.parent.filter(|&p| line.regions[p].body == region.body && p != index);
        match (around, region.body) {
            (Some(parent), _) => inner[parent].push(index),
            (None, Some(body)) => outer[body].push(index),
            (None, None) => {}
        }
    }
    let mut order = Vec::with_capacity(line.tasks.len());
    let (mut seen, mut entered) = (vec![false; line.tasks.len()], vec![false; line.regions.len()]);
    // Tasks without a region come first as roots; whatever is left after them has lost its region.
    let free = (0..line.tasks.len()).filter(|&task| line.tasks[task].region.is_none());
    for root in free.chain(0..line.tasks.len()) {
        let mut todo = vec![Visit::Task(root)];
        // A stack of our own: a chain of tasks may be as long as the trace.
        while let Some(visit) = todo.pop() {
            match visit {
                Visit::Task(task) if !std::mem::replace(&mut seen[task], true) => {
                    order.push(task);
                    todo.extend(outer[task].iter().rev().map(|&region| Visit::Region(region)));
                }
                Visit::Region(region) if !std::mem::replace(&mut entered[region], true) => {
                    todo.extend(inner[region].iter().rev().map(|&region| Visit::Region(region)));
                    todo.extend(members[region].iter().rev().map(|&task| Visit::Task(task)));
                }
                Visit::Task(_) | Visit::Region(_) => {}
            }
        }
    }
    order
}
