//! Exactness of the exhaustive exploration: as many executions as there are classes, none begun for nothing, in any
//! order; against published numbers, closed forms, and brute force over all interleavings.

extern crate asupersync_explore as explore;

mod asked;
mod brute;
mod closed_forms;
mod delays;
mod kinds;
mod memory;
mod random_programs;
mod split;
mod table;
mod world;
