//! What was configured when the daemon last looked, and what it told since, kept over restarts.
//!
//! Promises: an edit made while no daemon ran is noticed at its next start, and what was told of before
//! is not told again. Holds digests, no launches. Whoever runs as this account can rewrite it; then an
//! edit or a change goes unannounced, and is still blocked.

use crate::engine::digest::Digest;
use crate::engine::json::{self, Object, Value};
use crate::ipc::message::ServerId;
use std::collections::BTreeMap;

/// How many things told of one server are remembered; the oldest go first.
const MOST: usize = 8;

/// The servers that were configured, and what was told of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    servers: BTreeMap<ServerId, Remembered>,
    told: BTreeMap<ServerId, Vec<Told>>,
    looked: bool,
}

/// Something that was told, or could not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The change set it was about.
    pub set: Digest,
    /// When it was first seen, in Unix milliseconds.
    pub at: u64,
    /// Whether a person was shown it.
    pub shown: bool,
    /// Whether it goes on to wait while the server is as approved: a newer version does.
    pub stays: bool,
}

/// What is remembered of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The digest of its launch.
    pub launch: Digest,
    /// Whether a gate stood in the configuration.
    pub wrapped: bool,
}

impl Memory {
    /// Whether nobody ever looked: the first look is the measure.
    pub fn is_blank(&self) -> bool {
        !self.looked
    }

    /// Notes that somebody looked, whatever was there.
    pub fn looked(&mut self) {
        self.looked = true;
    }

    /// What is remembered of that server.
    pub fn get(&self, id: &ServerId) -> Option<&Remembered> {
        self.servers.get(id)
    }

    /// Remembers a server.
    pub fn put(&mut self, id: &ServerId, remembered: Remembered) {
        self.servers.insert(id.clone(), remembered);
    }

    /// Forgets a server.
    pub fn forget(&mut self, id: &ServerId) {
        self.servers.remove(id);
        self.told.remove(id);
    }

    /// What was told about a change set of a server.
    pub fn told(&self, id: &ServerId, set: &Digest) -> Option<Told> {
        self.told.get(id)?.iter().find(|told| told.set == *set).copied()
    }

    /// Notes that something was told, or could not be.
    pub fn tell(&mut self, id: &ServerId, told: Told) {
        let all = self.told.entry(id.clone()).or_default();
        all.retain(|other| other.set != told.set);
        all.push(told);
        if all.len() > MOST {
            all.remove(0);
        }
    }

    /// Nothing of that server waits any more, but what stays; whether anything went, and what stays.
    pub fn settle(&mut self, id: &ServerId) -> (bool, Option<Told>) {
        let went = self.retain(id, |told| told.stays);
        (went, self.told.get(id).and_then(|all| all.last()).copied())
    }

    /// What stayed is over too; whether there was any.
    pub fn forget_staying(&mut self, id: &ServerId) -> bool {
        self.retain(id, |told| !told.stays)
    }

    fn retain(&mut self, id: &ServerId, keeps: impl Fn(&Told) -> bool) -> bool {
        let Some(all) = self.told.get_mut(id) else { return false };
        let before = all.len();
        all.retain(keeps);
        let went = all.len() != before;
        if all.is_empty() {
            self.told.remove(id);
        }
        went
    }

    /// A decision was taken: whatever was told of that server is over.
    pub fn decided(&mut self, id: &ServerId) {
        self.told.remove(id);
    }

    /// The servers, in order.
    pub fn ids(&self) -> impl Iterator<Item = &ServerId> {
        self.servers.keys()
    }

    /// The memory as text.
    pub fn render(&self) -> Vec<u8> {
        let server = |(id, remembered): (&ServerId, &Remembered)| {
            let mut object = Object::new();
            object.insert("scope", id.scope.as_str());
            object.insert("name", id.name.as_str());
            object.insert("launch", remembered.launch.to_string());
            object.insert("wrapped", remembered.wrapped);
            Value::Object(object)
        };
        let mut object = Object::new();
        object.insert("version", 1);
        object.insert("servers", self.servers.iter().map(server).collect::<Vec<_>>());
        let each =
            |(id, all): (&ServerId, &Vec<Told>)| all.iter().map(|told| value(id, told)).collect::<Vec<_>>();
        object.insert("told", self.told.iter().flat_map(each).collect::<Vec<_>>());
        let mut text = crate::engine::canon::canonical(&Value::Object(object));
        text.push(b'\n');
        text
    }

    /// Reads a memory; what cannot be read is as if nobody ever looked.
    pub fn parse(text: &[u8]) -> Self {
        let value = json::parse(text).ok();
        let servers = value.as_ref().and_then(|value| value.get("servers")).and_then(Value::as_array);
        let looked = servers.is_some();
        let servers = servers.into_iter().flatten().filter_map(entry).collect();
        let mut memory = Self { looked, servers, ..Self::default() };
        let told = value.as_ref().and_then(|value| value.get("told")).and_then(Value::as_array);
        for (id, told) in told.into_iter().flatten().filter_map(told_of) {
            memory.tell(&id, told);
        }
        memory
    }
}

fn value(id: &ServerId, told: &Told) -> Value {
    let mut object = Object::new();
    object.insert("scope", id.scope.as_str());
    object.insert("name", id.name.as_str());
    object.insert("set", told.set.to_string());
    object.insert("at", told.at.to_string());
    object.insert("shown", told.shown);
    object.insert("stays", told.stays);
    Value::Object(object)
}

fn told_of(value: &Value) -> Option<(ServerId, Told)> {
    let text = |key| value.get(key).and_then(Value::as_str);
    let truth = |key| value.get(key).and_then(Value::as_bool);
    let id = ServerId { scope: text("scope")?.to_owned(), name: text("name")?.to_owned() };
    let (set, at) = (text("set")?.parse().ok()?, text("at")?.parse().ok()?);
    Some((id, Told { set, at, shown: truth("shown")?, stays: truth("stays")? }))
}

fn entry(value: &Value) -> Option<(ServerId, Remembered)> {
    let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let id = ServerId { scope: text("scope")?, name: text("name")? };
    let wrapped = value.get("wrapped").and_then(Value::as_bool)?;
    Some((id, Remembered { launch: text("launch")?.parse().ok()?, wrapped }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::digest::Tag;

    #[allow(clippy::unwrap_used, reason = "a test")]
    #[test]
    fn what_is_remembered_reads_back() {
        let mut memory = Memory::default();
        assert!(memory.is_blank());
        memory.looked();
        assert_eq!(Memory::parse(&memory.render()), memory);
        for (name, wrapped) in [("github", true), ("a \"b\"\n", false)] {
            let id = ServerId { scope: "/p/mcp.lock".to_owned(), name: name.to_owned() };
            memory.put(&id, Remembered { launch: Digest::of_bytes(Tag::Launch, name.as_bytes()), wrapped });
            for at in 0..10 {
                let set = Digest::of_bytes(Tag::Offer, &[at]);
                memory.tell(&id, Told { set, at: u64::from(at), shown: wrapped, stays: at == 7 });
            }
        }
        assert_eq!(Memory::parse(&memory.render()), memory);
        let (id, set) = (memory.ids().next().unwrap().clone(), |at: u8| Digest::of_bytes(Tag::Offer, &[at]));
        assert!(memory.told(&id, &set(1)).is_none() && memory.told(&id, &set(2)).is_some(), "bounded");
        let stays = memory.told(&id, &set(7));
        assert_eq!((memory.settle(&id), memory.settle(&id)), ((true, stays), (false, stays)));
        assert!(memory.told(&id, &set(7)).is_some() && memory.told(&id, &set(2)).is_none());
        assert!(memory.forget_staying(&id) && !memory.forget_staying(&id));
        assert!(Memory::parse(b"{").is_blank());
        assert_eq!(Memory::parse(br#"{"servers":[{"name":"x"}]}"#).ids().count(), 0);
    }
}
