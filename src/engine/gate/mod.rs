//! The gate: the state machine between one client and one server. The heart of mcpwatch.
//!
//! [`Gate::step`] takes one event and gives the effects it has; nothing else happens. It owns no
//! clock, no socket and no file: the proxies (`proxy/`) feed it whole frames and do what it says.
//!
//! What it promises, whatever either side sends:
//!
//! 1. **Nothing unapproved reaches the client.** Lists, `initialize`, `server/discover`, skills and
//!    `ui://` pages are never forwarded: the client gets our rendering of approved definitions.
//! 2. **A call reaches the server only if** the server's own list, read from this process no longer
//!    than [`Limits::verify`] ago and without a sign of change since, offers the item exactly as it is
//!    approved. Everything else waits ([`pending`]) or is refused in our words ([`words`]).
//! 3. **One text, one meaning.** A frame that two readers could read differently goes nowhere; an
//!    answer counts once, for an id that is open, in the shape its method has.
//! 4. **It always ends.** Whatever a server never answers, or answers for ever, leads to a refusal;
//!    its tables have limits; signals cost one reading per [`Limits::debounce`], with back-off.
//! 5. What is not gated passes byte for byte.
//!
//! The parts: [`verdict`] judges one item; [`lists`] reads, judges and serves whole lists, [`relist`]
//! decides when, [`renewal`] after a connection broke; [`client`] and [`server`] take messages from the two sides; [`calls`] asks what a
//! call needs, [`pending`] keeps the calls that wait; [`opening`] renders `initialize` and
//! `server/discover`; [`eras`] holds what differs between protocol revisions; [`words`] is all text
//! that we write; [`methods`] knows which method carries what.
//!
//! What it does not do: diffs, findings, questions to people. It says *ask* and *keep this offer*.

mod calls;
mod client;
mod eras;
mod event;
mod lists;
mod methods;
mod noting;
mod opening;
mod pending;
mod reading;
mod relist;
mod renewal;
mod server;
mod skills;
mod verdict;
mod words;

pub use event::{
    Approval, Approved, Config, Effect, Event, Input, Limits, Mode, Output, Record, Seen, Side, Stream,
};
pub use methods::template_admits;
pub use verdict::{Action, ClientKind, Judge, OWN_NAMES, Offered, Verdict};

use crate::engine::digest::Digest;
use crate::engine::json::Value;
use crate::engine::jsonrpc::{self, Envelope, Id};
use crate::engine::surface::{Era, ItemKey, Kind, Surface};
use lists::List;
use pending::Pending;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The gate of one server for one client. See the module's page.
#[derive(Debug)]
pub struct Gate {
    config: Config,
    approval: Approval,
    can_ask: bool,
    now: u64,
    stream: Stream,
    out: Vec<Effect>,
    /// What passed of the batch that is being read, and to which side.
    batch: Option<Vec<(Side, Vec<u8>)>>,
    /// What the client said about itself.
    client: eras::Client,
    /// What the server said in its last opening.
    opening: Option<opening::Offer>,
    lists: BTreeMap<(Era, Kind), List>,
    /// Requests of the client that the server has not answered.
    open: HashMap<Id, Open>,
    /// Requests of the server that the client has not answered.
    server_open: HashMap<Id, Stream>,
    /// Requests of ours.
    own: HashMap<Id, Own>,
    counter: u64,
    /// How many calls were written down.
    calls: u64,
    pending: Vec<Pending>,
    listens: Vec<eras::Listen>,
    /// Tasks that calls started, and the tool each belongs to.
    tasks: HashMap<String, ItemKey>,
    /// The client's `initialize`, if it was answered without a server.
    unopened: Option<Value>,
    /// Why the server is gone, in our words, once it is.
    gone: Option<String>,
    /// When the last call came, for `verify`.
    last_call: Option<u64>,
    /// The verdicts that were recorded last: on which definition, and when.
    judged: BTreeMap<ItemKey, (Verdict, Option<Digest>, u64)>,
    /// Our numbers for names that are not fit for a sentence.
    numbers: BTreeMap<ItemKey, usize>,
    /// Kinds of request that the server made; they are part of its surface.
    requests_seen: BTreeSet<String>,
    /// `ui://` pages and skills whose contents were not as approved when they were read last.
    contents_seen: BTreeMap<ItemKey, verdict::Offered>,
}

/// A request of the client that went to the server.
#[derive(Debug)]
struct Open {
    stream: Stream,
    era: Era,
    method: String,
    expect: Expect,
    /// Whether the client took it back.
    is_cancelled: bool,
    /// Its number among the calls that are written down.
    call: Option<u64>,
    /// Held calls that were equal to this one and get a copy of its answer.
    followers: Vec<(Stream, Id)>,
}

/// A request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    /// It reads a list.
    List(Era, Kind),
    /// It opens a server that was started late.
    Initialize,
}

/// What the answer to an open request must be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expect {
    Initialize,
    Discover,
    /// A result of a tool.
    Call(ItemKey),
    /// A prompt's messages.
    Prompt,
    /// A resource's contents.
    Contents,
    /// The contents of a `ui://` page, which are gated.
    Ui(ItemKey),
    /// A skill, which is gated.
    Skill(ItemKey),
    /// A file of a skill, which must be what was promised.
    File(skills::Promise),
    /// What lies in a directory, by its URI with a slash at the end.
    Directory(String),
    Listen,
    /// Anything.
    Plain,
}

impl Gate {
    /// A gate that has seen nothing yet.
    pub fn new(config: Config, approval: Approval) -> Self {
        Self {
            config,
            approval,
            can_ask: false,
            now: 0,
            stream: Stream::default(),
            out: Vec::new(),
            batch: None,
            client: eras::Client::default(),
            opening: None,
            lists: BTreeMap::new(),
            open: HashMap::new(),
            server_open: HashMap::new(),
            own: HashMap::new(),
            counter: 0,
            calls: 0,
            pending: Vec::new(),
            listens: Vec::new(),
            tasks: HashMap::new(),
            unopened: None,
            gone: None,
            last_call: None,
            judged: BTreeMap::new(),
            numbers: BTreeMap::new(),
            requests_seen: BTreeSet::new(),
            contents_seen: BTreeMap::new(),
        }
    }

    /// Takes one event and gives what is to be done, in order. `now` is Unix milliseconds.
    #[must_use]
    pub fn step(&mut self, now: u64, event: Event<'_>) -> Vec<Effect> {
        self.now = now.max(self.now);
        self.stream = event.stream;
        match event.input {
            Input::Frame(from, bytes) => self.frame(from, bytes),
            Input::TooLong { from, id, is_request } => self.too_long(from, id, is_request),
            Input::Unframed(from, why) => self.drop_frame(from, why.to_owned()),
            Input::Approval(approval) => self.approve(approval),
            Input::Enforce => self.enforce(),
            Input::CanAsk(can_ask) => self.set_can_ask(can_ask),
            Input::Reconnected => self.reconnected(),
            Input::Renewed(answer) => self.renewed(answer),
            Input::Undelivered(message) => self.undelivered(message),
            Input::Failed(id, why) => self.failed(&id, &why),
            Input::Started => self.started(),
            Input::ServerClosed(why) => self.server_closed(&why),
            Input::Tick => {}
        }
        self.run_due();
        std::mem::take(&mut self.out)
    }

    /// When [`Input::Tick`] is wanted next; `None` while nothing waits.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let lists = self.lists.values().filter_map(|list| self.list_deadline(list));
        lists.chain(self.pending.iter().map(|pending| pending.deadline)).min()
    }

    /// Whether nobody waits for anything.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let asks = |open: &Open| open.expect != Expect::Listen;
        let waits = |list: &List| !list.waiters.is_empty();
        self.pending.is_empty() && !self.open.values().any(asks) && !self.lists.values().any(waits)
    }

    /// Everything the server has offered so far, in the client's era.
    #[must_use]
    pub fn offered(&self) -> Surface {
        let protocol = self.opening.as_ref().map_or("", |opening| &opening.protocol);
        let mut surface = Surface::new(protocol);
        if let Some(opening) = &self.opening {
            opening.add_to(&mut surface);
        }
        for ((era, kind), list) in &self.lists {
            if *era == self.client.era {
                list.add_to(*kind, &mut surface);
            }
        }
        for method in &self.requests_seen {
            surface.add(ItemKey::new(Kind::Request, method.as_str()), Value::Bool(true));
        }
        for (key, offered) in self.contents_seen.iter().filter(|(key, _)| key.kind == Kind::Ui) {
            surface.add(key.clone(), offered.value.clone());
        }
        surface
    }

    /// What the client calls itself, if its tools were read whole in this session: then everything
    /// that was not noted is as approved.
    #[must_use]
    pub fn settled_client(&self) -> Option<Option<String>> {
        self.judge()?;
        let list = self.lists.get(&(self.client.era, Kind::Tool))?;
        matches!(list.state, lists::State::Read(_)).then(|| self.client.name.clone())
    }

    /// Whether everything that this client ever listed was read again, whole, since then; and how much the
    /// client declares.
    #[must_use]
    pub fn read_since(&self, moment: u64) -> Option<ClientKind> {
        let own = |((era, _), list): (&(Era, Kind), _)| (*era == self.client.era).then_some(list);
        let mut own = self.lists.iter().filter_map(own).peekable();
        let again = |list: &lists::List| {
            matches!(list.state, lists::State::Read(at) if at >= moment)
                && !list.is_dirty
                && list.reading.is_none()
        };
        (own.peek().is_some() && own.all(again)).then_some(self.client.kind)
    }

    /// Has what is offered kept for a review.
    fn keep_offer(&mut self) {
        let surface = self.offered();
        let seen = Seen { surface, kind: self.client.kind, client: self.client.name.clone() };
        self.emit(Output::Offer(Box::new(seen)));
    }

    fn frame(&mut self, from: Side, bytes: &[u8]) {
        if from == Side::Server && self.repeated_page(bytes) {
            return;
        }
        let envelope = match jsonrpc::read(bytes) {
            Ok(envelope) => envelope,
            Err(malformed) => return self.malformed(from, bytes, &malformed),
        };
        match envelope {
            Envelope::Single(message) => self.message(from, &message),
            Envelope::Batch(elements) => self.read_batch(from, &elements),
        }
    }

    fn message(&mut self, from: Side, message: &jsonrpc::Message<'_>) {
        match from {
            Side::Client => self.client_says(message),
            Side::Server => self.server_says(message),
        }
    }

    /// Reads a batch message by message; what passes of it goes on as a batch.
    fn read_batch(&mut self, from: Side, elements: &[&str]) {
        self.batch = Some(Vec::new());
        for element in elements {
            match jsonrpc::read_element(element) {
                Ok(message) => self.message(from, &message),
                Err(malformed) => self.malformed(from, element.as_bytes(), &malformed),
            }
        }
        let passed = self.batch.take().unwrap_or_default();
        let to = from.other();
        if passed.len() == elements.len() && passed.iter().all(|(side, _)| *side == to) {
            return self.emit(Output::Forward(to));
        }
        for to in [Side::Server, Side::Client] {
            let texts: Vec<&[u8]> =
                passed.iter().filter(|(side, _)| *side == to).map(|(_, text)| &text[..]).collect();
            if !texts.is_empty() {
                self.send(to, [b"[", &texts.join(&b","[..])[..], b"]"].concat());
            }
        }
    }

    /// Lets a message pass to that side as it is.
    fn pass(&mut self, to: Side, message: &jsonrpc::Message<'_>) {
        match &mut self.batch {
            Some(batch) => batch.push((to, message.text().as_bytes().to_vec())),
            None => self.emit(Output::Forward(to)),
        }
    }

    /// Sends bytes of ours on the stream of this event.
    fn send(&mut self, to: Side, bytes: Vec<u8>) {
        self.emit(Output::Send(to, bytes));
    }

    /// Sends bytes of ours to the client on a stream.
    fn send_on(&mut self, stream: Stream, bytes: Vec<u8>) {
        self.out.push(Effect { stream, output: Output::Send(Side::Client, bytes) });
    }

    fn emit(&mut self, output: Output) {
        self.out.push(Effect { stream: self.stream, output });
    }

    fn record(&mut self, record: Record) {
        self.emit(Output::Record(record));
    }

    fn drop_frame(&mut self, from: Side, why: String) {
        self.record(Record::Dropped(from, why));
    }

    fn is_observing(&self) -> bool {
        self.config.mode == Mode::Observe
    }

    /// The pins, if there are any to go by.
    fn judge(&self) -> Option<Judge<'_>> {
        match &self.approval {
            Approval::Pinned(approved) => Some(Judge {
                approved,
                platform: &self.config.platform,
                client: self.client.kind,
                machine: &self.config.machine,
            }),
            Approval::Nobody | Approval::Closed(_) => None,
        }
    }

    /// The next id of ours: a random prefix and a number of fixed width.
    fn own_id(&mut self) -> Id {
        self.counter += 1;
        Id::Text(format!("{}{:012}", self.own_prefix(), self.counter))
    }

    fn own_prefix(&self) -> String {
        use std::fmt::Write;
        self.config.prefix.iter().fold("mcpwatch-".to_owned(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _written = write!(text, "{byte:02x}");
            text
        })
    }

    fn is_own(&self, id: &Id) -> bool {
        match id {
            Id::Text(text) => text.starts_with("mcpwatch-") && text.starts_with(&self.own_prefix()),
            Id::Number(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
