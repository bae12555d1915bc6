//! The programs notice: each known mistake of what is built of other primitives, and has no model of its own, makes a
//! program of a row fail. `cargo xtask mutants sync` runs these.
//!
//! Not here: mistakes in cores, which the loom models notice (`tests/loom`).

use lab::prove;

use crate::{channels, locks, pool};

mutants::mistakes! {
    a_cell_that_is_filled_again: "once.made-again"
        breaks || { prove("sync::once_cell", locks::lazy); }, says "made 2 times";
    a_server_that_leaves_unheard: "session.close-unheard"
        breaks || { prove("sync::session", channels::requests); }, says "waits for send (rendezvous)";
    a_reply_that_a_cancelled_client_drops: "session.reply-dropped"
        breaks || { prove("sync::session", channels::requests); }, says "a reply that was delivered was dropped";
    a_place_that_is_not_given_back: "pool.place-lost"
        breaks || { prove("sync::pool", pool::leased); }, says "deadlock";
    a_place_that_is_free_too_early: "pool.discarded-too-late"
        breaks pool::discarded, says "its place was free before it was gone";
}
