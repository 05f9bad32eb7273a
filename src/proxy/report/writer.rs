//! The thread that writes down what the gate did: log, offers, sightings, and word of it to the daemon
//! where the log cannot be written.
//!
//! Promises: what cannot be written stops nobody; arguments of calls are kept only where the settings say
//! so, without the secrets that are known or look like some, and cut where they are long.

use crate::engine::canon;
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::{self, Value};
use crate::engine::launchpin::{self, Launch};
use crate::engine::record::event::{Event, Outcome, View};
use crate::engine::secret::Known;
use crate::engine::surface::ItemKey;
use crate::ipc::message::{Cause, GateNews};
use crate::store::log::Log;
use crate::store::offers::Offers;
use crate::store::sightings::{Sighting, Sightings};
use crate::store::trust::{self, Trust};
use crate::sys::paths::Paths;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most bytes of the arguments of a call that the log keeps, where it keeps any.
const CONTENTS: usize = 16 << 10;

/// The way to the daemon, which the writer's thread shares.
#[derive(Clone, Default)]
pub(super) struct News(Arc<Mutex<Way>>);

#[derive(Default)]
struct Way {
    /// Where news go, once somebody takes them.
    daemon: Option<tokio::sync::mpsc::Sender<GateNews>>,
    /// Why the log cannot be written, for a daemon that comes later.
    trouble: Option<String>,
    /// What is not as approved, for the same.
    offered: Option<GateNews>,
}

/// Whether the log keeps the arguments of calls; the writer's thread asks for each.
pub(super) type Contents = Arc<AtomicBool>;

/// A call that the server has not answered.
pub(super) struct Call {
    pub(super) at: u64,
    pub(super) item: ItemKey,
    pub(super) arguments: Vec<u8>,
}

pub(super) enum Job {
    Log(u64, Event),
    /// A call, how it ended, and when.
    Call(Call, Outcome, u64),
    /// The bytes of an offer, and what is the matter with it.
    Offer(Vec<u8>, Box<Sighting>, Vec<ItemKey>),
    /// Everything is as approved.
    Clear(Option<String>),
    /// The session is over.
    End,
}

/// What the writer's thread holds.
pub(super) struct Writer {
    pub(super) log: Log,
    pub(super) offers: Offers,
    pub(super) sightings: Sightings,
    pub(super) lock: PathBuf,
    pub(super) server: String,
    pub(super) session: String,
    pub(super) cause: Cause,
    /// Holds the key of this machine; looked up for the first call.
    pub(super) trust: Option<Trust>,
    pub(super) news: News,
    pub(super) contents: Contents,
    /// What must not be kept of arguments; collected for the first call.
    pub(super) secrets: Option<Known>,
    pub(super) launch: Launch,
    /// Whether it was said on stderr that the log cannot be written.
    pub(super) was_said: bool,
    pub(super) paths: Paths,
}

impl Writer {
    /// Writes a line. What cannot be written has nowhere else to go: the gate has already done what it
    /// had to; that it cannot is told where somebody looks.
    fn log(&mut self, at: u64, event: &Event) {
        let trouble = self.log.append(at, event).err().map(|error| error.to_string());
        if let Some(why) =
            trouble.as_ref().filter(|_| !std::mem::replace(&mut self.was_said, trouble.is_some()))
        {
            let _closed = writeln!(std::io::stderr(), "mcpwatch: {why}; blocking goes on without it.");
        }
        self.news.log(trouble);
    }

    /// The arguments as the log keeps them: masked, and cut where they are long.
    fn kept(&mut self, arguments: &[u8]) -> Option<Value> {
        if !self.contents.load(Ordering::Relaxed) {
            return None;
        }
        let launch = &self.launch;
        let secrets = self.secrets.get_or_insert_with(|| {
            // The entry's variables reach us among our own.
            let own = std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
            launchpin::known_secrets(launch).and(Known::new(own))
        });
        Some(contents(arguments, secrets))
    }

    /// A digest that only this machine can make, so that arguments cannot be guessed from it.
    fn keyed(&mut self, arguments: &[u8]) -> Option<Digest> {
        if self.trust.is_none() {
            // Nobody decided anything here yet: a key that lasts as long as this session.
            self.trust = trust::load(&self.paths).ok().flatten().or_else(|| Trust::new().ok());
        }
        Some(self.trust.as_ref()?.keyed(Tag::Offer, arguments))
    }

    pub(super) fn work(&mut self, job: Job) {
        match job {
            Job::Log(at, event) => self.log(at, &event),
            Job::Call(call, outcome, now) => {
                let Some(arguments) = self.keyed(&call.arguments) else { return };
                let contents = self.kept(&call.arguments);
                let event = Event::Call {
                    server: self.server.clone(),
                    item: call.item,
                    arguments,
                    size: call.arguments.len() as u64,
                    outcome,
                    duration: now.saturating_sub(call.at),
                    contents,
                };
                self.log(now, &event);
            }
            Job::Offer(bytes, sighting, items) => {
                let Ok(offer) = self.offers.put(Tag::Offer, &bytes) else { return };
                let (at, server) = (sighting.at, self.server.clone());
                if !sighting.items.is_empty() {
                    drop(self.sightings.note(&sighting));
                }
                let view = View::Gate;
                let cause = self.cause.name().to_owned();
                self.log(at, &Event::Change { server, view, offer, cause, items });
            }
            Job::Clear(client) => {
                drop(self.sightings.clear(&self.lock, &self.server, &self.session, client.as_deref()));
            }
            Job::End => drop(self.sightings.end(&self.lock, &self.server, &self.session)),
        }
    }
}

impl News {
    /// There is a way now.
    pub(super) fn open(&self, daemon: tokio::sync::mpsc::Sender<GateNews>) {
        let mut way = self.way();
        if let Some(trouble) = way.trouble.clone() {
            let _full = daemon.try_send(GateNews::Log { trouble: Some(trouble) });
        }
        if let Some(offered) = way.offered.clone() {
            let _full = daemon.try_send(offered);
        }
        way.daemon = Some(daemon);
    }

    /// Tells whether the log can be written, where that is news.
    fn log(&self, trouble: Option<String>) {
        let mut way = self.way();
        if way.trouble != trouble {
            way.trouble.clone_from(&trouble);
            drop(way);
            self.send(GateNews::Log { trouble });
        }
    }

    /// A daemon that does not keep up reads the store instead.
    pub(super) fn send(&self, news: GateNews) {
        let mut way = self.way();
        match &news {
            GateNews::Offered { .. } => way.offered = Some(news.clone()),
            GateNews::Listed { .. } | GateNews::Clear => way.offered = None,
            GateNews::Attached(_) | GateNews::Holding { .. } | GateNews::Log { .. } => {}
        }
        if let Some(daemon) = &way.daemon {
            let _full = daemon.try_send(news);
        }
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Arguments without the secrets that are known or look like some, cut where they are long.
fn contents(arguments: &[u8], secrets: &Known) -> Value {
    let masked = match json::parse(arguments) {
        Ok(value) => secrets.mask_value(&value),
        Err(_) => Value::from(secrets.mask(&String::from_utf8_lossy(arguments)).as_ref()),
    };
    let text = canon::canonical(&masked);
    if text.len() <= CONTENTS {
        return masked;
    }
    let cut = String::from_utf8_lossy(&text[..CONTENTS]).trim_end_matches('\u{fffd}').to_owned();
    Value::from(format!("{cut}… (cut, {} bytes)", text.len()))
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
