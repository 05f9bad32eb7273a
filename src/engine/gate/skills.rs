//! Skills: manifests that are pinned, files that must be what the manifest promises, directories.
//!
//! A skill is text that tells a model what to do, so nothing of it reaches the client that the approved
//! manifest does not cover: a file's bytes have the approved digest, and a directory shows the files
//! that the approved manifests name, rendered by us. A skill that was approved as `dynamic` promises no
//! digests; its files are contents like any other.

use super::methods::climbs;
use super::pending::Request;
use super::{Expect, Gate, Open, Verdict, eras, words};
use crate::engine::json::{Object, Value, write};
use crate::engine::jsonrpc::{self, Id, Message};
use crate::engine::surface::{Era, ItemKey, Kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The extension under which skills and directories are declared.
pub const EXTENSION: &str = "io.modelcontextprotocol/skills";

/// What an approved manifest promises of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    uri: String,
    digest: String,
    size: Option<usize>,
}

/// What approved skills say about a URI.
enum Of {
    /// The file of a skill, with what is promised of it.
    File(ItemKey, Promise),
    /// A file of a skill that promises nothing.
    Dynamic(ItemKey),
    /// It lies in a skill's directory and is not of it.
    Stray,
}

impl Gate {
    /// A request that names a file of an approved skill; `false` if it names none.
    pub(super) fn skill_file(
        &mut self,
        era: Era,
        id: &Id,
        method: &str,
        uri: &str,
        message: &Message<'_>,
    ) -> bool {
        let is_read = method == "resources/read";
        let method = method.to_owned();
        let (key, expect) = match self.of_skill(uri) {
            None => return false,
            Some(Of::File(key, _)) if self.is_observing() => (key, Expect::Plain),
            Some(Of::File(key, promise)) if is_read => (key, Expect::File(promise)),
            Some(Of::Dynamic(key)) if is_read => (key, Expect::Contents),
            Some(Of::File(key, _) | Of::Dynamic(key)) => (key, Expect::Plain),
            Some(Of::Stray) if self.is_observing() => return false,
            Some(Of::Stray) => {
                let key = ItemKey::new(Kind::Resource, uri);
                let request = Request { era, method, key, expect: Expect::Plain };
                self.refuse(self.stream, id, &request, Verdict::Unlisted);
                return true;
            }
        };
        self.gated(id.clone(), Request { era, method, key, expect }, message);
        true
    }

    /// A request for what lies in a directory.
    pub(super) fn directory(&mut self, era: Era, id: Id, uri: &str, message: &Message<'_>) {
        let method = "resources/directory/read";
        if !self.reads_directories() {
            return self.error(method, &id, words::NO_METHOD, words::NOT_A_CAPABILITY);
        }
        let directory = directory_of(uri);
        let skill =
            self.skills().find(|(_, manifest)| manifest.keys().any(|file| file.starts_with(&directory)));
        let Some((key, _)) = skill else {
            return self.error(method, &id, words::INVALID_PARAMS, words::NO_DIRECTORY);
        };
        let expect = Expect::Directory(directory);
        self.gated(id, Request { era, method: method.to_owned(), key, expect }, message);
    }

    /// The contents of a skill's file: ours, if they are what was promised.
    pub(super) fn file_read(&mut self, id: &Id, open: &Open, promise: &Promise, message: &Message<'_>) {
        let contents = message.value(&["result", "contents"]);
        let rendered = contents.as_ref().and_then(Value::as_array).and_then(|contents| match contents {
            [file] => promised(file, promise),
            _ => None,
        });
        let Some(file) = rendered else {
            // Its manifest may have changed with it, and that is what a person can decide on.
            self.signal(&[Kind::Skill]);
            return self.refuse_answer(id, open, "the file is not the one of the skill that was approved");
        };
        let mut result: Object = [("contents", vec![Value::Object(file)])].into_iter().collect();
        eras::complete(open.era, &mut result);
        self.answer_all(id, open, &result);
    }

    /// What lies in a directory: the files of the skills that are as approved.
    pub(super) fn directory_read(&mut self, id: &Id, open: &Open, directory: &str) {
        let mut children: BTreeMap<String, Object> = BTreeMap::new();
        for (key, manifest) in self.skills() {
            if self.verdict(open.era, &key) != Verdict::Approved {
                continue;
            }
            for (file, promise) in manifest {
                let Some(rest) = file.strip_prefix(directory).filter(|rest| !rest.is_empty()) else {
                    continue;
                };
                let (name, is_file) = match rest.split_once('/') {
                    Some((name, _)) => (name, false),
                    None => (rest, true),
                };
                let uri = format!("{directory}{name}");
                let mut child: Object = [("uri", uri.as_str()), ("name", name)].into_iter().collect();
                if !is_file {
                    child.insert("mimeType", "inode/directory");
                } else if let Some(size) = promise.size.and_then(|size| u32::try_from(size).ok()) {
                    child.insert("size", size);
                }
                children.insert(uri, child);
            }
        }
        let children: Vec<Value> = children.into_values().map(Value::Object).collect();
        let mut result: Object = [("resources", children)].into_iter().collect();
        eras::complete(open.era, &mut result);
        self.answer_all(id, open, &result);
    }

    fn answer_all(&mut self, id: &Id, open: &Open, result: &Object) {
        let result = write::to_bytes(&Value::Object(result.clone()));
        for (stream, id) in open.followers.iter().chain([&(open.stream, id.clone())]) {
            self.send_on(*stream, jsonrpc::answer(id, &result));
        }
    }

    fn of_skill(&self, uri: &str) -> Option<Of> {
        let mut within = None;
        for (key, value) in self.approved_skills() {
            let promise = files(&value).remove(uri);
            if let Some(promise) = promise {
                return Some(Of::File(key, promise));
            }
            let root = key.name.strip_suffix("SKILL.md").filter(|root| root.ends_with('/'));
            if root.is_some_and(|root| uri.starts_with(root)) {
                let is_dynamic = value.get("resources").and_then(Value::as_str) == Some("dynamic");
                within = Some(if is_dynamic && !climbs(uri) && !hides_a_slash(uri) {
                    Of::Dynamic(key)
                } else {
                    Of::Stray
                });
            }
        }
        within
    }

    /// The approved skills and what their manifests promise, by the files' URIs.
    fn skills(&self) -> impl Iterator<Item = (ItemKey, BTreeMap<String, Promise>)> {
        self.approved_skills().map(|(key, value)| (key, files(&value)))
    }

    fn approved_skills(&self) -> impl Iterator<Item = (ItemKey, Value)> {
        self.judge().into_iter().flat_map(|judge| {
            let keys: Vec<ItemKey> =
                judge.names(Kind::Skill).map(|name| ItemKey::new(Kind::Skill, name)).collect();
            keys.into_iter().filter_map(move |key| {
                let value = judge.approved_value(&key)?;
                Some((key, value))
            })
        })
    }

    /// Whether directories belong to the capabilities that are approved.
    fn reads_directories(&self) -> bool {
        let capabilities =
            self.judge().and_then(|judge| judge.approved_value(&ItemKey::single(Kind::Capabilities)));
        let declared =
            capabilities.as_ref().and_then(|all| all.at(&["extensions", EXTENSION, "directoryRead"]));
        declared == Some(&Value::Bool(true))
    }
}

/// The files of a manifest. One that is not written as the specification has it promises nothing.
fn files(skill: &Value) -> BTreeMap<String, Promise> {
    let files = skill.get("resources").and_then(Value::as_array).unwrap_or_default();
    let file = |file: &Value| {
        let uri = file.get("uri")?.as_str()?.to_owned();
        let digest = file.get("digest")?.as_str()?.to_owned();
        // A strict number that is not negative and whole fits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let size =
            file.get("size").and_then(Value::as_f64).filter(|size| *size >= 0.0 && size.fract() == 0.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let size = size.map(|size| size as usize);
        Some((uri.clone(), Promise { uri, digest, size }))
    };
    files.iter().filter_map(file).collect()
}

/// A file as the client gets it, if it is what was promised.
fn promised(file: &Value, promise: &Promise) -> Option<Object> {
    let (field, text) = match (file.get("text"), file.get("blob")) {
        (Some(Value::String(text)), None) => ("text", text),
        (None, Some(Value::String(blob))) => ("blob", blob),
        _ => return None,
    };
    let bytes = match field {
        "text" => text.clone().into_bytes(),
        _ => STANDARD.decode(text).ok()?,
    };
    let digest = Sha256::digest(&bytes).iter().fold("sha256:".to_owned(), |mut digest, byte| {
        // Writing to a string cannot fail.
        let _written = write!(digest, "{byte:02x}");
        digest
    });
    if digest != promise.digest || promise.size.is_some_and(|size| size != bytes.len()) {
        return None;
    }
    let mut out = Object::new();
    out.insert("uri", promise.uri.as_str());
    let is_token = |c: char| c.is_ascii_alphanumeric() || "/+-._;= ".contains(c);
    let kind = file.get("mimeType").and_then(Value::as_str);
    if let Some(kind) = kind.filter(|kind| kind.len() <= 100 && kind.chars().all(is_token)) {
        out.insert("mimeType", kind);
    }
    out.insert(field, text.as_str());
    Some(out)
}

fn directory_of(uri: &str) -> String {
    format!("{}/", uri.trim_end_matches('/'))
}

/// Whether a file's name holds a slash once it is decoded.
fn hides_a_slash(uri: &str) -> bool {
    let uri = uri.to_ascii_lowercase();
    uri.contains("%2f") || uri.contains("%5c")
}
