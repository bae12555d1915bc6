//! [`Line`]: a queue out of whose middle one can take, in which one finds a place by its number, and by name.
//!
//! A row of blocks of at most [`BLOCK`] runnables each. A place is found by passing over whole blocks; so is one of a short
//! name, once a block has counted its names, which it does when somebody first passes over it by name. A line of a few
//! has one block that never counts.
//!
//! Invariant `line.first`: there is a first block, and only it may be empty, and only if the line is.
//!
//! Not here: which line a runnable stands in (`lanes`).
use explore::name_of;
use std::cell::OnceCell;
use std::collections::VecDeque;
use task::Runnable;
use types::TaskId;

/// How many stand in a block. Their names are counted in bytes.
const BLOCK: usize = 128;

pub(super) struct Line {
    blocks: Vec<Block>,
    len: usize,
}

#[derive(Default)]
struct Block {
    line: VecDeque<Runnable>,
    /// How often each short name stands here, if that was asked.
    names: OnceCell<Box<[u8; 256]>>,
}

fn task_of(runnable: &Runnable) -> TaskId {
    cx::task_id(runnable.header())
}

fn named(runnable: &Runnable) -> u8 {
    name_of(task_of(runnable))
}

impl Default for Line {
    fn default() -> Line {
        Line { blocks: vec![Block::default()], len: 0 }
    }
}

impl Block {
    /// How many there are of this short name.
    fn namesakes(&self, name: u8) -> usize {
        let count = || {
            let mut names = Box::new([0; 256]);
            self.line.iter().for_each(|r| names[usize::from(named(r))] += 1);
            names
        };
        usize::from(self.names.get_or_init(count)[usize::from(name)])
    }

    fn came(&mut self, runnable: &Runnable) {
        if let Some(names) = self.names.get_mut() {
            names[usize::from(named(runnable))] += 1
        }
    }

    fn went(&mut self, runnable: &Runnable) {
        if let Some(names) = self.names.get_mut() {
            names[usize::from(named(runnable))] -= 1
        }
    }
}

impl Line {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Behind all others.
    #[inline]
    pub(super) fn push_back(&mut self, runnable: Runnable) {
        if self.blocks.last().is_none_or(|last| last.line.len() >= BLOCK) {
            self.blocks.push(Block::default())
        }
        if let Some(last) = self.blocks.last_mut() {
            last.came(&runnable);
            last.line.push_back(runnable);
            self.len += 1
        }
    }

    /// Before all others.
    pub(super) fn push_front(&mut self, runnable: Runnable) {
        if self.blocks[0].line.len() >= BLOCK {
            self.blocks.insert(0, Block::default())
        }
        self.blocks[0].came(&runnable);
        self.blocks[0].line.push_front(runnable);
        self.len += 1
    }

    /// Takes the n-th.
    #[inline]
    pub(super) fn remove(&mut self, n: usize) -> Option<Runnable> {
        let (at, n) = self.find(n)?;
        let block = &mut self.blocks[at];
        let runnable = block.line.remove(n)?;
        block.went(&runnable);
        self.len -= 1;
        if self.blocks[at].line.is_empty() && self.blocks.len() > 1 {
            self.blocks.remove(at);
        }
        Some(runnable)
    }

    /// The n-th task.
    #[inline]
    pub(super) fn task(&self, n: usize) -> Option<TaskId> {
        let (block, n) = self.find(n)?;
        self.blocks[block].line.get(n).map(task_of)
    }

    /// In which block the n-th stands, and as the how many-th there.
    #[inline]
    fn find(&self, mut n: usize) -> Option<(usize, usize)> {
        if n >= self.len {
            return None;
        }
        for (at, block) in self.blocks.iter().enumerate() {
            if n < block.line.len() {
                return Some((at, n));
            }
            n -= block.line.len();
        }
        None
    }

    /// How many of the first n have this short name.
    pub(super) fn namesakes(&self, mut n: usize, name: u8) -> usize {
        let mut namesakes = 0;
        for block in &self.blocks {
            if n < block.line.len() {
                return namesakes + block.line.iter().take(n).filter(|r| named(r) == name).count();
            }
            n -= block.line.len();
            if n == 0 && self.blocks.len() == 1 {
                return namesakes + block.line.iter().filter(|r| named(r) == name).count();
            }
            namesakes += block.namesakes(name);
        }
        namesakes
    }

    /// Where the one of this short name stands that has `nth` of it before him.
    pub(super) fn namesake(&self, name: u8, mut nth: usize) -> Option<usize> {
        let mut passed = 0;
        for block in &self.blocks {
            let here = if self.blocks.len() > 1 { block.namesakes(name) } else { usize::MAX };
            if nth < here {
                let mut places = (0..block.line.len()).filter(|&n| named(&block.line[n]) == name);
                return places.nth(nth).map(|n| passed + n);
            }
            nth -= here;
            passed += block.line.len();
        }
        None
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = TaskId> {
        self.blocks.iter().flat_map(|block| block.line.iter().map(task_of))
    }
}
