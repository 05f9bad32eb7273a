//! The verdict on one item, and what it means for a call.
//!
//! Promises: only an item that is offered exactly as a person approved it is [`Verdict::Approved`];
//! every verdict is spelled out wherever one is acted on, so a new one cannot slip through.

use super::event::Approved;
use crate::engine::json::Value;
use crate::engine::lockfile::{Condition, Definition, Pin};
use crate::engine::placeholder::{self, Machine};
use crate::engine::surface::{ItemKey, Kind, Surface};

/// Names that begin like this are ours.
pub const OWN_NAMES: &str = "mcpwatch_";

/// What the gate holds of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Verdict {
    /// Offered as a person approved it.
    Approved,
    /// Offered otherwise than approved.
    Changed,
    /// Offered and never approved.
    New,
    /// A person rejected what is offered, or took the approval back, or the name is one of ours.
    Rejected,
    /// Offered more than once under one name.
    Ambiguous,
    /// Offered as a person approved it, in a way that no client may take over this transport.
    Unfit,
    /// Approved, and no longer offered.
    Removed,
    /// Neither approved nor offered.
    Unlisted,
    /// What the server offers could not be read.
    Unreadable,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// It goes to the server.
    Pass,
    /// It waits for a person.
    Hold,
    /// It is answered by us.
    Refuse,
}

/// One item as the server offers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// Its definition; the first, if there are several.
    pub value: Value,
    /// Whether it is offered more than once.
    pub is_ambiguous: bool,
}

/// How much a client declares that it can do; servers show more tools to those that do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientKind {
    /// It declares nothing.
    #[default]
    Empty,
    /// It declares some of sampling, elicitation and roots.
    Partial,
    /// It declares all of them.
    Full,
}

/// Everything that a judgement depends on besides the offer.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// What is approved.
    pub approved: &'a Approved,
    /// This platform.
    pub platform: &'a str,
    /// The client.
    pub client: ClientKind,
    /// This machine.
    pub machine: &'a Machine,
}

impl Verdict {
    /// What happens to a call of an item with this verdict.
    pub fn action(self, can_hold: bool) -> Action {
        match self {
            Verdict::Approved => Action::Pass,
            Verdict::Changed | Verdict::New if can_hold => Action::Hold,
            Verdict::Changed | Verdict::New => Action::Refuse,
            Verdict::Rejected | Verdict::Ambiguous | Verdict::Removed | Verdict::Unfit => Action::Refuse,
            Verdict::Unlisted | Verdict::Unreadable => Action::Refuse,
        }
    }
}

impl Judge<'_> {
    /// The verdict on an item and its offer.
    pub fn verdict(&self, key: &ItemKey, offered: Option<&Offered>) -> Verdict {
        let pin = self.pin(key);
        let is_pinned = pin.is_some();
        let Some(offered) = offered else {
            return if is_pinned { Verdict::Removed } else { Verdict::Unlisted };
        };
        if offered.is_ambiguous {
            return Verdict::Ambiguous;
        }
        if key.name.starts_with(OWN_NAMES) {
            return Verdict::Rejected;
        }
        if self.here(pin).any(|own| placeholder::matches(&own.value, &offered.value, self.machine)) {
            return if self.approved.unfit.contains(key) { Verdict::Unfit } else { Verdict::Approved };
        }
        // Hashed only here: what is approved needs no digest.
        let rejected = &self.approved.rejected;
        if !rejected.is_empty() {
            let digest = Surface::digest_item(key.kind, &offered.value);
            if rejected.contains(&(key.clone(), digest)) {
                return Verdict::Rejected;
            }
        }
        if is_pinned { Verdict::Changed } else { Verdict::New }
    }

    /// Whether a server that shows this client nothing of the item keeps something back: what is approved
    /// for other clients alone may be missing, and a client that declares some capabilities may be either.
    pub fn is_owed(&self, key: &ItemKey) -> bool {
        let is_for_some = |definition: &Definition| {
            matches!(definition.when, Some(Condition::FullClient | Condition::EmptyClient))
        };
        self.definitions(key).any(|own| self.client != ClientKind::Partial || !is_for_some(own))
    }

    /// The approved definition to serve in place of what is offered.
    pub fn approved_value(&self, key: &ItemKey) -> Option<Value> {
        if self.approved.unfit.contains(key) || key.name.starts_with(OWN_NAMES) {
            return None;
        }
        // A variant made for this client says more than the one without a condition.
        let own = self.definitions(key).max_by_key(|definition| definition.when.is_some())?;
        Some(placeholder::fill(&own.value, self.machine))
    }

    /// The approved items of a kind, by name.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let of_kind = self.approved.pin.items.range(ItemKey::single(kind)..);
        of_kind.take_while(move |(key, _)| key.kind == kind).map(|(key, _)| key.name.as_str())
    }

    /// What is approved under a name; the lock's names are patterns, as its definitions are.
    fn pin(&self, key: &ItemKey) -> Option<&Pin> {
        let items = &self.approved.pin.items;
        items.get(key).or_else(|| {
            let stands_for =
                |name: &&str| name.contains("${") && placeholder::matches_text(name, &key.name, self.machine);
            let name = self.names(key.kind).find(stands_for)?;
            items.get(&ItemKey::new(key.kind, name))
        })
    }

    /// The approved definitions whose condition holds here.
    fn definitions(&self, key: &ItemKey) -> impl Iterator<Item = &Definition> {
        self.here(self.pin(key))
    }

    fn here<'a>(&self, pin: Option<&'a Pin>) -> impl Iterator<Item = &'a Definition> {
        pin.into_iter().flat_map(|pin| &pin.definitions).filter(|definition| self.holds(definition))
    }

    fn holds(&self, definition: &Definition) -> bool {
        match &definition.when {
            None => true,
            Some(Condition::Platform(platform)) => platform == self.platform,
            Some(Condition::FullClient) => self.client != ClientKind::Empty,
            Some(Condition::EmptyClient) => self.client != ClientKind::Full,
        }
    }
}
