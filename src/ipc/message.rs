//! What commands, gates and the daemon say to each other.
//!
//! Each request bears the name of the command that sends it, and the daemon's handler the same one.
//! Fields that a newer version adds are passed over; a request that is not known is answered so.

use serde::{Deserialize, Serialize};

/// The version of the protocol; another one is refused.
pub const PROTOCOL: u32 = 1;

/// The first frame of either side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol, under a name that tells other programs apart.
    pub mcpwatch: u32,
    /// Our version.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// Since when it runs, in Unix milliseconds; the daemon's is shown by `status`.
    pub since: u64,
}

/// A server in one scope: the lock that governs it, and its name there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServerId {
    /// The path of the scope's lock.
    pub scope: String,
    /// The name in that lock.
    pub name: String,
}

/// What the daemon is asked or told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// How things stand.
    Status,
    /// A decision was written to the store (by `approve`, `reject`, `revoke`, `trust`, `upgrade`, …).
    Approve(Decided),
    /// A gate: the first makes this connection a gate's, later ones say what is new there.
    Run(GateNews),
    /// Configurations or a server are to be looked at again now.
    Scan {
        /// Only this one.
        server: Option<ServerId>,
    },
    /// The service is to end.
    Stop,
}

/// A decision, for the announcement. The record in the store is the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// About which server.
    pub server: ServerId,
    /// The command.
    pub verb: String,
    /// How many items.
    pub items: u32,
    /// On which terminal; empty without one.
    pub terminal: String,
}

/// What a gate tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateNews {
    /// It stands in front of a server.
    Attached(Gate),
    /// It took in a whole surface and found it as approved.
    Listed {
        /// The digest over its items.
        surface: String,
        /// Whether its client declares every capability, so that it is shown what the daemon is.
        #[serde(default)]
        full: bool,
    },
    /// It saw something that is not approved, and kept it as an offer in the store.
    Offered {
        /// The digest of the offer.
        offer: String,
        /// The items that differ; the first 200 of them.
        items: Vec<ItemNews>,
        /// Why they differ, as far as the gate knows.
        cause: Cause,
    },
    /// It holds or refuses calls; 0 says it no longer does.
    Holding {
        /// How many calls wait at this moment.
        waiting: u32,
        /// How many were refused since it attached.
        refused: u32,
    },
    /// It is back to what is approved.
    Clear,
    /// It can write the log again, or why not. It blocks all the same.
    Log {
        /// Why not.
        trouble: Option<String>,
    },
}

/// An item that is not as approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemNews {
    /// What happened to it.
    pub what: What,
    /// Its kind, as the lock names it.
    pub kind: String,
    /// Its name, as the server spells it.
    pub name: String,
    /// The digest of what is offered; empty for what was removed.
    pub digest: String,
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Another definition than the approved one.
    Changed,
    /// Never approved.
    New,
    /// No longer there.
    Removed,
}

/// Why a surface is not as approved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The program is the approved one.
    SameArtifact,
    /// Another version of the package.
    Upgrade,
    /// Another command or address.
    Launch,
    /// A remote server.
    Remote,
    /// Not known, or a cause of a newer version.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A gate and what it stands in front of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The server.
    pub server: ServerId,
    /// The client, as it names itself; not before it spoke.
    pub client: Option<String>,
    /// The server's process, if it is one.
    pub process: Option<u32>,
    /// Whether it only observes.
    pub observe: bool,
    /// Why it cannot write the log, if so.
    #[serde(default)]
    pub no_log: Option<String>,
}

/// Everything the daemon sends after its hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// The answer to the oldest request that has none.
    Reply(Reply),
    /// Something that nobody asked for.
    Push(Push),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Understood.
    Done,
    /// How things stand.
    Status(Status),
    /// Whether a person can be asked at this moment.
    Askable(Askable),
    /// Could not be done; why, in our words.
    Failed(String),
}

/// What the daemon tells a gate by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Push {
    /// Pins, trust or offers of these servers changed on disk: read them again. Empty: all may have.
    PinsChanged(Vec<ServerId>),
    /// Whether a person can be asked changed.
    Askable(Askable),
    /// The daemon is shown something that is not approved of these servers: ask them again, and say what
    /// they show.
    Look(Vec<ServerId>),
}

/// Whether a person can be asked, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Askable {
    /// A notification would be shown.
    Yes,
    /// Nobody would see one; why, in our words.
    No(String),
}

/// How things stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The servers that are watched, each with what is known.
    pub servers: Vec<ServerStatus>,
    /// What is configured and cannot be watched from here, with the reason.
    pub out_of_reach: Vec<OutOfReach>,
    /// Why nobody can be notified, if so.
    pub no_notifications: Option<String>,
    /// Why the log cannot be written, if so.
    #[serde(default)]
    pub no_log: Option<String>,
    /// Notifications that were not shown or not answered, oldest first.
    pub missed: Vec<Missed>,
}

/// A watched server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// Which.
    pub server: ServerId,
    /// How it is watched: `resident`, `probe`, `gate-only` or `off`.
    pub watch: String,
    /// What goes on with it, in our words.
    pub state: String,
    /// Whether that is nothing a person needs to know of.
    #[serde(default)]
    pub is_well: bool,
    /// Gates in front of it.
    pub gates: u32,
    /// Items that wait for a decision.
    pub waiting: u32,
    /// Calls that are held at this moment.
    pub held: u32,
    /// Whether it changes so often that it is silent.
    pub flapping: bool,
    /// When it was last read, in Unix milliseconds; 0 for never.
    pub last_read: u64,
}

/// A configuration that cannot be watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfReach {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// A notification that nobody answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// When, in Unix milliseconds.
    pub at: u64,
    /// About which server.
    pub server: ServerId,
    /// What it said.
    pub text: String,
}

impl Cause {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Cause::SameArtifact => "same-artifact",
            Cause::Upgrade => "upgrade",
            Cause::Launch => "launch",
            Cause::Remote => "remote",
            Cause::Unknown => "unknown",
        }
    }
}

impl Hello {
    /// This process's hello.
    pub fn own(since: u64) -> Self {
        Self {
            mcpwatch: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            since,
        }
    }
}
