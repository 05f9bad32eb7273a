//! What the gate saw, written down and told, away from the path of the messages.
//!
//! Promises: nothing here waits for a disk or a daemon; what was offered is kept before it is spoken
//! of; the same thing is not written twice within a minute, so that a flood does not fill the log.

use crate::engine::canon;
use crate::engine::digest::{Digest, Tag};
use crate::engine::gate::{Record, Side, Verdict};
use crate::engine::json::{Object, Value};
use crate::engine::launchpin::{self, Launch};
use crate::engine::record::event::{Event, View};
use crate::engine::show;
use crate::engine::surface::{ItemKey, Surface};
use crate::ipc::message::{Cause, GateNews, ItemNews, What};
use crate::store::log::Log;
use crate::store::offers::Offers;
use crate::survey::machine;
use crate::sys::paths::Paths;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// The time in which the same block is written once, in milliseconds.
const SAME: u64 = 60_000;

/// The most different blocks that are remembered for that.
const MANY: usize = 256;

/// The most items that are told to the daemon.
const MOST_ITEMS: usize = 200;

/// Writes down and tells.
pub struct Report {
    server: String,
    paths: Paths,
    launch: Launch,
    /// The writer's thread, once there is something to write.
    writer: Option<(SyncSender<Job>, JoinHandle<()>)>,
    news: Option<tokio::sync::mpsc::Sender<GateNews>>,
    written: BTreeMap<String, u64>,
    /// Items that are not as approved, by the last judgement.
    differing: BTreeMap<ItemKey, (Verdict, Option<Digest>)>,
    refused: u32,
    waiting: u32,
}

enum Job {
    Log(u64, Event),
    Offer { at: u64, server: String, bytes: Vec<u8>, items: Vec<ItemKey> },
}

impl Report {
    /// A report on a server; nothing is opened before there is something to say.
    pub fn new(server: &str, paths: &Paths, launch: &Launch) -> Self {
        Self {
            server: server.to_owned(),
            paths: paths.clone(),
            launch: launch.clone(),
            writer: None,
            news: None,
            written: BTreeMap::new(),
            differing: BTreeMap::new(),
            refused: 0,
            waiting: 0,
        }
    }

    /// Tells a daemon from now on.
    pub fn attach(&mut self, news: tokio::sync::mpsc::Sender<GateNews>) {
        self.news = Some(news);
    }

    /// Writes down what the gate did.
    pub fn record(&mut self, now: u64, record: Record) {
        match record {
            Record::Judged { item, verdict, offered } => match verdict {
                Verdict::Approved => {
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
            Record::Unreadable(kind, why) => {
                self.block(now, None, format!("the list of {} could not be read: {why}", kind.plural()));
            }
        }
    }

    /// Keeps an offer, and tells the daemon.
    pub fn offer(&mut self, at: u64, surface: &Surface) {
        let mut offer = Object::new();
        offer.insert("launch", launchpin::pin(&self.launch, &machine::account()).to_value());
        offer.insert("full", surface.to_value());
        let bytes = canon::canonical(&Value::Object(offer));
        let digest = Digest::of_bytes(Tag::Offer, &bytes);
        let items: Vec<ItemKey> = self.differing.keys().cloned().collect();
        if self.differing.is_empty() {
            self.tell(GateNews::Clear);
        } else {
            let news = self.differing.iter().take(MOST_ITEMS).map(news).collect();
            self.tell(GateNews::Offered { offer: digest.to_string(), items: news, cause: Cause::Unknown });
        }
        self.write(Job::Offer { at, server: self.server.clone(), bytes, items });
    }

    /// Calls wait for a person.
    pub fn ask(&mut self, _items: &[ItemKey]) {
        self.tell_holding();
    }

    /// The session ended: everything that waits is written.
    pub fn finish(&mut self, now: u64, why: &str) {
        if self.writer.is_none() {
            return;
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
        if let Some(daemon) = &self.news {
            // A daemon that does not keep up reads the store instead.
            let _full = daemon.try_send(news);
        }
    }

    fn write(&mut self, job: Job) {
        if self.writer.is_none() {
            let (jobs, taken) = sync_channel(1_024);
            let paths = self.paths.clone();
            let thread = std::thread::Builder::new().name("report".to_owned()).stack_size(256 << 10);
            self.writer = thread.spawn(move || work(&paths, &taken)).ok().map(|thread| (jobs, thread));
        }
        if let Some((jobs, _)) = &self.writer {
            // A disk that does not keep up costs records, never messages.
            let _full = jobs.try_send(job);
        }
    }
}

/// The writer's thread.
fn work(paths: &Paths, jobs: &Receiver<Job>) {
    let log = Log::at(paths.log_dir());
    let offers = Offers::of(paths);
    for job in jobs {
        // What cannot be written has nowhere else to go: the gate has already done what it had to.
        match job {
            Job::Log(at, event) => drop(log.append(at, &event)),
            Job::Offer { at, server, bytes, items } => {
                let Ok(offer) = offers.put(Tag::Offer, &bytes) else { continue };
                let cause = "unknown".to_owned();
                drop(log.append(at, &Event::Change { server, view: View::Gate, offer, cause, items }));
            }
        }
    }
}

fn news((item, (verdict, digest)): (&ItemKey, &(Verdict, Option<Digest>))) -> ItemNews {
    let what = match verdict {
        Verdict::New | Verdict::Unlisted => What::New,
        Verdict::Removed => What::Removed,
        Verdict::Changed
        | Verdict::Rejected
        | Verdict::Ambiguous
        | Verdict::Unreadable
        | Verdict::Approved => What::Changed,
    };
    let digest = digest.map_or_else(String::new, |digest| digest.to_string());
    ItemNews { what, kind: item.kind.key().to_owned(), name: item.name.clone(), digest }
}
