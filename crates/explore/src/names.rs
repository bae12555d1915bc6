//! [`Names`]: dense numbers for the 64-bit names that executors use, in the order in which they are met.
//!
//! Open addressing over a power of two, multiplicative hashing (Knuth, TAOCP 3, 6.4): one lookup is one or two cache
//! lines, and nothing depends on a random seed.
//!
//! Invariant `names.stable`: a name keeps its number for ever.

/// Fibonacci hashing: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Number + 1, or 0 where nothing is.
    slots: Vec<u32>,
    /// The name of each number.
    names: Vec<u64>,
}

impl Names {
    pub(crate) fn new() -> Names {
        Names { slots: vec![0; 16], names: Vec::new() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The number of a name, a new one if it was never met.
    pub(crate) fn number(&mut self, name: u64) -> u32 {
        match self.find(name) {
            Ok(number) => number,
            Err(slot) => self.add(name, slot),
        }
    }

    /// The number of a name that was met.
    pub(crate) fn known(&self, name: u64) -> Option<u32> {
        self.find(name).ok()
    }

    /// The name of a number.
    pub(crate) fn name(&self, number: u32) -> u64 {
        self.names[number as usize]
    }

    fn find(&self, name: u64) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = (name.wrapping_mul(SPREAD) >> 32) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return Err(slot),
                number if self.names[number as usize - 1] == name => return Ok(number - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn add(&mut self, name: u64, slot: usize) -> u32 {
        self.names.push(name);
        let number = u32::try_from(self.names.len()).expect("fewer than 2^32 tasks and objects");
        self.slots[slot] = number;
        // Half full at most, so that runs stay short.
        if self.names.len() * 2 > self.slots.len() {
            self.slots = vec![0; self.slots.len() * 2];
            for number in 0..self.names.len() {
                let slot = self.find(self.names[number]).expect_err("names differ");
                self.slots[slot] = number as u32 + 1;
            }
        }
        number - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_while_others_come() {
        let mut names = Names::new();
        let name = |at: u64| at.wrapping_mul(0xD134_2543_DE82_EF95);
        for at in 0..5000 {
            assert_eq!(names.known(name(at)), None);
            assert_eq!(names.number(name(at)), at as u32);
        }
        for at in 0..5000 {
            assert_eq!((names.number(name(at)), names.name(at as u32)), (at as u32, name(at)));
        }
        assert_eq!(names.len(), 5000);
    }
}
