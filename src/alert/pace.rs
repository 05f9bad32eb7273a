//! When a notification is shown: once per change set, at most one a minute per server, and not at all
//! for what flaps or what the user switched off. Pure: time is given.
//!
//! Promises: what is not shown is told to the caller, who logs it and lists it in `status`; what quiet
//! hours or flapping kept silent has a time at which it is looked at again, so that no silence lasts
//! longer than its reason. A server that goes back to what is approved and changes again is no new
//! server: its minute and its versions go on counting until a person decides. Memory is bounded by the
//! number of servers, [`ITEMS`] and [`SETS`].

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

/// Change sets of one server that are remembered as shown; two that alternate are told once each.
pub const SETS: usize = 16;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Quiet hours are looked at again after this many minutes at most: clocks are set, and people travel.
const LOOK_AGAIN: u64 = 30;

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
    /// Not now; it is looked at again then.
    Later {
        /// Why.
        why: Why,
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
    /// The change sets that were shown within a day, oldest first.
    sets: VecDeque<(u64, Digest)>,
    versions: BTreeMap<ItemKey, Versions>,
    /// The same for what is about no item: programs, packages, two views.
    others: Versions,
}

/// Unapproved versions and when each appeared, oldest first.
#[derive(Clone, Debug, Default)]
struct Versions {
    seen: VecDeque<(u64, Digest)>,
    /// Whether the server went back to what is approved since.
    gone: bool,
}

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

    /// How many minutes quiet hours still last at that minute of the day.
    fn quiet_for(&self, minute: u16) -> u64 {
        let until = self.quiet.map_or(minute, |(_, to)| to);
        u64::from((until + DAY - minute % DAY) % DAY)
    }
}

impl Pace {
    /// Nothing shown yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes what a server offers that nobody approved: the versions of items, or `set` where it is about
    /// none. Tells whether all of it flaps.
    pub fn see(&mut self, now: u64, server: &str, set: Digest, items: &[(ItemKey, Digest)]) -> bool {
        let state = self.servers.entry(server.to_owned()).or_default();
        if items.is_empty() {
            return state.others.see(now, set);
        }
        let mut all = true;
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
        self.flaps_until(now, server).is_some()
    }

    /// When that server will have been quiet for long enough not to flap any more; `None` if it does not.
    pub fn flaps_until(&self, now: u64, server: &str) -> Option<u64> {
        let state = self.servers.get(server)?;
        let all = state.versions.values().chain([&state.others]);
        let ends = all.filter(|versions| versions.flap(now)).filter_map(|versions| versions.seen.front());
        ends.map(|(at, _)| at + FLAP_TIME).max()
    }

    /// Decides about a notice; `minute` is the local minute of the day.
    pub fn decide(&self, now: u64, minute: u16, server: &str, ask: &Ask, rules: &Rules) -> Step {
        let state = self.servers.get(server);
        let is_shown = |(at, set): &(u64, Digest)| *set == ask.set && now.saturating_sub(*at) < FLAP_TIME;
        if state.is_some_and(|state| state.sets.iter().any(is_shown)) {
            return Step::Silent(Why::Same);
        }
        if ask.flapping {
            let until = self.flaps_until(now, server).unwrap_or(now + FLAP_TIME);
            return Step::Later { why: Why::Flapping, until };
        }
        match rules.silence(ask.severity, minute) {
            None => {}
            Some(Why::Quiet) => {
                let left = rules.quiet_for(minute).clamp(1, LOOK_AGAIN);
                return Step::Later { why: Why::Quiet, until: now + left * 60_000 };
            }
            Some(why) => return Step::Silent(why),
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
        state.sets.retain(|(_, known)| *known != set);
        state.sets.push_back((now, set));
        while state.sets.len() > SETS {
            state.sets.pop_front();
        }
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

    /// Notes that a server shows what is approved again, without a decision; tells which notification to
    /// take away. Should it change once more, that is told once more, at the same pace.
    pub fn went_back(&mut self, server: &str) -> Option<u32> {
        let state = self.servers.get_mut(server)?;
        state.sets.clear();
        state.versions.values_mut().chain([&mut state.others]).for_each(|versions| versions.gone = true);
        let id = state.shown.as_mut().map_or(0, |(_, id)| std::mem::take(id));
        (id != 0).then_some(id)
    }

    /// Notes that a person decided about that server; tells which notification to take away.
    pub fn settled(&mut self, server: &str) -> Option<u32> {
        let state = self.servers.remove(server)?;
        state.shown.map(|(_, id)| id).filter(|id| *id != 0)
    }
}

impl Versions {
    /// Notes a version; tells whether the item flaps with it.
    fn see(&mut self, now: u64, digest: Digest) -> bool {
        let is_back = std::mem::take(&mut self.gone);
        if is_back || !self.seen.iter().any(|(_, known)| *known == digest) {
            self.seen.push_back((now, digest));
        }
        while self.seen.len() > FLAP_VERSIONS {
            self.seen.pop_front();
        }
        self.flap(now)
    }

    /// What a clock that was set back leaves ahead of us does not count: it would for years.
    fn flap(&self, now: u64) -> bool {
        let counts = |at: u64| at <= now && now - at < FLAP_TIME;
        self.seen.iter().filter(|(at, _)| counts(*at)).count() >= FLAP_VERSIONS
    }

    fn newest(&self) -> u64 {
        self.seen.back().map_or(0, |(at, _)| *at)
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
