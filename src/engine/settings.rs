//! `config.toml`: what a person may set, with defaults that need no file.
//!
//! Promises: a key that is not known is refused with the nearest one that is; a value of another type
//! or out of its range is refused with what it may be; nothing is guessed. [`keys::KEYS`] documents
//! every key and `docs/config.md` is written from it.
//!
//! What loosens the gate ([`Settings::weakened`]) holds only once a person accepted it; whoever acts
//! on settings takes [`Settings::hardened`] until the trust store says so. Does not read the file.

mod error;
pub mod keys;
mod parse;
pub mod policy;
mod units;

pub use error::SettingsError;
pub use parse::parse;

use super::digest::{Digest, Tag};
use super::gate::Mode;
use super::json::{Object, Value};
use std::collections::BTreeMap;

/// Everything that `config.toml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What holds for every server.
    pub all: ServerSettings,
    /// What holds for one server, by its name: whole settings, what is not overridden as for all.
    pub servers: BTreeMap<String, ServerSettings>,
    /// Sizes and counts.
    pub limits: Limits,
    /// When a person is disturbed.
    pub notify: Notify,
}

/// What may differ from server to server. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Whether the gate holds back or only records.
    pub mode: Mode,
    /// How long a call waits for a person.
    pub hold: u64,
    /// How old a reading may be that a call relies on.
    pub verify: u64,
    /// How the daemon watches.
    pub watch: Watch,
    /// How often the daemon reads again without a signal.
    pub interval: u64,
    /// How long the daemon keeps a server of its own running.
    pub linger: u64,
    /// Whether the log keeps the arguments of calls.
    pub log_contents: bool,
}

/// How the daemon watches a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// It stays connected while that lasts, then probes.
    #[default]
    Resident,
    /// It connects only at each interval and on changes of launch, artifact or configuration.
    Probe,
    /// It looks only through gates that clients run.
    GateOnly,
    /// It does not.
    Off,
}

impl Watch {
    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Watch::Resident => "resident",
            Watch::Probe => "probe",
            Watch::GateOnly => "gate-only",
            Watch::Off => "off",
        }
    }

    /// The one of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Watch::Resident, Watch::Probe, Watch::GateOnly, Watch::Off]
            .into_iter()
            .find(|watch| watch.name() == name)
    }
}

/// Sizes and counts. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message, in bytes.
    pub message: u64,
    /// How long a server may take for one page of a list.
    pub answer: u64,
    /// The shortest time between two readings that signals cause.
    pub debounce: u64,
    /// The most items on a page of ours.
    pub page_items: u64,
    /// The most pages of a server's list.
    pub pages: u64,
    /// The most open requests in each direction.
    pub open_requests: u64,
    /// The most bytes of calls that wait.
    pub waiting: u64,
}

/// When a person is disturbed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// Minutes of the day from and to which nothing is shown; over midnight if from is later.
    pub quiet_hours: Option<(u16, u16)>,
    /// Severities that are not shown.
    pub off: Vec<Severity>,
}

/// A severity that notifications can be switched off for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warning,
    /// Looks like an attack.
    Critical,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            hold: 45_000,
            verify: 60_000,
            watch: Watch::Resident,
            interval: 30 * 60_000,
            linger: 15 * 60_000,
            log_contents: false,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 64 << 20,
            answer: 20_000,
            debounce: 500,
            page_items: 1_000,
            pages: 1_000,
            open_requests: 65_536,
            waiting: 64 << 20,
        }
    }
}

impl Settings {
    /// What holds for a server.
    pub fn server(&self, name: &str) -> &ServerSettings {
        self.servers.get(name).unwrap_or(&self.all)
    }

    /// The limits of a server's gate.
    pub fn gate_limits(&self, name: &str) -> super::gate::Limits {
        let (server, limits) = (self.server(name), self.limits);
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        super::gate::Limits {
            hold: server.hold,
            verify: server.verify,
            debounce: limits.debounce,
            answer: limits.answer,
            page_items: size(limits.page_items),
            pages: size(limits.pages),
            list: size(limits.message),
            open: size(limits.open_requests),
            waiting: size(limits.waiting),
        }
    }

    /// The keys by which the log keeps the arguments of calls. That loosens no gate; it puts what may be
    /// secret on the disk, so it is said wherever somebody asks how things stand.
    pub fn logging_contents(&self) -> Vec<String> {
        let for_all = self.all.log_contents.then(|| "log_contents".to_owned());
        let own = self.servers.iter().filter(|(_, server)| server.log_contents && for_all.is_none());
        let own = own.map(|(name, _)| format!("server.{name}.log_contents"));
        for_all.clone().into_iter().chain(own).collect()
    }

    /// What loosens the watch: keys and values that differ from the default towards less protection.
    pub fn weakened(&self) -> BTreeMap<String, String> {
        let standard = ServerSettings::default();
        let named = self.servers.iter().map(|(name, server)| (format!("server.{name}."), server));
        let mut weakened = BTreeMap::new();
        for (prefix, server) in [(String::new(), &self.all)].into_iter().chain(named) {
            if server.mode == Mode::Observe {
                weakened.insert(format!("{prefix}mode"), "observe".to_owned());
            }
            if server.verify > standard.verify {
                weakened.insert(format!("{prefix}verify"), units::duration(server.verify));
            }
            if server.watch == Watch::Off {
                weakened.insert(format!("{prefix}watch"), "off".to_owned());
            }
        }
        if self.notify.off.contains(&Severity::Critical) {
            weakened.insert("notify.off".to_owned(), "critical".to_owned());
        }
        if let Some((from, to)) = self.notify.quiet_hours.filter(|hours| is_long(*hours)) {
            weakened.insert("notify.quiet_hours".to_owned(), units::hours(from, to));
        }
        weakened
    }

    /// The digest that a person accepts for [`Self::weakened`]; `None` if nothing is.
    pub fn weakened_digest(&self) -> Option<Digest> {
        let weakened: Object = self.weakened().into_iter().collect();
        (!weakened.is_empty()).then(|| Digest::of(Tag::Offer, &Value::Object(weakened)))
    }

    /// The same settings without what loosens the gate.
    #[must_use]
    pub fn hardened(mut self) -> Self {
        let standard = ServerSettings::default();
        for server in self.servers.values_mut().chain([&mut self.all]) {
            server.mode = Mode::Enforce;
            server.verify = server.verify.min(standard.verify);
            if server.watch == Watch::Off {
                server.watch = standard.watch;
            }
        }
        self.notify.off.retain(|severity| *severity != Severity::Critical);
        self.notify.quiet_hours = self.notify.quiet_hours.filter(|hours| !is_long(*hours));
        self
    }
}

/// Whether quiet hours are more than half of the day: nobody sleeps that long.
fn is_long((from, to): (u16, u16)) -> bool {
    const DAY: u16 = 24 * 60;
    (to + DAY - from) % DAY > DAY / 2
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
