//! Lists: read whole from the server by requests of ours, judged, and served from what is approved.
//!
//! A list request of the client never goes on: it starts a reading of all pages and is answered when
//! that is judged, from the approved set, sorted by name and paged anew. So a client that asks for
//! page 2 first gets a right answer, and no order, cursor or spelling of the server's reaches it.

use super::verdict::{Judge, Offered, Verdict};
use super::{Approval, Gate, Record, Side, Stream, eras, words};
use crate::engine::json::{Object, Value, write};
use crate::engine::jsonrpc::{self, Id, Message};
use crate::engine::surface::{Era, ItemKey, Kind, Surface, is_page};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The start of every cursor of ours; a page's number follows.
const CURSOR: &str = "mcpwatch-page-";

/// The most verdicts that are remembered.
const MANY: usize = 50_000;

/// One list of the server in one era.
#[derive(Debug, Default)]
pub struct List {
    /// What the last whole reading offered, by name.
    pub offered: BTreeMap<String, Offered>,
    /// How the last reading ended.
    pub state: State,
    /// Whether something put the last reading in doubt: a signal, an approval, another client.
    pub is_dirty: bool,
    /// The reading under way.
    pub reading: Option<Reading>,
    /// When the next reading is to start, if one is wanted.
    pub due: Option<u64>,
    /// When the last reading started.
    pub started: Option<u64>,
    /// Readings in a row that failed, or that a signal overtook.
    pub setbacks: u32,
    /// How long the server says a reading stays good.
    pub ttl: Option<u64>,
    /// Requests of the client that wait for a reading.
    pub waiters: Vec<Waiter>,
    /// The verdict on everything that is offered or approved, by name.
    verdicts: BTreeMap<String, Verdict>,
    /// The answer of the last reading as it came, if it was a single page.
    pub line: Option<Line>,
    /// What the client gets: results, page by page.
    view: Option<Vec<Vec<u8>>>,
    /// Whether the client has ever been answered, and with which view.
    served: Option<blake3::Hash>,
}

/// How the last reading ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// There was none.
    #[default]
    Unread,
    /// It was read whole; that reading began at this moment.
    Read(u64),
    /// It could not be read.
    Failed,
}

/// A reading under way.
#[derive(Debug)]
pub struct Reading {
    /// When it began.
    pub started: u64,
    /// The request whose answer is awaited.
    pub id: Id,
    /// Until when, unless the server is busy with calls.
    pub deadline: u64,
    /// What was read so far.
    pub items: BTreeMap<String, Offered>,
    /// The shortest time that a page says it stays good.
    pub ttl: Option<u64>,
    /// The cursors that were followed.
    pub cursors: BTreeSet<String>,
    /// Whether it began before the last doubt, so that it cannot settle it.
    pub is_overtaken: bool,
    /// The answer as it came, if it is the only page.
    pub line: Option<Line>,
    /// How many elements were read.
    pub count: usize,
    /// How many bytes were read.
    pub bytes: usize,
}

/// A request of the client that waits.
#[derive(Clone, Debug)]
pub struct Waiter {
    /// Where it came.
    pub stream: Stream,
    /// Its id.
    pub id: Id,
    /// The page it asks for, from 0.
    pub page: usize,
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Line {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Where the id stands in it.
    pub id: std::ops::Range<usize>,
}

impl List {
    /// Puts what was read, and what is being read, in doubt.
    pub fn doubt(&mut self) {
        self.is_dirty = true;
        if let Some(reading) = &mut self.reading {
            reading.is_overtaken = true;
        }
    }

    /// Whether a call may rely on the last reading.
    pub fn is_fresh(&self, now: u64, verify: u64) -> bool {
        match self.state {
            State::Read(at) => !self.is_dirty && now.saturating_sub(at) < verify,
            State::Unread | State::Failed => false,
        }
    }

    /// Adds what was offered to a surface.
    pub fn add_to(&self, kind: Kind, surface: &mut Surface) {
        for (name, offered) in &self.offered {
            surface.add(ItemKey::new(kind, name.as_str()), offered.value.clone());
            if offered.is_ambiguous {
                surface.add(ItemKey::new(kind, name.as_str()), offered.value.clone());
            }
        }
    }

    /// The verdict on one item of this list.
    pub fn verdict(&self, name: &str) -> Verdict {
        match self.state {
            State::Read(_) => self.verdicts.get(name).copied().unwrap_or(Verdict::Unlisted),
            State::Unread | State::Failed => Verdict::Unreadable,
        }
    }

    /// Whether everything that is offered is approved.
    pub fn is_as_approved(&self) -> bool {
        self.verdicts.values().all(|verdict| matches!(verdict, Verdict::Approved | Verdict::Removed))
    }

    /// Judges everything that is offered or approved.
    fn judge(&mut self, kind: Kind, judge: &Judge<'_>) {
        let is_missing =
            |name: &&str| !self.offered.contains_key(*name) && judge.is_owed(&ItemKey::new(kind, *name));
        let missing = judge.names(kind).filter(is_missing).map(str::to_owned);
        let names = self.offered.keys().cloned().chain(missing);
        let verdict = |name: String| {
            let key = ItemKey::new(kind, name);
            let verdict = judge.verdict(&key, self.offered.get(&key.name));
            (key.name, verdict)
        };
        self.verdicts = names.map(verdict).collect();
    }
}

impl Gate {
    /// A list request of the client.
    pub(super) fn list_asked(&mut self, era: Era, kind: Kind, id: Id, message: &Message<'_>) {
        let cursor = match message.value(&["params", "cursor"]) {
            None | Some(Value::Null) => Some(0),
            Some(Value::String(cursor)) => cursor.strip_prefix(CURSOR).and_then(|page| page.parse().ok()),
            Some(_) => None,
        };
        let Some(page) = cursor else {
            return self
                .send(Side::Client, jsonrpc::error(&id, words::INVALID_PARAMS, words::UNKNOWN_CURSOR));
        };
        let waiter = Waiter { stream: self.stream, id, page };
        match self.approval {
            Approval::Closed(_) => self.serve(era, kind, vec![waiter]),
            Approval::Pinned(_) | Approval::Nobody => {
                let list = self.lists.entry((era, kind)).or_default();
                if list.waiters.len() >= self.config.limits.open {
                    return self.error("list", &waiter.id, words::INVALID_REQUEST, words::TOO_MANY);
                }
                list.waiters.push(waiter);
                self.start_reading(era, kind);
            }
        }
    }

    /// Whether a cancelled request was one that waited for a list.
    pub(super) fn cancel_waiter(&mut self, id: &Id) -> bool {
        let mut is_found = false;
        for list in self.lists.values_mut() {
            let before = list.waiters.len();
            list.waiters.retain(|waiter| waiter.id != *id);
            is_found |= list.waiters.len() < before;
        }
        is_found
    }

    /// Whether a request of the client with this id waits for a list.
    pub(super) fn is_waiter(&self, id: &Id) -> bool {
        self.lists.values().any(|list| list.waiters.iter().any(|waiter| waiter.id == *id))
    }

    /// Answers requests of the client from what is judged, and tells whoever was answered otherwise.
    pub(super) fn answer_waiters(&mut self, era: Era, kind: Kind, waiters: Vec<Waiter>) {
        if !waiters.is_empty() {
            self.serve(era, kind, waiters);
        }
        // Whoever was answered before and would be answered otherwise now is told.
        self.announce_if_moved(era, kind);
    }

    fn serve(&mut self, era: Era, kind: Kind, waiters: Vec<Waiter>) {
        let view = self.view(era, kind);
        for waiter in &waiters {
            let answer = match view.get(waiter.page) {
                Some(page) => jsonrpc::answer(&waiter.id, page),
                None => jsonrpc::answer(&waiter.id, &page_result(era, kind, &[], None, 0)),
            };
            self.send_on(waiter.stream, answer);
        }
        let hash = view_hash(&view);
        let list = self.lists.entry((era, kind)).or_default();
        list.served = Some(hash);
        list.view = Some(view);
    }

    /// Tells the client if a list that it has seen is now served otherwise.
    pub(super) fn announce_if_moved(&mut self, era: Era, kind: Kind) {
        let Some(served) = self.lists.get(&(era, kind)).and_then(|list| list.served) else { return };
        let view = self.view(era, kind);
        let hash = view_hash(&view);
        if let Some(list) = self.lists.get_mut(&(era, kind)) {
            list.view = Some(view);
            list.served = Some(hash);
        }
        if hash != served {
            self.announce(kind);
        }
    }

    /// Judges a list anew, and writes down what is otherwise than before.
    pub(super) fn judge_list(&mut self, era: Era, kind: Kind) {
        let Some(mut list) = self.lists.remove(&(era, kind)) else { return };
        list.view = None;
        list.verdicts.clear();
        if let Some(judge) = self.judge() {
            list.judge(kind, &judge);
        }
        let mut is_worth_keeping = !matches!(self.approval, Approval::Pinned(_));
        if let State::Read(_) = list.state {
            for (name, verdict) in &list.verdicts {
                if *verdict == Verdict::Approved && self.judged.is_empty() {
                    continue;
                }
                let offered = list.offered.get(name);
                is_worth_keeping |= self.note(ItemKey::new(kind, name.as_str()), *verdict, offered);
            }
        }
        self.lists.insert((era, kind), list);
        if is_worth_keeping {
            self.keep_offer();
        }
    }

    /// Writes down a verdict that is new, or one on another definition; says whether there is
    /// something to review.
    pub(super) fn note(&mut self, item: ItemKey, verdict: Verdict, offered: Option<&Offered>) -> bool {
        // What is approved needs no digest.
        let unapproved = offered.filter(|_| verdict != Verdict::Approved);
        let offered = unapproved.map(|offered| Surface::digest_item(item.kind, &offered.value));
        let before = self
            .judged
            .get(&item)
            .map_or((Verdict::Approved, None), |(verdict, digest, _)| (*verdict, *digest));
        if before == (verdict, offered) {
            return false;
        }
        if self.judged.len() >= MANY {
            // A server that invents names without end: what is forgotten is judged and told again.
            self.judged.clear();
        }
        self.judged.insert(item.clone(), (verdict, offered, self.now));
        self.record(Record::Judged { item, verdict, offered });
        true
    }

    /// What the client gets of a list: results, page by page.
    fn view(&mut self, era: Era, kind: Kind) -> Vec<Vec<u8>> {
        if let Some(view) = self.lists.get_mut(&(era, kind)).and_then(|list| list.view.take()) {
            return view;
        }
        let items = self.served_items(era, kind);
        let line = self.lists.get(&(era, kind)).and_then(|list| list.line.as_ref());
        let size = line.map_or(0, |line| line.bytes.len());
        let mut pages: Vec<&[Cow<'_, Value>]> = items.chunks(self.config.limits.page_items.max(1)).collect();
        if pages.is_empty() {
            pages.push(&[]);
        }
        let last = pages.len() - 1;
        let next = |index: usize| (index < last).then(|| format!("{CURSOR}{}", index + 1));
        pages
            .iter()
            .enumerate()
            .map(|(index, items)| page_result(era, kind, items, next(index), size / (last + 1)))
            .collect()
    }

    /// The items of a list as they are served, sorted by name.
    fn served_items(&self, era: Era, kind: Kind) -> Vec<Cow<'_, Value>> {
        let list = self.lists.get(&(era, kind));
        let state = list.map_or(State::Unread, |list| list.state);
        if self.is_observing() {
            return list.map_or_else(Vec::new, |list| {
                list.offered.values().map(|o| Cow::Borrowed(&o.value)).collect()
            });
        }
        let Some(judge) = self.judge() else {
            return if kind == Kind::Tool { vec![Cow::Owned(words::review_tool())] } else { Vec::new() };
        };
        if judge.approved.pin.open.contains(&kind) && kind == Kind::Resource {
            return list.map_or_else(Vec::new, |list| list.open_items());
        }
        let Some(list) = list.filter(|_| matches!(state, State::Read(_))) else {
            // The server answered, but with nothing that can be read.
            return judge
                .names(kind)
                .filter_map(|name| judge.approved_value(&ItemKey::new(kind, name)))
                .map(Cow::Owned)
                .collect();
        };
        let serve = |(name, verdict): (&String, &Verdict)| match verdict {
            Verdict::Approved => list.offered.get(name).map(|offered| Cow::Borrowed(&offered.value)),
            Verdict::Changed | Verdict::Ambiguous | Verdict::Rejected => {
                judge.approved_value(&ItemKey::new(kind, name.as_str())).map(Cow::Owned)
            }
            Verdict::New | Verdict::Removed | Verdict::Unfit | Verdict::Unlisted | Verdict::Unreadable => {
                None
            }
        };
        list.verdicts.iter().filter_map(serve).collect()
    }
}

impl List {
    /// The items of a list that a person declared open; `ui://` pages never belong to it.
    fn open_items(&self) -> Vec<Cow<'_, Value>> {
        let own = self.offered.iter().filter(|(name, offered)| !offered.is_ambiguous && !is_page(name));
        own.map(|(_, offered)| Cow::Borrowed(&offered.value)).collect()
    }
}

/// A list's result of ours.
fn page_result(era: Era, kind: Kind, items: &[Cow<'_, Value>], next: Option<String>, size: usize) -> Vec<u8> {
    let mut rest = Object::new();
    if let Some(next) = next {
        rest.insert("nextCursor", next);
    }
    eras::complete(era, &mut rest);
    write::object_of_list(kind.key(), items.iter().map(AsRef::as_ref), &rest, size + 128)
}

fn view_hash(view: &[Vec<u8>]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for page in view {
        hasher.update(page);
    }
    hasher.finalize()
}
