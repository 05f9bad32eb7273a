//! What comes into the gate and what goes out of it.

use crate::engine::digest::Digest;
use crate::engine::jsonrpc::Id;
use crate::engine::lockfile::ServerPin;
use crate::engine::placeholder::Machine;
use crate::engine::record::event::Outcome;
use crate::engine::surface::{ItemKey, Kind, Surface};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One conversation of a client: always 0 on stdio, one a request stream over HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stream(pub u32);

/// The two peers of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The program the model talks to.
    Client,
    /// The server that is watched.
    Server,
}

impl Side {
    /// The other peer.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// Something happened on a stream.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Where.
    pub stream: Stream,
    /// What.
    pub input: Input<'a>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A whole frame from that side, without its line end.
    Frame(Side, &'a [u8]),
    /// A frame from that side was longer than the limit and is gone.
    TooLong {
        /// Who sent it.
        from: Side,
        /// The id it carries, if it could be made out.
        id: Option<Id>,
        /// Whether it was a request and not an answer.
        is_request: bool,
    },
    /// A frame from that side was refused by the framing; why, in our words.
    Unframed(Side, &'static str),
    /// What is approved has changed, or has become unreadable.
    Approval(Approval),
    /// From now on nothing passes that nobody approved, whatever the mode was. There is no way back
    /// within a session: what loosens a gate counts for the next one.
    Enforce,
    /// Whether a person can be asked now: a daemon with a working notifier answers.
    CanAsk(bool),
    /// The connection to the server was broken for a while; signals may have been missed.
    Reconnected,
    /// The server began a new session with the client's own `initialize`; this is its answer. Nothing
    /// seen before says anything about it.
    Renewed(&'a [u8]),
    /// A message that the gate sent to the server never reached it, and comes back.
    Undelivered(&'a [u8]),
    /// A request that the gate sent to the server will not be answered; why, in our words.
    Failed(Id, String),
    /// A server was started for a client that had been answered without one.
    Started,
    /// The server is gone; why, in our words.
    ServerClosed(String),
    /// The moment of [`super::Gate::deadline`] has come.
    Tick,
}

/// Something to be done on a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Where.
    pub stream: Stream,
    /// What.
    pub output: Output,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send the frame just given to that side, byte for byte.
    Forward(Side),
    /// Send these bytes to that side, as one frame.
    Send(Side, Vec<u8>),
    /// Write this down.
    Record(Record),
    /// Keep what the server offers, and show it to a person who reviews.
    Offer(Box<Seen>),
    /// Ask a person to look at these items: calls wait for the answer.
    Ask(Vec<ItemKey>),
}

/// What the server offers to this client.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Everything that it offered so far.
    pub surface: Surface,
    /// How much the client declares, which can change what it is offered.
    pub kind: super::ClientKind,
    /// What the client calls itself; never for a screen without `show`.
    pub client: Option<String>,
}

/// What is approved of this server on this machine.
#[derive(Clone, Debug, PartialEq)]
pub enum Approval {
    /// A person approved these pins.
    Pinned(Arc<Approved>),
    /// Nobody approved this server.
    Nobody,
    /// It cannot be told, or is not allowed; why and what to do, in our words.
    Closed(String),
}

/// Pins and the decisions that outrank them.
#[derive(Clone, Debug, PartialEq)]
pub struct Approved {
    /// What the lock approves.
    pub pin: ServerPin,
    /// Definitions that a person rejected, or whose approval a person took back.
    pub rejected: BTreeSet<(ItemKey, Digest)>,
    /// Tools that clients over HTTP must leave away, whatever a person approved.
    pub unfit: BTreeSet<ItemKey>,
}

/// What a gate needs to know from the start.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's name in its lock, as the user types it.
    pub name: String,
    /// Whether to hold back or only to record.
    pub mode: Mode,
    /// Times and sizes.
    pub limits: Limits,
    /// Random bytes of this process, for ids of our own.
    pub prefix: [u8; 16],
    /// The platform of variants, `linux-x86_64`.
    pub platform: String,
    /// The values that placeholders stand for.
    pub machine: Machine,
}

/// Whether the gate holds back what nobody approved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    #[default]
    Enforce,
    /// Everything passes and everything is recorded.
    Observe,
}

/// Times in milliseconds, and sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a call waits for a person; 0: not at all.
    pub hold: u64,
    /// How old a reading of a list may be when a call relies on it.
    pub verify: u64,
    /// The shortest time between two readings that the server's signals cause.
    pub debounce: u64,
    /// How long the server may take for one page of a list.
    pub answer: u64,
    /// The most items on a page that we serve.
    pub page_items: usize,
    /// The most pages, and a thousandth of the most items, of a list that the server may give.
    pub pages: usize,
    /// The most bytes of a list that the server may give.
    pub list: usize,
    /// The most requests that may be open in each direction.
    pub open: usize,
    /// The most bytes of calls that wait.
    pub waiting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hold: 45_000,
            verify: 60_000,
            debounce: 500,
            answer: 20_000,
            page_items: 1_000,
            pages: 1_000,
            list: 64 << 20,
            open: 65_536,
            waiting: 64 << 20,
        }
    }
}

/// What the gate writes down.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// An item of the offer was judged otherwise than before.
    Judged {
        /// The item.
        item: ItemKey,
        /// How.
        verdict: super::Verdict,
        /// The digest of what is offered, if anything is that is not approved.
        offered: Option<Digest>,
    },
    /// A request was not let through.
    Refused {
        /// Its method.
        method: String,
        /// The item it names, if any.
        item: Option<ItemKey>,
        /// Why, in our words.
        why: String,
    },
    /// A request went on although it would not have, because the mode is [`Mode::Observe`].
    Observed {
        /// Its method.
        method: String,
        /// The item it names.
        item: ItemKey,
    },
    /// A call waits for a person.
    Held(ItemKey),
    /// A call that waited went on.
    Released(ItemKey),
    /// A conversation was opened.
    Opened {
        /// What the client calls itself; never for a screen without `show`.
        client: Option<String>,
        /// The protocol version that the server answered with.
        protocol: String,
    },
    /// A call went to the server.
    Called {
        /// Its number.
        call: u64,
        /// What is called.
        item: ItemKey,
        /// Its arguments as they came, to be digested.
        arguments: Vec<u8>,
    },
    /// A call that went to the server ended.
    Ended {
        /// Its number.
        call: u64,
        /// How.
        outcome: Outcome,
    },
    /// A message was thrown away; from whom and why, in our words.
    Dropped(Side, String),
    /// A list could not be read; why, in our words.
    Unreadable(Kind, String),
}
