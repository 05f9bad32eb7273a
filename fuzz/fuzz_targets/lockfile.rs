//! Any text: the lockfile reader never panics, and what it accepts renders to itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcpwatch::engine::lockfile;

fuzz_target!(|text: &str| {
    let Ok(lock) = lockfile::parse(text) else { return };
    let rendered = lockfile::render(&lock);
    let again = lockfile::parse(&rendered).expect("our own rendering reads back");
    assert_eq!(again, lock);
    assert_eq!(lockfile::render(&again), rendered);
});
