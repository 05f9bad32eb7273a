//! What a gate saw of a server, laid over what the server shows us.
//!
//! A review shows what stood in the data path: a server can show a scanner one list and a client
//! another. Items that only the gate saw otherwise stand in the reading's place, byte for byte, and the
//! offer that an approval names holds them.
//!
//! Promises: what is decided already (approved, or turned down) is no sighting any more and is let go;
//! several sessions that saw different things are one sighting each, the newest first, and one that
//! adds nothing to a newer one is none of its own; an item that differs for no reason of the client's capabilities is named as `split-view`; kinds of
//! request are never that, because no reading of ours calls a tool. Does not know who is right.

use super::reading::{Failure, Shown};
use super::{Ground, SurveyError, machine, target, trust};
use crate::engine::digest::Digest;
use crate::engine::gate::ClientKind;
use crate::engine::json::{self, Value};
use crate::engine::launchpin::{self, Launch};
use crate::engine::lockfile::{Condition, ServerPin};
use crate::engine::placeholder::{self, Machine};
use crate::engine::record::Event;
use crate::engine::surface::{ItemKey, Kind, Surface};
use crate::store::log::Log;
use crate::store::sightings::{self, Sighting, Sightings, What};
use crate::store::trust::Subject;
use crate::survey::plan::{Plan, Server};
use crate::sys::files;

/// The code of the finding that gate and reading differ.
pub const SPLIT_VIEW: &str = "split-view";

/// What a gate saw, as a review tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What the client calls itself; never for a screen without `show`.
    pub client: Option<String>,
    /// When, in Unix milliseconds.
    pub at: u64,
    /// The items that are shown as the gate saw them.
    pub items: Vec<ItemKey>,
    /// Those of them that the server shows to us otherwise.
    pub split: Vec<ItemKey>,
    /// Why the server itself could not be read now.
    pub unread: Option<String>,
    /// The gate's offer that holds it.
    pub offer: Digest,
    /// How many older sessions saw something else that waits too.
    pub more: usize,
}

/// A sighting that waits, with its bytes.
pub struct Sighted {
    sighting: Sighting,
    surface: Surface,
    /// How many older ones that saw something else wait too.
    more: usize,
}

/// The newest sighting of a server that waits for a decision.
pub fn find(plan: &Plan, server: &Server, ground: &Ground) -> Result<Option<Sighted>, SurveyError> {
    next(plan, server, &[], ground)
}

/// The newest that waits and was not passed over; `passed` names gates' offers.
pub fn next(
    plan: &Plan,
    server: &Server,
    passed: &[Digest],
    ground: &Ground,
) -> Result<Option<Sighted>, SurveyError> {
    let mut all = waiting(plan, server, ground)?;
    all.retain(|sighted| !passed.contains(&sighted.sighting.offer));
    let more = all.len().saturating_sub(1);
    Ok(all.into_iter().next().map(|sighted| Sighted { more, ..sighted }))
}

/// Every sighting that waits and shows something that no newer one shows.
fn waiting(plan: &Plan, server: &Server, ground: &Ground) -> Result<Vec<Sighted>, SurveyError> {
    let Some(pin) = &server.pin else { return Ok(Vec::new()) };
    let store = Sightings::of(&ground.paths);
    let lock = files::resolve(&plan.locks[server.lock].path);
    if !store.is_any(&lock, &server.name) {
        return Ok(Vec::new());
    }
    let folder = server.entry().map_or(ground.cwd.as_path(), |entry| ground.folder_of(entry));
    let machine = machine::here(folder, &[]);
    let mut all = Vec::new();
    for mut sighting in store.open(&lock, &server.name, machine::now())? {
        let bytes = store.bytes(&sighting)?;
        let value = bytes.and_then(|bytes| json::parse(&bytes).ok());
        let Some(surface) = value.as_ref().and_then(|value| value.get(sightings::VIEW)) else {
            store.forget(&sighting)?;
            continue;
        };
        let surface = Surface::of_value(surface);
        sighting.items.retain(|(key, what)| {
            let offered = surface.get(key).filter(|_| *what != What::Removed);
            !is_approved(pin, key, offered, &machine) && !is_denied(server, key, offered, ground)
        });
        if sighting.items.is_empty() {
            store.forget(&sighting)?;
        } else {
            all.push(Sighted { sighting, surface, more: 0 });
        }
    }
    Ok(distinct(all))
}

/// Without those that one newer sighting shows whole.
fn distinct(all: Vec<Sighted>) -> Vec<Sighted> {
    let mut kept: Vec<Sighted> = Vec::new();
    for sighted in all {
        if !kept.iter().any(|newer| newer.shows_all_of(&sighted)) {
            kept.push(sighted);
        }
    }
    kept
}

impl Sighted {
    /// Whether everything that waits of another waits of this one too, exactly as it was offered there.
    fn shows_all_of(&self, other: &Sighted) -> bool {
        other.sighting.items.iter().all(|item| {
            let (key, what) = item;
            let is_same = *what == What::Removed || self.surface.get(key) == other.surface.get(key);
            is_same && self.sighting.items.contains(item)
        })
    }

    /// Puts what the gate saw in the place of what was read.
    pub fn lay_over(&self, shown: &mut Shown, pin: &ServerPin) -> Seen {
        let Seen { split, .. } = self.compare(shown, pin);
        let mut items = Vec::new();
        for (key, what) in &self.sighting.items {
            // A client that declares some capabilities is not shown everything.
            let is_gone = *what == What::Removed;
            if is_gone && self.sighting.kind == ClientKind::Partial {
                continue;
            }
            let seen = self.surface.get(key).filter(|_| !is_gone).cloned();
            self.put(shown, pin, key, seen);
            items.push(key.clone());
        }
        Seen { items, split, ..self.seen() }
    }

    /// What the gate saw beside what was read, which stays as it is.
    pub fn compare(&self, shown: &Shown, pin: &ServerPin) -> Seen {
        let mut seen = self.seen();
        let is_split = |(key, what): &&(ItemKey, What)| {
            let is_gone = *what == What::Removed;
            let value = self.surface.get(key).filter(|_| !is_gone);
            let may_miss = is_gone && self.sighting.kind == ClientKind::Partial;
            !may_miss && self.is_split(shown, pin, key, value)
        };
        seen.split = self.sighting.items.iter().filter(is_split).map(|(key, _)| key.clone()).collect();
        seen
    }

    /// The offer that holds it.
    pub fn offer(&self) -> Digest {
        self.sighting.offer
    }

    /// Its items, what is the matter with each, and the digest of what was offered.
    pub fn items(&self) -> impl Iterator<Item = (&ItemKey, What, Option<Digest>)> {
        self.sighting.items.iter().map(|(key, what)| {
            let value = self.surface.get(key).filter(|_| *what != What::Removed);
            (key, *what, value.map(|value| Surface::digest_item(key.kind, value)))
        })
    }

    /// Whether its client declares no capabilities, or only some, and so may be shown other lists.
    pub fn is_of_another_client(&self) -> bool {
        self.sighting.kind != ClientKind::Full
    }

    /// What is pinned with what the gate saw in it, of a server that cannot be read now.
    pub fn alone(&self, server: &Server, launch: &Launch, why: &Failure, ground: &Ground) -> Option<Shown> {
        let (entry, pin) = (server.entry()?, server.pin.as_ref()?);
        let folder = target::folder(launch, ground.folder_of(entry));
        let found = target::artifact(launch, &folder);
        Some(Shown {
            launch: ground.pin_of(entry),
            artifact: found.artifact,
            platform: found.platform,
            protocol: pin.protocol.clone(),
            full: trust::surface_of(pin, &folder),
            empty: None,
            elsewhere: None,
            machine: machine::here(&folder, &found.folders),
            secrets: launchpin::known_secrets(launch),
            notes: vec![format!("could not be read now: {}", why.reason)],
        })
    }

    /// Writes down that gate and reading differ, once.
    pub fn tell(&self, seen: &Seen, ground: &Ground) -> Result<(), SurveyError> {
        if seen.split.iter().all(|key| self.sighting.split.contains(key)) {
            return Ok(());
        }
        Sightings::of(&ground.paths).note_split(&self.sighting, &seen.split)?;
        let (now, server) = (machine::now(), self.sighting.server.clone());
        let finding = |key: &ItemKey| {
            let event = Event::Finding {
                server: server.clone(),
                code: SPLIT_VIEW.to_owned(),
                severity: "critical".to_owned(),
                place: format!("{}/{}", key.kind.key(), key.name),
            };
            (now, event)
        };
        let events: Vec<(u64, Event)> = seen.split.iter().map(finding).collect();
        Ok(Log::of(&ground.paths).append_all(&events)?)
    }

    /// Whether older ones that saw something else wait too.
    pub fn has_more(&self) -> bool {
        self.more > 0
    }

    /// When, and by whom; for those who start nothing.
    pub fn seen(&self) -> Seen {
        Seen {
            client: self.sighting.client.clone(),
            at: self.sighting.at,
            items: self.sighting.items.iter().map(|(key, _)| key.clone()).collect(),
            split: self.sighting.split.clone(),
            unread: None,
            offer: self.sighting.offer,
            more: self.more,
        }
    }

    /// Whether the server shows us something else, for no reason of capabilities.
    fn is_split(&self, shown: &Shown, pin: &ServerPin, key: &ItemKey, seen: Option<&Value>) -> bool {
        if key.kind == Kind::Request {
            return false;
        }
        let full = shown.full.get(key) == seen;
        let empty = shown.empty.as_ref().map_or(full || depends(pin, key), |empty| empty.get(key) == seen);
        match self.sighting.kind {
            ClientKind::Full => !full,
            ClientKind::Empty => !empty,
            ClientKind::Partial => !full && !empty,
        }
    }

    /// Puts one item where this client's view is shown; where both views are one, into both.
    fn put(&self, shown: &mut Shown, pin: &ServerPin, key: &ItemKey, seen: Option<Value>) {
        let are_one = match &shown.empty {
            Some(empty) => empty.get(key) == shown.full.get(key),
            None => !depends(pin, key),
        };
        if self.sighting.kind == ClientKind::Empty && !are_one && shown.empty.is_none() {
            shown.empty = Some(without_capabilities(&shown.full, pin, &shown.machine));
        }
        let into_empty = are_one || self.sighting.kind == ClientKind::Empty;
        if are_one || self.sighting.kind != ClientKind::Empty {
            shown.full.set(key.clone(), seen.clone());
        }
        if let (Some(empty), true) = (&mut shown.empty, into_empty) {
            empty.set(key.clone(), seen);
        }
        // How it reads elsewhere says nothing about these bytes.
        if let Some((elsewhere, _)) = &mut shown.elsewhere {
            elsewhere.set(key.clone(), None);
        }
    }
}

/// Whether exactly this is approved, for any client.
fn is_approved(pin: &ServerPin, key: &ItemKey, offered: Option<&Value>, machine: &Machine) -> bool {
    let pinned = pin.key_for(key, machine).and_then(|key| pin.items.get(key));
    match (pinned, offered) {
        (None, None) => true,
        (Some(pinned), Some(value)) => {
            pinned.definitions.iter().any(|own| placeholder::matches(&own.value, value, machine))
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn is_denied(server: &Server, key: &ItemKey, offered: Option<&Value>, ground: &Ground) -> bool {
    let (Some(trust), Some(value)) = (&ground.trust, offered) else { return false };
    let digest = Surface::digest_item(key.kind, value);
    trust.denial(&server.name, &Subject::Item(key.clone()), &digest).is_some()
}

/// Whether what is pinned of an item depends on the client's capabilities.
fn depends(pin: &ServerPin, key: &ItemKey) -> bool {
    let conditional =
        |when: &Option<Condition>| matches!(when, Some(Condition::FullClient | Condition::EmptyClient));
    pin.items
        .get(key)
        .is_some_and(|pinned| pinned.definitions.iter().any(|definition| conditional(&definition.when)))
}

/// What a client without capabilities would be shown, by the pins, of what a capable one was.
fn without_capabilities(full: &Surface, pin: &ServerPin, machine: &Machine) -> Surface {
    let mut surface = Surface::new(full.protocol.clone());
    for (key, value) in full.items().filter(|(key, _)| !depends(pin, key)) {
        surface.add(key.clone(), value.clone());
    }
    for (key, pinned) in pin.items.iter().filter(|(key, _)| depends(pin, key)) {
        let own = pinned.definitions.iter().find(|own| own.when == Some(Condition::EmptyClient));
        if let Some(own) = own {
            let key = ItemKey::new(key.kind, placeholder::fill_text(&key.name, machine));
            surface.set(key, Some(placeholder::fill(&own.value, machine)));
        }
    }
    surface
}

#[cfg(test)]
#[path = "sighted_tests.rs"]
mod tests;
