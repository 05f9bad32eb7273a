//! When a server is connected to, read, and let go. Pure: times are milliseconds of a clock that never
//! goes back, given by the caller.
//!
//! Promises: nothing is started that its owner did not agree to; a stdio server behind a live gate is
//! not started twice; a signal is followed by a reading half a second later, a storm of signals by one
//! every half second; what fails is tried again later and later.

use crate::engine::settings::Watch;

/// A session that stood for this long has come to stand; milliseconds.
const LASTING: u64 = 60_000;

/// The times that the schedule keeps, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From one reading to the next without any signal.
    pub interval: u64,
    /// How long a stdio server stays connected after something was new.
    pub linger: u64,
    /// From a signal to its reading.
    pub debounce: u64,
    /// The first wait after a failure; each further one is twice as long.
    pub first_retry: u64,
    /// The longest wait of a remote server after failures; others wait for the interval at most.
    pub last_retry: u64,
    /// The shortest time to live that is honoured.
    pub shortest_life: u64,
}

/// What is known of a server from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How it is to be watched.
    pub mode: Watch,
    /// Whether it is reached over the network.
    pub remote: bool,
    /// Whether a live gate stands before it.
    pub gated: bool,
    /// Whether its owner agreed to this launch.
    pub allowed: bool,
}

/// How far a server is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Whether a session with it is open.
    pub connected: bool,
    /// Whether the session has no stream on which its server could say that its lists changed.
    pub deaf: bool,
    /// Whether a reading is under way.
    pub busy: bool,
    /// When it was last read.
    pub last_read: Option<u64>,
    /// When something was last new: it connected, changed, or signalled.
    pub active: u64,
    /// When a signal came that no reading followed yet.
    pub signal: Option<u64>,
    /// Whether it is to be read at once: its launch, program or configuration changed, or a person asked.
    pub urgent: bool,
    /// Whether what it runs is to be looked at: it changed, or was never seen.
    pub program: bool,
    /// How long its lists live, where it says so.
    pub life: Option<u64>,
    /// Failures in a row, and when the last one was.
    pub failures: u32,
    /// See `failures`.
    pub failed: u64,
    /// Failures and sessions that did not last, in a row.
    pub unsteady: u32,
    /// Since when a session is open.
    pub since: u64,
    /// Where in the jitter this server stands; any number.
    pub seed: u32,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Todo {
    /// Nothing before then; `None`: nothing until something happens.
    Wait(Option<u64>),
    /// Connect if need be, and read.
    Read,
    /// Look at what it would run, and start nothing.
    Inspect,
    /// End the session.
    Close,
}

impl Default for Times {
    fn default() -> Self {
        const SECOND: u64 = 1000;
        const MINUTE: u64 = 60 * SECOND;
        Self {
            interval: 30 * MINUTE,
            linger: 15 * MINUTE,
            debounce: SECOND / 2,
            first_retry: SECOND,
            last_retry: 5 * MINUTE,
            shortest_life: MINUTE,
        }
    }
}

/// What to do with a server at `now`.
pub fn next(course: &Course, facts: Facts, times: &Times, now: u64) -> Todo {
    if course.busy {
        return Todo::Wait(None);
    }
    if !is_ours(facts) {
        // Behind a gate it is not started twice, but what it would run next is ours to look at.
        let inspects = facts.allowed && facts.gated && course.program && facts.mode != Watch::Off;
        return match (course.connected, inspects) {
            (true, _) => Todo::Close,
            (false, true) => Todo::Inspect,
            (false, false) => Todo::Wait(None),
        };
    }
    let due = due(course, facts, times);
    if due <= now {
        return Todo::Read;
    }
    match leaves(course, facts, times) {
        Some(leaves) if leaves <= now => Todo::Close,
        Some(leaves) => Todo::Wait(Some(due.min(leaves))),
        None => Todo::Wait(Some(due)),
    }
}

impl Course {
    /// Notes a signal of the server.
    pub fn signalled(&mut self, now: u64) {
        self.signal.get_or_insert(now);
        self.active = now;
    }

    /// Notes that a reading begins: what is signalled from now on wants another one.
    pub fn reading(&mut self) {
        self.busy = true;
        self.urgent = false;
        self.program = false;
        self.signal = None;
    }

    /// Notes that a reading ended well.
    pub fn read(&mut self, now: u64, connected: bool, news: bool, life: Option<u64>) {
        if news || self.last_read.is_none() {
            self.active = now;
        }
        if !self.connected {
            self.since = now;
        }
        if !connected || self.stood(now) {
            self.unsteady = 0;
        }
        self.busy = false;
        self.connected = connected;
        self.last_read = Some(now);
        self.life = life;
        self.failures = 0;
    }

    /// Notes that what it runs was looked at.
    pub fn inspected(&mut self) {
        self.busy = false;
    }

    /// Notes that a reading failed or a session broke. One that broke right after it stood is a failure
    /// more in the row.
    pub fn failed(&mut self, now: u64) {
        self.unsteady = if self.stood(now) { 1 } else { self.unsteady.saturating_add(1) };
        self.failures = self.unsteady;
        self.busy = false;
        self.failed = now;
        self.closed();
    }

    /// Notes that no session is open any more.
    pub fn closed(&mut self) {
        self.connected = false;
        self.deaf = false;
    }

    /// Whether a session stands that has come to stand.
    fn stood(&self, now: u64) -> bool {
        self.connected && now.saturating_sub(self.since) >= LASTING
    }

    /// Notes that the clock jumped or the machine slept: everything may be old.
    pub fn woke(&mut self) {
        self.urgent = true;
        (self.failures, self.unsteady) = (0, 0);
    }
}

/// Whether the daemon itself reads this server.
fn is_ours(facts: Facts) -> bool {
    facts.allowed
        && match facts.mode {
            Watch::Resident | Watch::Probe => facts.remote || !facts.gated,
            Watch::GateOnly | Watch::Off => false,
        }
}

/// When it is read next.
fn due(course: &Course, facts: Facts, times: &Times) -> u64 {
    if course.failures > 0 {
        let longest = if facts.remote { times.last_retry } else { times.interval };
        let wait = times.first_retry.saturating_mul(1 << (course.failures - 1).min(30)).min(longest);
        let retry = course.failed + jittered(wait, course.seed);
        // A person who asks is not kept waiting; a signal cannot come from what is not connected.
        return if course.urgent { 0 } else { retry };
    }
    if course.urgent {
        return 0;
    }
    let Some(last) = course.last_read else { return 0 };
    let mut due = last + jittered(times.interval, course.seed);
    if let Some(signal) = course.signal {
        due = due.min(signal + times.debounce);
    }
    if let Some(life) = course.life.filter(|_| course.connected) {
        due = due.min(last + life.max(times.shortest_life));
    }
    due
}

/// When an idle session is ended; `None` for one that stays.
fn leaves(course: &Course, facts: Facts, times: &Times) -> Option<u64> {
    if !course.connected {
        return None;
    }
    match facts.mode {
        Watch::Resident if facts.remote => None,
        Watch::Resident => Some(course.active + times.linger),
        Watch::Probe | Watch::GateOnly | Watch::Off => Some(0),
    }
}

/// The time moved by up to a tenth, the same for the same seed.
fn jittered(time: u64, seed: u32) -> u64 {
    let spread = time / 5;
    if spread == 0 {
        return time;
    }
    // Mixed, so that neighbouring seeds do not stand side by side.
    let mixed = u64::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    time - spread / 2 + mixed % spread
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
