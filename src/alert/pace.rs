//! When a notification is shown: once per change set, at most one a minute per server, and not at all
//! for what flaps or what the user switched off. Pure: time is given.
//!
//! Promises: what is not shown is told to the caller, who logs it and lists it in `status`. Memory is
//! bounded by the number of servers and [`ITEMS`].

use super::text::Severity;
use crate::engine::digest::Digest;
use crate::engine::surface::ItemKey;
use std::collections::{BTreeMap, VecDeque};

/// The shortest time between two notifications about one server, in milliseconds.
pub const GAP: u64 = 60_000;

/// Within this time so many unapproved versions of one item are flapping.
pub const FLAP_TIME: u64 = 24 * 60 * 60 * 1000;
/// How many versions those are.
pub const FLAP_VERSIONS: usize = 3;

/// Items of one server whose versions are remembered; the longest unseen are forgotten first.
pub const ITEMS: usize = 512;

/// What the user wants to be disturbed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Severities that are switched off.
    pub off: Vec<Severity>,
    /// Minutes of the day from and to which nothing is shown; over midnight if from is later.
    pub quiet: Option<(u16, u16)>,
}

/// A notice that wants to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The change set it is about.
    pub set: Digest,
    /// How urgent it is.
    pub severity: Severity,
    /// Whether every item in it flaps, as [`Pace::see`] tells.
    pub flapping: bool,
}

/// What to do with a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Show it now, in place of that notification if it is still there.
    Show {
        /// The notification service's number; 0 for none.
        replaces: u32,
    },
    /// Not before then; the newest notice of the server counts.
    Wait {
        /// In Unix milliseconds.
        until: u64,
    },
    /// Not at all.
    Silent(Why),
}

/// Why nothing is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// This change set was shown already.
    Same,
    /// Everything in it flaps.
    Flapping,
    /// The severity is switched off.
    Off,
    /// These are quiet hours.
    Quiet,
}

/// What was shown, and which versions were seen, by server.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    servers: BTreeMap<String, Server>,
}

#[derive(Clone, Debug, Default)]
struct Server {
    /// When something was last shown, and the service's number for it.
    shown: Option<(u64, u32)>,
    /// The change set that was shown last.
    set: Option<Digest>,
    versions: BTreeMap<ItemKey, Versions>,
}

/// Unapproved versions of an item and when each was first seen, oldest first.
#[derive(Clone, Debug, Default)]
struct Versions(VecDeque<(u64, Digest)>);

impl Rules {
    /// Whether the rules keep this severity silent at that minute of the day, and why.
    pub fn silence(&self, severity: Severity, minute: u16) -> Option<Why> {
        if self.off.contains(&severity) {
            return Some(Why::Off);
        }
        let (from, to) = self.quiet?;
        let within = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
        within.then_some(Why::Quiet)
    }
}

impl Pace {
    /// Nothing shown yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes the versions of items that a server offers and nobody approved; tells whether every one of
    /// them flaps.
    pub fn see(&mut self, now: u64, server: &str, items: &[(ItemKey, Digest)]) -> bool {
        let state = self.servers.entry(server.to_owned()).or_default();
        let mut all = !items.is_empty();
        for (key, digest) in items {
            if state.versions.len() >= ITEMS && !state.versions.contains_key(key) {
                let oldest = state.versions.iter().min_by_key(|(_, versions)| versions.newest());
                if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                    state.versions.remove(&oldest);
                }
            }
            all &= state.versions.entry(key.clone()).or_default().see(now, *digest);
        }
        all
    }

    /// Whether any item of that server flaps.
    pub fn is_flapping(&self, now: u64, server: &str) -> bool {
        let state = self.servers.get(server);
        state.is_some_and(|state| state.versions.values().any(|versions| versions.flap(now)))
    }

    /// Decides about a notice; `minute` is the local minute of the day.
    pub fn decide(&self, now: u64, minute: u16, server: &str, ask: &Ask, rules: &Rules) -> Step {
        if ask.flapping {
            return Step::Silent(Why::Flapping);
        }
        let state = self.servers.get(server);
        if state.is_some_and(|state| state.set == Some(ask.set)) {
            return Step::Silent(Why::Same);
        }
        if let Some(why) = rules.silence(ask.severity, minute) {
            return Step::Silent(why);
        }
        match state.and_then(|state| state.shown) {
            // A clock that was set back must not keep a server silent: only a gap ahead of us counts.
            Some((at, _)) if at <= now && now < at + GAP => Step::Wait { until: at + GAP },
            Some((_, id)) => Step::Show { replaces: id },
            None => Step::Show { replaces: 0 },
        }
    }

    /// Notes that a change set was shown under that number.
    pub fn shown(&mut self, now: u64, server: &str, set: Digest, id: u32) {
        let state = self.servers.entry(server.to_owned()).or_default();
        state.shown = Some((now, id));
        state.set = Some(set);
    }

    /// Notes that a notification is gone; tells whose it was.
    pub fn closed(&mut self, id: u32) -> Option<String> {
        let is_it = |state: &Server| state.shown.is_some_and(|(_, shown)| shown == id && id != 0);
        let (name, state) = self.servers.iter_mut().find(|(_, state)| is_it(state))?;
        state.shown = state.shown.map(|(at, _)| (at, 0));
        Some(name.clone())
    }

    /// The server of a notification that is shown.
    pub fn server_of(&self, id: u32) -> Option<&str> {
        let is_it = |state: &Server| state.shown.is_some_and(|(_, shown)| shown == id && id != 0);
        self.servers.iter().find(|(_, state)| is_it(state)).map(|(name, _)| name.as_str())
    }

    /// Notes that nothing of that server waits any more; tells which notification to take away.
    pub fn settled(&mut self, server: &str) -> Option<u32> {
        let state = self.servers.remove(server)?;
        state.shown.map(|(_, id)| id).filter(|id| *id != 0)
    }
}

impl Versions {
    /// Notes a version; tells whether the item flaps with it.
    fn see(&mut self, now: u64, digest: Digest) -> bool {
        if !self.0.iter().any(|(_, known)| *known == digest) {
            self.0.push_back((now, digest));
        }
        while self.0.len() > FLAP_VERSIONS {
            self.0.pop_front();
        }
        self.flap(now)
    }

    fn flap(&self, now: u64) -> bool {
        self.0.iter().filter(|(at, _)| now.saturating_sub(*at) < FLAP_TIME).count() >= FLAP_VERSIONS
    }

    fn newest(&self) -> u64 {
        self.0.back().map_or(0, |(at, _)| *at)
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
