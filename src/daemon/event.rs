//! What the daemon's loop hears and what it has done: two closed sets.

use super::schedule::Times;
use crate::alert::Heard;
use crate::alert::text::{Cause, Text, What};
use crate::engine::digest::{Digest, Tag};
use crate::engine::record;
use crate::engine::settings::Watch;
use crate::engine::surface::ItemKey;
use crate::ipc::message::{OutOfReach, Push, Reply, Request, ServerId};
use crate::ipc::server::PeerId;

/// The moment at which something is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes back.
    pub steady: u64,
    /// Unix milliseconds.
    pub wall: u64,
    /// The local minute of the day.
    pub minute: u16,
}

/// Something that the loop hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A peer said hello.
    Opened(PeerId),
    /// A peer asks; the answer goes out under that ticket.
    Asked(PeerId, Ticket, Request),
    /// A peer is gone.
    Closed(PeerId),
    /// What is configured and pinned was looked up.
    Configured(Configured),
    /// A client's file, a lock or the trust store changed on disk.
    FilesChanged,
    /// The program of a server changed on disk.
    ProgramChanged(ServerId),
    /// A reading ended.
    Read(ServerId, Outcome),
    /// What a gate saw of a server, as it was kept, or that nothing waits there.
    Sighted(ServerId, Option<Sighted>),
    /// Whether a newer version of a floating package is at hand, by its digest; the approved one is read.
    Newer(ServerId, Option<Digest>),
    /// A server says that its lists changed.
    Signalled(ServerId),
    /// A server offers no way to say that its lists changed; it is read at the interval.
    Deaf(ServerId),
    /// A session opened; the protocol version that was agreed on.
    Session(ServerId, String),
    /// A session is over; why, in our words.
    Over(ServerId, String),
    /// A session ended by itself: its number, and why, in our words.
    Ended(ServerId, u64, String),
    /// The notification service can be used, or why not.
    Desktop(Result<(), String>),
    /// The log can be written again, or why not. Told when that changes.
    Logged(Result<(), String>),
    /// A notification is on the screen under that number; 0 if it was not shown.
    Shown(ServerId, Digest, u32),
    /// A person or the service did something with a notification.
    Heard(Heard),
    /// A time came that the loop asked for.
    Due,
    /// The clock jumped or the machine slept.
    Woke,
    /// The service is to end.
    Stop,
}

/// Tells requests apart until they are answered.
pub type Ticket = u64;

/// Something that the loop has done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Answer a request.
    Reply(Ticket, Reply),
    /// Tell a peer something.
    Push(PeerId, Push),
    /// Look up what is configured and pinned.
    LookUp,
    /// Connect if need be, and read; `stay` keeps the session open.
    Read(ServerId, Stay),
    /// End the session.
    Close(ServerId),
    /// Show a notification about a change set of a server, in place of that one.
    Show(ServerId, Digest, Text, u32),
    /// Take a notification away.
    Unshow(u32),
    /// Open the review of a server in a terminal; all that waits if there is no name to give.
    Review(ServerId),
    /// Look for the notification service.
    OpenDesktop,
    /// Write into the log.
    Log(record::Event),
    /// Keep what is configured for the next start.
    Remember,
    /// End.
    Stop,
}

/// Whether a session stays open after its reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// It stays.
    Open,
    /// It ends.
    Close,
    /// There is none: only what the launch would run is looked at.
    Never,
}

/// What is configured and pinned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configured {
    /// The servers.
    pub servers: Vec<Known>,
    /// What cannot be watched from here.
    pub out_of_reach: Vec<OutOfReach>,
    /// What could not be read, in our words: each may hide a server.
    pub problems: Vec<String>,
}

/// A configured server, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub id: ServerId,
    /// The client that configures it, by its id.
    pub client: String,
    /// How it is to be watched.
    pub mode: Watch,
    /// The times that hold for it.
    pub times: Times,
    /// Whether it is reached over the network.
    pub remote: bool,
    /// The digest of its launch as configured.
    pub launch: Digest,
    /// The digest of its pin; `None` if it has none.
    pub pin: Option<Digest>,
    /// How it stands.
    pub standing: Standing,
    /// Whether a gate stands in the configuration.
    pub wrapped: bool,
    /// Whether our record says that a gate should.
    pub should_be_wrapped: bool,
}

/// Whether a server's owner agreed to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its launch equals a pin of a trusted lock.
    Agreed,
    /// It is pinned in a trusted lock with another launch.
    OtherLaunch,
    /// It is pinned in a lock that nobody trusted here.
    Untrusted,
    /// It is not pinned.
    New,
    /// Its client is told not to start it.
    Disabled,
}

/// How a reading ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as approved.
    AsPinned {
        /// The digest over its items.
        surface: Digest,
        /// How many.
        items: u64,
        /// How long its lists live, where it says so.
        life: Option<u64>,
        /// Whether the session is open.
        connected: bool,
    },
    /// It is not.
    Changed {
        /// What differs.
        change: Change,
        /// Whether the session is open.
        connected: bool,
    },
    /// The program is not the approved one; it was not started.
    Program {
        /// The digest of what is there.
        artifact: Digest,
    },
    /// What it would run is the approved program; nothing was started.
    SameProgram,
    /// It could not be read; why, in our words.
    Failed(String),
}

/// What a gate saw that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighted {
    /// What differs.
    pub change: Change,
    /// Whether the server shows us something else, for no reason of the client's capabilities.
    pub split: bool,
}

/// What a server offers that is not approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was kept in the store.
    pub offer: Digest,
    /// The items that differ.
    pub items: Vec<Item>,
    /// Why, as far as is known.
    pub cause: Cause,
    /// Findings: code, severity and place.
    pub findings: Vec<(String, String, String)>,
}

/// The most items that tell change sets apart: as many as a gate tells of.
const SET: usize = 200;

impl Change {
    /// What tells this change set from others, whoever saw it and whenever: what happened to which items,
    /// and what they are now.
    pub fn set(&self) -> Digest {
        if self.items.is_empty() {
            return self.offer;
        }
        let word = |what| match what {
            What::New => "new",
            What::Changed => "changed",
            What::Removed => "removed",
        };
        let line = |item: &Item| {
            format!("{}\n{}\n{}\n{}\0", item.key.kind.key(), item.key.name, word(item.what), item.digest)
        };
        let mut lines: Vec<String> = self.items.iter().map(line).collect();
        lines.sort();
        lines.truncate(SET);
        Digest::of_bytes(Tag::Offer, lines.concat().as_bytes())
    }
}

/// An item that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What happened to it.
    pub what: What,
    /// Which.
    pub key: ItemKey,
    /// What is offered; of a removed item, the digest of nothing.
    pub digest: Digest,
}
