//! The daemon's state and its one step: an event in, effects out. Owned by the loop, by nobody else.
//!
//! Promises: does nothing itself, so that every course of events is a test; a server is read only if
//! the schedule says so; memory is bounded by the servers that are configured and the gates that live.

use super::event::{Change, Effect, Event, Known, Now, Outcome, Standing, Stay};
use super::memory::Memory;
use super::schedule::{self, Course, Facts, Times, Todo};
use super::{configured, handlers, tell, views};
use crate::alert::Heard;
use crate::alert::pace::{Pace, Rules};
use crate::alert::text::{Action, Name, Notice};
use crate::engine::digest::Digest;
use crate::engine::record;
use crate::engine::settings::Watch;
use crate::ipc::message::{Askable, Gate, Missed, OutOfReach, Push, ServerId};
use crate::ipc::server::PeerId;
use std::collections::{BTreeMap, VecDeque};

/// How many unanswered notifications are remembered.
const MISSED: usize = 100;

/// How long until a missing notification service is looked for again.
const DESKTOP_RETRY: u64 = 5 * 60_000;

/// Everything that the daemon knows.
#[derive(Debug)]
pub struct State {
    /// What the user wants to be disturbed by.
    pub(super) rules: Rules,
    pub(super) servers: BTreeMap<ServerId, Server>,
    pub(super) peers: BTreeMap<PeerId, Peer>,
    pub(super) pace: Pace,
    /// Why nobody can be notified; `None` while the service answers.
    pub(super) no_desktop: Option<String>,
    pub(super) no_log: Option<String>,
    /// When the service is looked for again, and whether its absence was said.
    desktop_retry: Option<u64>,
    desktop_said: bool,
    pub(super) out_of_reach: Vec<OutOfReach>,
    pub(super) missed: VecDeque<Missed>,
    pub(super) memory: Memory,
    /// How many servers may stay connected.
    room: usize,
    /// The number that the next server gets.
    next_number: u32,
    due: Option<u64>,
}

/// A process that is connected.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub(super) gate: Option<GateState>,
}

impl Peer {
    /// Whether it is a gate before that server.
    pub(super) fn is_before(&self, id: &ServerId) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.gate.server == *id)
    }
}

/// What a gate told.
#[derive(Debug)]
pub(super) struct GateState {
    pub(super) gate: Gate,
    pub(super) held: u32,
}

/// What is known of a server.
#[derive(Debug)]
pub(super) struct Server {
    /// Our number for it, where its name cannot be shown.
    pub(super) number: u32,
    /// As it is configured; `None` for one that only a gate told of.
    pub(super) known: Option<Known>,
    pub(super) course: Course,
    pub(super) views: views::Views,
    /// Why it was not read, in our words.
    pub(super) failure: Option<String>,
    /// A notice that waits for its minute.
    pub(super) pending: Option<Pending>,
    /// Whether there was no room for it to stay connected.
    pub(super) crowded: bool,
    /// What its notification is about.
    pub(super) shown: Option<Digest>,
    /// The surface that was logged last.
    pub(super) logged: Option<Digest>,
}

/// A notice that waits.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) notice: Notice,
    pub(super) set: Digest,
    /// Whether it waits because everything in it flaps.
    pub(super) flapping: bool,
    /// Until when, on the steady clock.
    pub(super) until: u64,
}

impl State {
    /// A daemon that knows what was configured when it last ran.
    pub fn new(rules: Rules, memory: Memory) -> Self {
        Self {
            rules,
            servers: BTreeMap::new(),
            peers: BTreeMap::new(),
            pace: Pace::new(),
            no_desktop: Some("the notification service was not asked yet".to_owned()),
            no_log: None,
            desktop_retry: None,
            desktop_said: false,
            out_of_reach: Vec::new(),
            missed: VecDeque::new(),
            memory,
            room: usize::MAX,
            next_number: 1,
            due: None,
        }
    }

    /// What is done first.
    pub fn start(&self) -> Vec<Effect> {
        vec![Effect::OpenDesktop, Effect::LookUp]
    }

    /// When the loop is to hear [`Event::Due`], on the steady clock.
    pub fn due(&self) -> Option<u64> {
        self.due
    }

    /// What was configured, to be kept for the next start.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Takes in new rules about notifications.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// So many servers may stay connected; the others are read in turn.
    pub fn set_room(&mut self, room: usize) {
        self.room = room;
    }

    /// Takes in one event.
    pub fn step(&mut self, now: Now, event: Event) -> Vec<Effect> {
        let mut out = Vec::new();
        match event {
            Event::Opened(peer) => {
                self.peers.insert(peer, Peer::default());
            }
            Event::Asked(peer, ticket, request) => {
                out.extend(handlers::handle(self, now, peer, ticket, request));
            }
            Event::Closed(peer) => handlers::run::closed(self, now, peer),
            Event::Configured(configured) => out.extend(configured::take(self, now, configured)),
            Event::FilesChanged => out.push(Effect::LookUp),
            Event::ProgramChanged(id) => {
                if let Some(server) = self.servers.get_mut(&id) {
                    server.course.urgent = true;
                    server.course.program = true;
                }
            }
            Event::Read(id, outcome) => out.extend(self.read(now, &id, outcome)),
            Event::Sighted(id, seen) => out.extend(views::sighted(self, now, &id, seen)),
            Event::Newer(id, artifact) => out.extend(tell::newer(self, now, &id, artifact)),
            Event::Signalled(id) => {
                if let Some(server) = self.servers.get_mut(&id) {
                    server.course.signalled(now.steady);
                }
            }
            Event::Deaf(id) => {
                if let Some(server) = self.servers.get_mut(&id) {
                    server.course.deaf = true;
                }
            }
            Event::Session(id, protocol) => {
                let view = record::event::View::Daemon;
                let session = record::Event::Session { server: id.name, view, client: None, protocol };
                out.push(log(session));
            }
            Event::Over(id, reason) => {
                let view = record::event::View::Daemon;
                out.push(log(record::Event::Closed { server: id.name, view, reason }));
            }
            Event::Ended(id, _, why) => {
                if let Some(server) = self.servers.get_mut(&id) {
                    server.course.failed(now.steady);
                    server.failure = Some(why);
                }
            }
            Event::Desktop(answer) => out.extend(self.desktop(now, answer)),
            Event::Logged(written) => self.no_log = written.err(),
            Event::Shown(id, set, number) => {
                if number != 0 {
                    self.pace.shown(now.wall, &key(&id), set, number);
                }
            }
            Event::Heard(heard) => out.extend(self.heard(heard)),
            Event::Due => {}
            Event::Woke => self.servers.values_mut().for_each(|server| {
                server.course.woke();
                // The steady clock may have stood still: who waits for a time of the day looks again.
                server.pending.iter_mut().for_each(|pending| pending.until = now.steady);
            }),
            Event::Stop => out.push(Effect::Stop),
        }
        out.extend(self.schedule(now));
        // The last word counts, and is written once.
        if out.contains(&Effect::Remember) {
            out.retain(|effect| *effect != Effect::Remember);
            out.push(Effect::Remember);
        }
        out
    }

    /// The server of that id; a new one if it is not known yet.
    pub(super) fn server(&mut self, id: &ServerId) -> &mut Server {
        let next_number = &mut self.next_number;
        self.servers.entry(id.clone()).or_insert_with(|| {
            let number = *next_number;
            *next_number += 1;
            let course = Course { seed: number, ..Course::default() };
            let views = views::Views::default();
            let (failure, pending, shown, logged) = (None, None, None, None);
            Server { number, known: None, course, views, failure, pending, crowded: false, shown, logged }
        })
    }

    /// A server's name for a notification.
    pub(super) fn name(&self, id: &ServerId) -> Name {
        Name::new(id.name.clone(), self.servers.get(id).map_or(0, |server| server.number))
    }

    /// How many gates stand before a server, and how many calls they hold.
    pub(super) fn gates(&self, id: &ServerId) -> (u32, u32) {
        let gates = self.peers.values().filter_map(|peer| peer.gate.as_ref());
        gates.filter(|gate| gate.gate.server == *id).fold((0, 0), |(n, held), gate| (n + 1, held + gate.held))
    }

    /// Whether a person can be asked.
    pub(super) fn askable(&self) -> Askable {
        self.no_desktop.clone().map_or(Askable::Yes, Askable::No)
    }

    /// Keeps a notification that was not shown or not answered; the same one once.
    pub(super) fn miss(&mut self, at: u64, id: &ServerId, text: String) {
        if self.missed.iter().any(|missed| missed.server == *id && missed.text == text) {
            return;
        }
        self.missed.push_back(Missed { at, server: id.clone(), text });
        if self.missed.len() > MISSED {
            self.missed.pop_front();
        }
    }

    /// Tells every gate.
    pub(super) fn push_all(&self, push: &Push) -> Vec<Effect> {
        let gates = self.peers.iter().filter(|(_, peer)| peer.gate.is_some());
        gates.map(|(peer, _)| Effect::Push(*peer, push.clone())).collect()
    }

    fn read(&mut self, now: Now, id: &ServerId, outcome: Outcome) -> Vec<Effect> {
        let Some(server) = self.servers.get_mut(id) else { return Vec::new() };
        let mut out = Vec::new();
        server.failure = None;
        match outcome {
            Outcome::AsPinned { surface, items, life, connected } => {
                let news = server.logged.replace(surface) != Some(surface);
                server.course.read(now.steady, connected, news, life);
                if news {
                    let view = record::event::View::Daemon;
                    out.push(log(record::Event::Listed { server: id.name.clone(), view, surface, items }));
                }
                out.extend(views::as_pinned(self, now, id, views::Who::Daemon));
            }
            Outcome::Changed { change, connected } => {
                let news = !server.views.knows(&change.set());
                server.course.read(now.steady, connected, news, None);
                server.logged = None;
                out.extend(views::changed(self, now, id, views::Who::Daemon, change));
            }
            Outcome::Program { artifact } => {
                server.course.read(now.steady, false, false, None);
                server.failure = Some("its program is not the approved one; it was not started".to_owned());
                let notice = Notice::Artifact { server: self.name(id), newer: false };
                out.extend(tell::tell(self, now, id, notice, artifact, &[]));
            }
            Outcome::SameProgram => server.course.inspected(),
            Outcome::Failed(why) => {
                server.course.failed(now.steady);
                server.failure = Some(why);
            }
        }
        out
    }

    fn desktop(&mut self, now: Now, answer: Result<(), String>) -> Vec<Effect> {
        let before = self.askable();
        let mut out = Vec::new();
        match answer {
            Ok(()) => {
                self.no_desktop = None;
                self.desktop_retry = None;
                self.desktop_said = false;
                out.extend(tell::untold(self, now));
            }
            Err(why) => {
                self.desktop_retry = Some(now.steady + DESKTOP_RETRY);
                if !std::mem::replace(&mut self.desktop_said, true) {
                    out.push(log(record::Event::Daemon {
                        what: format!("no notifications: {why}"),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                    }));
                }
                self.no_desktop = Some(why);
            }
        }
        if self.askable() != before {
            out.extend(self.push_all(&Push::Askable(self.askable())));
        }
        out
    }

    fn heard(&mut self, heard: Heard) -> Vec<Effect> {
        match heard {
            Heard::Clicked { id, action } => {
                let Some(server) = self.pace.server_of(id).and_then(|key| self.id_of(key)) else {
                    return Vec::new();
                };
                self.missed.retain(|missed| missed.server != server);
                match action {
                    Action::Review => vec![Effect::Review(server), Effect::Unshow(id)],
                    Action::KeepBlocked => vec![Effect::Unshow(id)],
                }
            }
            Heard::Closed { id } => {
                self.pace.closed(id);
                Vec::new()
            }
            Heard::Gone => vec![Effect::OpenDesktop],
        }
    }

    fn id_of(&self, wanted: &str) -> Option<ServerId> {
        self.servers.keys().find(|id| key(id) == wanted).cloned()
    }

    /// What the schedule says, and when it says more.
    fn schedule(&mut self, now: Now) -> Vec<Effect> {
        let mut out = Vec::new();
        let mut due: Option<u64> = None;
        let mut wait = |until: u64| due = Some(due.map_or(until, |due| due.min(until)));
        let gated: Vec<ServerId> = self.servers.keys().filter(|id| self.gates(id).0 > 0).cloned().collect();
        let is_open = |server: &&Server| server.course.connected || server.course.busy;
        let mut open = self.servers.values().filter(is_open).count();
        for (id, server) in &mut self.servers {
            let facts = facts(server.known.as_ref(), gated.contains(id));
            match schedule::next(&server.course, facts, &times(server.known.as_ref()), now.steady) {
                Todo::Wait(until) => until.into_iter().for_each(&mut wait),
                Todo::Read => {
                    if server.course.program && server.course.connected {
                        // What runs is what was there before.
                        server.course.closed();
                        out.push(Effect::Close(id.clone()));
                    }
                    let has_place = server.course.connected || open < self.room;
                    open += usize::from(!server.course.connected);
                    server.course.reading();
                    server.crowded = facts.mode == Watch::Resident && !has_place;
                    let stays = facts.mode == Watch::Resident && has_place;
                    let stay = if stays { Stay::Open } else { Stay::Close };
                    out.push(Effect::Read(id.clone(), stay));
                }
                Todo::Inspect => {
                    server.course.reading();
                    out.push(Effect::Read(id.clone(), Stay::Never));
                }
                Todo::Close => {
                    server.course.closed();
                    server.course.unsteady = 0;
                    out.push(Effect::Close(id.clone()));
                    // What comes next is known once it is closed.
                    wait(now.steady);
                }
            }
            server.pending.iter().for_each(|pending| wait(pending.until));
        }
        match self.desktop_retry {
            Some(retry) if retry <= now.steady => {
                self.desktop_retry = None;
                out.push(Effect::OpenDesktop);
            }
            Some(retry) => wait(retry),
            None => {}
        }
        self.due = due;
        let ripe =
            |server: &Server| server.pending.as_ref().is_some_and(|pending| pending.until <= now.steady);
        let ready: Vec<ServerId> =
            self.servers.iter().filter(|(_, server)| ripe(server)).map(|(id, _)| id.clone()).collect();
        for id in ready {
            out.extend(tell::ripe(self, now, &id));
        }
        out
    }
}

/// The times that hold for a server.
fn times(known: Option<&Known>) -> Times {
    known.map_or_else(Times::default, |known| known.times)
}

/// What the schedule needs to know.
fn facts(known: Option<&Known>, gated: bool) -> Facts {
    match known {
        Some(known) => Facts {
            mode: known.mode,
            remote: known.remote,
            gated,
            allowed: known.standing == Standing::Agreed,
        },
        None => Facts { mode: Watch::GateOnly, remote: false, gated, allowed: false },
    }
}

/// A server's key in the pace of notifications.
pub(super) fn key(id: &ServerId) -> String {
    format!("{}\n{}", id.scope, id.name)
}

/// Writes into the log.
pub(super) fn log(event: record::Event) -> Effect {
    Effect::Log(event)
}

/// A change as the log keeps it.
pub(super) fn log_change(id: &ServerId, view: record::event::View, change: &Change) -> Vec<Effect> {
    let server = || id.name.clone();
    let mut out = vec![log(record::Event::Change {
        server: server(),
        view,
        offer: change.offer,
        cause: tell::cause_word(&change.cause).to_owned(),
        items: change.items.iter().map(|item| item.key.clone()).collect(),
    })];
    out.extend(change.findings.iter().map(|(code, severity, place)| {
        log(record::Event::Finding {
            server: server(),
            code: code.clone(),
            severity: severity.clone(),
            place: place.clone(),
        })
    }));
    out
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
