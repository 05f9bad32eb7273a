//! The date of a second reading: moved by libfaketime where this machine has it.
//!
//! A server that writes dates into its texts is told from one that does not by reading it on another
//! day. libfaketime is a library that is loaded before a program's own and gives it another clock; only
//! the second reading's processes get it, and only if its file is found.
//!
//! Promises: the loader's variable is set for the child alone, before what stands in it already; clocks
//! that count (timeouts, intervals) are not moved. A program that is linked statically, or that the
//! system shields from the loader, keeps the real date: nothing is told wrong, a date goes unnoticed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// How far the date moves: the month and the weekday differ too, and certificates hardly run out.
pub const DAYS: u64 = 33;

/// One day in milliseconds.
const DAY: u64 = 86_400_000;

/// Another clock for a child process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    library: PathBuf,
}

impl Moved {
    /// The library, where this machine has it.
    pub fn find() -> Option<Self> {
        candidates().into_iter().find(|library| library.is_file()).map(|library| Self { library })
    }

    /// Adds what moves the clock to a child's variables, given those it would have.
    pub fn set(
        &self,
        env: &mut BTreeMap<OsString, Option<OsString>>,
        current: &dyn Fn(&str) -> Option<OsString>,
    ) {
        let mut preload = self.library.clone().into_os_string();
        if let Some(others) = current(LOADER).filter(|others| !others.is_empty()) {
            preload.push(":");
            preload.push(others);
        }
        env.insert(LOADER.into(), Some(preload));
        for (name, value) in SETTINGS {
            env.insert(name.into(), Some(value.into()));
        }
        env.insert("FAKETIME".into(), Some(format!("+{DAYS}d").into()));
    }

    /// What a clock shows there, in Unix milliseconds.
    pub fn at(now: u64) -> u64 {
        now + DAYS * DAY
    }
}

/// Clocks that only count stay real: a timeout must not end at once.
const SETTINGS: [(&str, &str); 2] = [("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1")];

#[cfg(target_os = "macos")]
const LOADER: &str = "DYLD_INSERT_LIBRARIES";
#[cfg(not(target_os = "macos"))]
const LOADER: &str = "LD_PRELOAD";

#[cfg(target_os = "linux")]
fn candidates() -> Vec<PathBuf> {
    // Debian keeps one for each architecture, others in the library folder; the first for programs with
    // threads, which most runtimes are.
    let triplet = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let folders = [triplet.as_str(), "/usr/lib64", "/usr/lib", "/usr/local/lib"];
    let names = ["faketime/libfaketimeMT.so.1", "faketime/libfaketime.so.1"];
    folders.iter().flat_map(|folder| names.map(|name| PathBuf::from(folder).join(name))).collect()
}

#[cfg(target_os = "macos")]
fn candidates() -> Vec<PathBuf> {
    let folders = ["/opt/homebrew/lib/faketime", "/usr/local/lib/faketime", "/opt/local/lib/faketime"];
    folders.iter().map(|folder| PathBuf::from(folder).join("libfaketime.1.dylib")).collect()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn candidates() -> Vec<PathBuf> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::{LOADER, Moved};
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::path::PathBuf;

    #[test]
    fn what_is_preloaded_already_stays() {
        let moved = Moved { library: PathBuf::from("/lib/clock.so") };
        let loaded = |there: Option<&str>| {
            let there = there.map(OsString::from);
            let mut env = BTreeMap::new();
            moved.set(&mut env, &|name| if name == LOADER { there.clone() } else { None });
            env[&OsString::from(LOADER)].clone().unwrap().into_string().unwrap()
        };
        assert_eq!(loaded(None), "/lib/clock.so");
        assert_eq!(loaded(Some("/lib/other.so")), "/lib/clock.so:/lib/other.so");
    }
}
