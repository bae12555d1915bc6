//! How many executions an exhaustive exploration will have: two estimates, which know different things.
//!
//! | | [`Census`] | [`Survey`] |
//! |---|---|---|
//! | looks at | random executions of its own | the exploration itself |
//! | says | how many classes the program has | how many executions the exploration will have had |
//! | bias | none | that what comes is like what came |
//! | error | a standard error, of the usual kind | a factor, learnt from finished subtrees |
//! | good for | programs with some ten steps that race | any exploration, once it has backtracked a while |
//!
//! Knuth's estimator (random descents of the tree, the product of its widths) is neither: the tree of a partial-order
//! reduction has no width before it was explored, and on the tree of sleep sets nearly all descents end in a blocked
//! execution that counts nothing.
//!
//! Not here: what a sampler hasn't seen (`coverage`).
mod census;
mod line;
mod survey;

pub use census::{Census, Count};
pub use survey::{Estimate, Survey};
