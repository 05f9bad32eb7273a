//! The daemon: watches in the background, tells a person, and wakes the gates when that person decided.

pub mod schedule;
