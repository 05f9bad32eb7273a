//! What was configured when the daemon last looked, kept over restarts.
//!
//! Promises: an edit made while no daemon ran is noticed at its next start. Holds digests, no launches.
//! Whoever runs as this account can rewrite it; then that edit goes unannounced, and is still blocked.

use crate::engine::digest::Digest;
use crate::engine::json::{self, Object, Value};
use crate::ipc::message::ServerId;
use std::collections::BTreeMap;

/// The servers that were configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    servers: BTreeMap<ServerId, Remembered>,
    looked: bool,
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
        let mut text = crate::engine::canon::canonical(&Value::Object(object));
        text.push(b'\n');
        text
    }

    /// Reads a memory; what cannot be read is as if nobody ever looked.
    pub fn parse(text: &[u8]) -> Self {
        let value = json::parse(text).ok();
        let servers = value.as_ref().and_then(|value| value.get("servers")).and_then(Value::as_array);
        Self { looked: servers.is_some(), servers: servers.into_iter().flatten().filter_map(entry).collect() }
    }
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

    #[test]
    fn what_is_remembered_reads_back() {
        let mut memory = Memory::default();
        assert!(memory.is_blank());
        memory.looked();
        assert_eq!(Memory::parse(&memory.render()), memory);
        for (name, wrapped) in [("github", true), ("a \"b\"\n", false)] {
            let id = ServerId { scope: "/p/mcp.lock".to_owned(), name: name.to_owned() };
            memory.put(&id, Remembered { launch: Digest::of_bytes(Tag::Launch, name.as_bytes()), wrapped });
        }
        assert_eq!(Memory::parse(&memory.render()), memory);
        assert!(Memory::parse(b"{").is_blank());
        assert_eq!(Memory::parse(br#"{"servers":[{"name":"x"}]}"#).ids().count(), 0);
    }
}
