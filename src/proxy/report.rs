//! What the gate saw, written down and told, away from the path of the messages.
//!
//! Promises: nothing here waits for a disk or a daemon; what was offered is kept before it is spoken
//! of; the same thing is not written twice within a minute, so that a flood does not fill the log. A log
//! that cannot be written is said once on stderr and to the daemon, and stops nothing. Arguments of calls
//! are kept only where the settings say so, masked and cut.

mod writer;

use crate::engine::canon;
use crate::engine::digest::{Digest, Tag};
use crate::engine::gate::{ClientKind, Record, Seen, Side, Verdict};
use crate::engine::json::{Object, Value};
use crate::engine::launchpin::{self, Launch};
use crate::engine::record::event::{Event, View};
use crate::engine::show;
use crate::engine::surface::{ItemKey, Surface};
use crate::ipc::message::{Cause, GateNews, ItemNews, What};
use crate::store::log::Log;
use crate::store::offers::Offers;
use crate::store::sightings::{self, Sighting, Sightings};
use crate::survey::machine;
use crate::sys::files;
use crate::sys::paths::Paths;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use writer::{Call, Contents, Job, News, Writer};

/// The time in which the same block is written once, in milliseconds.
const SAME: u64 = 60_000;

/// The most different blocks that are remembered for that.
const MANY: usize = 256;

/// The most calls that are remembered until they are answered, and the most bytes of their arguments.
const OPEN_CALLS: usize = 4_096;
const OPEN_BYTES: usize = 16 << 20;

/// The most items that are told to the daemon.
const MOST_ITEMS: usize = 200;

/// Writes down and tells.
pub struct Report {
    server: String,
    /// The lock that governs the server, symlinks followed.
    lock: PathBuf,
    /// The name of this session.
    session: String,
    /// What the client calls itself.
    client: Option<String>,
    /// Whether a sighting of this session may stand.
    is_sighted: bool,
    paths: Paths,
    launch: Launch,
    /// What is written with whatever comes next, because a client waits for its first list.
    held: Option<Job>,
    /// The writer's thread, once there is something to write.
    ///
    /// A channel that has an end holds all its places from the start, so that they are kept small.
    writer: Option<(SyncSender<Box<Job>>, JoinHandle<()>)>,
    news: News,
    contents: Contents,
    written: BTreeMap<String, u64>,
    /// Items that are not as approved, by the last judgement.
    differing: BTreeMap<ItemKey, (Verdict, Option<Digest>)>,
    /// Calls that the server has not answered, and the bytes of their arguments.
    calls: BTreeMap<u64, Call>,
    arguments: usize,
    refused: u32,
    waiting: u32,
    /// Why what runs shows something else, as far as is known.
    cause: Cause,
}

impl Report {
    /// A report on a server that a lock governs, in a session of that name; nothing is opened before
    /// there is something to say.
    pub fn new(
        server: &str,
        lock: &Path,
        session: &str,
        paths: &Paths,
        launch: &Launch,
        cause: Cause,
    ) -> Self {
        Self {
            server: server.to_owned(),
            lock: files::resolve(lock),
            session: session.to_owned(),
            client: None,
            is_sighted: false,
            held: None,
            paths: paths.clone(),
            launch: launch.clone(),
            writer: None,
            news: News::default(),
            contents: Contents::default(),
            written: BTreeMap::new(),
            differing: BTreeMap::new(),
            calls: BTreeMap::new(),
            arguments: 0,
            refused: 0,
            waiting: 0,
            cause,
        }
    }

    /// The same, keeping the arguments of calls or not.
    #[must_use]
    pub fn with_contents(self, keeps: bool) -> Self {
        self.contents.store(keeps, Ordering::Relaxed);
        self
    }

    /// From now on the log keeps no arguments of calls.
    pub fn keep_no_contents(&mut self) {
        self.contents.store(false, Ordering::Relaxed);
    }

    /// Tells a daemon from now on, and what was seen before that.
    pub fn attach(&mut self, news: tokio::sync::mpsc::Sender<GateNews>) {
        self.news.open(news);
    }

    /// Writes down what the gate did.
    pub fn record(&mut self, now: u64, record: Record) {
        match record {
            Record::Judged { item, verdict, offered } => match verdict {
                // Nobody has to decide on what was approved and cannot be taken.
                Verdict::Approved | Verdict::Unfit => {
                    self.differing.remove(&item);
                }
                Verdict::Changed
                | Verdict::New
                | Verdict::Removed
                | Verdict::Rejected
                | Verdict::Ambiguous
                | Verdict::Unlisted
                | Verdict::Unreadable => {
                    self.differing.insert(item, (verdict, offered));
                }
            },
            Record::Refused { method, item, why } => {
                self.refused = self.refused.saturating_add(1);
                self.tell_holding();
                self.block(now, item, format!("{}: {why}", show::line(&method, 60)));
            }
            Record::Observed { method, item } => {
                let why = format!("{}: observed only, it went on", show::line(&method, 60));
                self.block(now, Some(item), why);
            }
            Record::Held(item) => {
                self.waiting = self.waiting.saturating_add(1);
                self.tell_holding();
                self.block(now, Some(item), "the call waits for a decision".to_owned());
            }
            Record::Released(item) => {
                self.waiting = self.waiting.saturating_sub(1);
                self.tell_holding();
                self.block(now, Some(item), "the call went on after a decision".to_owned());
            }
            Record::Dropped(from, why) => {
                let from = match from {
                    Side::Client => "client",
                    Side::Server => "server",
                };
                self.block(
                    now,
                    None,
                    format!("a message of the {from} was dropped: {}", show::line(&why, 200)),
                );
            }
            Record::Opened { client, protocol } => {
                let server = self.server.clone();
                let event = Event::Session { server, view: View::Gate, client, protocol };
                self.opened();
                self.held = Some(Job::Log(now, event));
            }
            Record::Called { call, item, arguments } => {
                self.arguments += arguments.len();
                self.calls.insert(call, Call { at: now, item, arguments });
                // Records may cost something, but not without end.
                while self.calls.len() > OPEN_CALLS || self.arguments > OPEN_BYTES {
                    let Some((_, oldest)) = self.calls.pop_first() else { break };
                    self.arguments -= oldest.arguments.len();
                }
            }
            Record::Ended { call, outcome } => {
                if let Some(call) = self.calls.remove(&call) {
                    self.arguments -= call.arguments.len();
                    self.write(Job::Call(call, outcome, now));
                }
            }
            Record::Unreadable(kind, why) => {
                self.block(now, None, format!("the list of {} could not be read: {why}", kind.plural()));
            }
        }
    }

    /// What the server's package depends on is not what it was.
    pub fn dependencies(&mut self, at: u64, what: &str) {
        let event = Event::Finding {
            server: self.server.clone(),
            code: "dependencies".to_owned(),
            severity: "warning".to_owned(),
            place: show::line(what, 400),
        };
        self.write(Job::Log(at, event));
    }

    /// Keeps an offer, and tells the daemon.
    pub fn offer(&mut self, at: u64, seen: &Seen) {
        let mut offer = Object::new();
        offer.insert("launch", launchpin::pin(&self.launch, &machine::account()).to_value());
        offer.insert(sightings::VIEW, seen.surface.to_value());
        let bytes = canon::canonical(&Value::Object(offer));
        let digest = Digest::of_bytes(Tag::Offer, &bytes);
        self.client.clone_from(&seen.client);
        if self.differing.is_empty() {
            self.tell(GateNews::Clear);
        } else {
            let items = self.differing.iter().take(MOST_ITEMS).map(news).collect();
            self.tell(GateNews::Offered { offer: digest.to_string(), items, cause: self.cause });
        }
        let open: Vec<(ItemKey, sightings::What)> = self.differing.iter().filter_map(open).collect();
        if open.is_empty() && self.is_sighted {
            self.is_sighted = false;
            self.write(Job::Clear(self.client.clone()));
        }
        self.is_sighted |= !open.is_empty();
        if self.differing.is_empty() {
            return self.listed(at, &seen.surface);
        }
        let sighting = self.sighting(at, digest, seen.kind, open);
        let items = self.differing.keys().cloned().collect();
        self.write(Job::Offer(bytes, Box::new(sighting), items));
    }

    /// Everything that was listed in this session was as approved, so what earlier ones of this client
    /// saw is no more.
    pub fn settled(&mut self, client: Option<String>) {
        let waits = || Sightings::of(&self.paths).is_any(&self.lock, &self.server);
        if self.differing.is_empty() && waits() {
            self.write(Job::Clear(client));
        }
    }

    /// Everything was read again for the daemon: tells it if nothing differs.
    pub fn looked(&self, surface: Digest, kind: ClientKind) {
        if self.differing.is_empty() {
            self.tell(GateNews::Listed { surface: surface.to_string(), full: kind == ClientKind::Full });
        }
    }

    /// Whether nothing is known that is not as approved.
    pub fn is_as_approved(&self) -> bool {
        self.differing.is_empty()
    }

    /// Writes down what the server listed, all of it as approved.
    pub fn listed(&mut self, at: u64, surface: &Surface) {
        let (server, view, items) = (self.server.clone(), View::Gate, surface.items().len() as u64);
        self.write(Job::Log(at, Event::Listed { server, view, surface: surface.digest(), items }));
    }

    fn sighting(
        &self,
        at: u64,
        offer: Digest,
        kind: ClientKind,
        items: Vec<(ItemKey, sightings::What)>,
    ) -> Sighting {
        Sighting {
            lock: self.lock.clone(),
            server: self.server.clone(),
            session: self.session.clone(),
            client: self.client.clone(),
            kind,
            at,
            offer,
            items,
            ended: false,
            split: Vec::new(),
        }
    }

    /// The opening is over: what was held is written.
    pub fn opened(&mut self) {
        if let Some(job) = self.held.take() {
            self.write(job);
        }
    }

    /// Calls wait for a person.
    pub fn ask(&mut self, _items: &[ItemKey]) {
        self.tell_holding();
    }

    /// The session ended: everything that waits is written.
    pub fn finish(&mut self, now: u64, why: &str) {
        self.opened();
        if self.writer.is_none() {
            return;
        }
        if self.is_sighted {
            self.write(Job::End);
        }
        let event = Event::Closed { server: self.server.clone(), view: View::Gate, reason: why.to_owned() };
        self.write(Job::Log(now, event));
        if let Some((jobs, thread)) = self.writer.take() {
            drop(jobs);
            // A writer that failed has nothing more to write.
            let _ended = thread.join();
        }
    }

    fn block(&mut self, now: u64, item: Option<ItemKey>, reason: String) {
        let same = format!("{item:?} {reason}");
        if self.written.get(&same).is_some_and(|at| now.saturating_sub(*at) < SAME) {
            return;
        }
        if self.written.len() >= MANY {
            self.written.retain(|_, at| now.saturating_sub(*at) < SAME);
            if self.written.len() >= MANY {
                return;
            }
        }
        self.written.insert(same, now);
        let event = Event::Block { server: self.server.clone(), item, reason };
        self.write(Job::Log(now, event));
    }

    fn tell_holding(&self) {
        self.tell(GateNews::Holding { waiting: self.waiting, refused: self.refused });
    }

    fn tell(&self, news: GateNews) {
        self.news.send(news);
    }

    fn write(&mut self, job: Job) {
        self.opened();
        if self.writer.is_none() {
            let (jobs, taken) = sync_channel(1_024);
            let mut writer = Writer {
                log: Log::of(&self.paths),
                offers: Offers::of(&self.paths),
                sightings: Sightings::of(&self.paths),
                lock: self.lock.clone(),
                server: self.server.clone(),
                session: self.session.clone(),
                cause: self.cause,
                trust: None,
                news: self.news.clone(),
                contents: Arc::clone(&self.contents),
                secrets: None,
                launch: self.launch.clone(),
                was_said: false,
                paths: self.paths.clone(),
            };
            let thread = std::thread::Builder::new().name("report".to_owned()).stack_size(256 << 10);
            let spawned = thread.spawn(move || taken.iter().for_each(|job: Box<Job>| writer.work(*job)));
            self.writer = spawned.ok().map(|thread| (jobs, thread));
        }
        if let Some((jobs, _)) = &self.writer {
            // A disk that does not keep up costs records, never messages.
            let _full = jobs.try_send(Box::new(job));
        }
    }
}

/// What waits for a person: neither turned down already nor something that nobody can approve.
fn open((item, (verdict, _)): (&ItemKey, &(Verdict, Option<Digest>))) -> Option<(ItemKey, sightings::What)> {
    let what = match verdict {
        Verdict::New => sightings::What::New,
        Verdict::Changed => sightings::What::Changed,
        Verdict::Removed => sightings::What::Removed,
        Verdict::Rejected
        | Verdict::Ambiguous
        | Verdict::Unlisted
        | Verdict::Unreadable
        | Verdict::Unfit
        | Verdict::Approved => return None,
    };
    Some((item.clone(), what))
}

fn news((item, (verdict, digest)): (&ItemKey, &(Verdict, Option<Digest>))) -> ItemNews {
    let what = match verdict {
        Verdict::New | Verdict::Unlisted => What::New,
        Verdict::Removed => What::Removed,
        Verdict::Changed
        | Verdict::Rejected
        | Verdict::Ambiguous
        | Verdict::Unreadable
        | Verdict::Unfit
        | Verdict::Approved => What::Changed,
    };
    let digest = digest.map_or_else(String::new, |digest| digest.to_string());
    ItemNews { what, kind: item.kind.key().to_owned(), name: item.name.clone(), digest }
}
