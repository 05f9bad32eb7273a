//! Reading one file: the way to its servers, and each server's fields, with every fault named.
//!
//! Promises: on the way to a server and inside it, a duplicate key, a wrong type or a NUL leaves out
//! what it spoils, with its place, and nothing else. Keys that clients know and we do not are ignored.

use super::client::Client;
use super::entry::{Discovered, Entry, FromEnv, Scope, Target};
use super::node::{Document, Member, Node};
use super::problem::{Fault, Place, Problem};
use super::{through, variables};
use crate::engine::json::{self, Step};
use crate::engine::launchpin::{CommandLaunch, Launch, UrlLaunch};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// A file while it is read.
pub struct Reader<'a> {
    /// The document.
    pub root: Node<'a>,
    /// The project folder of the entries to come.
    pub folder: Option<PathBuf>,
    /// Their scope.
    pub scope: Scope,
    /// Whether their owner asked for them.
    pub asked: bool,
    /// What was found so far.
    pub found: Discovered,
    client: Client,
    file: &'a Path,
    text: &'a str,
}

/// One server while it is read.
pub struct Fields<'a, 'r> {
    reader: &'r mut Reader<'a>,
    node: Node<'a>,
    path: json::Path,
    broken: bool,
    /// Remarks for people.
    pub notes: Vec<String>,
}

/// What a client's file made of a server's fields. `Default` is no launch, nothing special.
#[derive(Default)]
pub struct Draft {
    /// The launch; `None` leaves the entry out, after its reader said why.
    pub launch: Option<Launch>,
    /// See [`Entry::disabled`].
    pub disabled: bool,
    /// See [`Entry::env_file`].
    pub env_file: Option<String>,
    /// See [`Entry::from_env`].
    pub from_env: Vec<FromEnv>,
    /// See [`Entry::own_fields`].
    pub own_fields: Vec<&'static str>,
}

/// Parses a text and lets `read` take the servers out.
pub(super) fn read(
    client: Client,
    file: &Path,
    scope: &Scope,
    folder: Option<&Path>,
    asked: bool,
    text: &str,
    read: impl FnOnce(&mut Reader<'_>),
) -> Discovered {
    let document = match Document::parse(text, client.0.format) {
        Ok(document) => document,
        Err((fault, place)) => {
            let cut = matches!(fault, Fault::Truncated(_));
            let problem = vec![Problem { file: file.to_owned(), place, path: None, fault }];
            // An editor's settings that name no servers hide none, however broken they are.
            let keys = client.0.keys.iter().filter_map(|keys| keys.first());
            let hides = cut || scope == &Scope::Named || keys.into_iter().any(|key| text.contains(*key));
            let (problems, remarks) = if hides { (problem, Vec::new()) } else { (Vec::new(), problem) };
            return Discovered { problems, remarks, ..Discovered::default() };
        }
    };
    let root = document.root();
    let folder = folder.map(Path::to_owned);
    let found = Discovered::default();
    let mut reader = Reader { root, folder, scope: scope.clone(), asked, found, client, file, text };
    if root.members().is_some() {
        read(&mut reader);
    } else {
        let fault = Fault::WrongType("an object", root.kind());
        reader.problem(root.offset(), &json::Path::default(), fault);
    }
    reader.found
}

impl<'a> Reader<'a> {
    /// Reads every server of the object at `keys`. A missing object is no fault; `null` neither.
    pub fn servers(&mut self, keys: &[&str], read: fn(&mut Fields<'_, '_>) -> Draft) {
        let Some((node, path)) = self.descend(keys) else { return };
        if node.is_null() {
            return;
        }
        let Some(members) = node.members() else {
            self.problem(node.offset(), &path, Fault::WrongType("an object", node.kind()));
            return;
        };
        let mut times: HashMap<&str, usize> = HashMap::new();
        members.iter().for_each(|member| *times.entry(member.key).or_default() += 1);
        for member in members {
            match times.get_mut(member.key) {
                Some(0) => {}
                Some(count @ 2..) => {
                    *count = 0;
                    self.problem(member.offset, &path, Fault::DuplicateKey(member.key.to_owned()));
                }
                _ => self.server(member, path.join(Step::Key(member.key.to_owned())), read),
            }
        }
    }

    /// Walks to a node, refusing duplicate keys on the way.
    pub fn descend(&mut self, keys: &[&str]) -> Option<(Node<'a>, json::Path)> {
        let mut node = self.root;
        let mut path = json::Path::default();
        for key in keys {
            let Some(members) = node.members() else {
                self.problem(node.offset(), &path, Fault::WrongType("an object", node.kind()));
                return None;
            };
            let mut matching = members.iter().filter(|member| member.key == *key);
            let next = matching.next()?;
            if let Some(second) = matching.next() {
                self.problem(second.offset, &path, Fault::DuplicateKey((*key).to_owned()));
                return None;
            }
            node = next.node;
            path = path.join(Step::Key((*key).to_owned()));
        }
        Some((node, path))
    }

    fn server(&mut self, member: Member<'a>, path: json::Path, read: fn(&mut Fields<'_, '_>) -> Draft) {
        if member.node.members().is_none() {
            let fault = Fault::WrongType("an object", member.node.kind());
            return self.problem(member.offset, &path, fault);
        }
        if let Some((key, offset)) = member.node.duplicate() {
            return self.problem(offset, &path, Fault::DuplicateKey(key.to_owned()));
        }
        if member.key.contains('\0') {
            return self.problem(member.offset, &path, Fault::NulByte);
        }
        let place = Place::at(self.text, member.offset);
        let mut fields =
            Fields { reader: self, node: member.node, path: path.clone(), broken: false, notes: Vec::new() };
        let mut draft = read(&mut fields);
        let (broken, mut notes) = (fields.broken, fields.notes);
        let Some(mut launch) = draft.launch.take().filter(|_| !broken) else { return };
        let wrapped = through::wrapped(&launch);
        if let Some(wrapped) = &wrapped {
            match through::original(self.client, member.key, &launch, wrapped) {
                Ok(original) => {
                    draft.from_env.retain(|_| !wrapped.remote);
                    draft.from_env.extend(original.from_env);
                    launch = original.launch;
                }
                Err(fault) => return self.problem(member.offset, &path, fault),
            }
            notes.retain(|_| !wrapped.remote);
        }
        self.found.entries.push(Entry {
            client: self.client,
            scope: self.scope.clone(),
            name: member.key.to_owned(),
            file: self.file.to_owned(),
            key_path: path,
            place,
            folder: self.folder.clone(),
            base: None,
            inputs: variables::inputs(self.client.0.syntax, &launch),
            launch,
            disabled: draft.disabled,
            asked: self.asked,
            env_file: draft.env_file,
            from_env: draft.from_env,
            given: BTreeMap::new(),
            own_fields: draft.own_fields,
            wrapped,
            notes,
        });
    }

    /// Records a problem of this file.
    pub fn problem(&mut self, offset: usize, path: &json::Path, fault: Fault) {
        let problem = self.describe(offset, path, fault);
        self.found.problems.push(problem);
    }

    /// Records a remark about this file.
    pub fn remark(&mut self, offset: usize, path: &json::Path, fault: Fault) {
        let remark = self.describe(offset, path, fault);
        self.found.remarks.push(remark);
    }

    fn describe(&self, offset: usize, path: &json::Path, fault: Fault) -> Problem {
        let place = Some(Place::at(self.text, offset));
        let path = (!path.0.is_empty()).then(|| path.clone());
        Problem { file: self.file.to_owned(), place, path, fault }
    }
}

impl<'a> Fields<'a, '_> {
    /// The value of a key; `null` counts as missing.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        self.node.get(key).filter(|node| !node.is_null())
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Goes on with the object under a key instead, if there is one.
    pub fn enter(&mut self, key: &str) -> bool {
        let Some(inner) = self.get(key).filter(|inner| inner.members().is_some()) else { return false };
        self.path = self.path.join(Step::Key(key.to_owned()));
        if let Some((key, offset)) = inner.duplicate() {
            self.fail(offset, None, Fault::DuplicateKey(key.to_owned()));
        }
        self.node = inner;
        true
    }

    /// A string.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        self.string(node, key)
    }

    /// A truth value.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        let truth = node.as_bool();
        if truth.is_none() {
            self.fail(node.offset(), Some(key), Fault::WrongType("a boolean", node.kind()));
        }
        truth
    }

    /// A list of strings; empty if missing.
    pub fn list(&mut self, key: &str) -> Vec<String> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Some(elements) = node.elements() else {
            self.fail(node.offset(), Some(key), Fault::WrongType("an array of strings", node.kind()));
            return Vec::new();
        };
        elements.into_iter().filter_map(|element| self.loose(element, key)).collect()
    }

    /// Strings by name; empty if missing. `null` leaves a name out.
    pub fn map(&mut self, key: &str) -> BTreeMap<String, String> {
        let Some(node) = self.get(key) else { return BTreeMap::new() };
        let Some(members) = node.members() else {
            self.fail(node.offset(), Some(key), Fault::WrongType("an object of strings", node.kind()));
            return BTreeMap::new();
        };
        if let Some((twice, offset)) = node.duplicate() {
            self.fail(offset, Some(key), Fault::DuplicateKey(twice.to_owned()));
        }
        let members = members.into_iter().filter(|member| !member.node.is_null());
        members.filter_map(|member| Some((member.key.to_owned(), self.loose(member.node, key)?))).collect()
    }

    /// A launch of the usual shape: `command`, `args`, `env`, `cwd`; or one of the `urls`, each a key
    /// and whether it means the HTTP+SSE transport, with `headers`. A `type` or `transport` of `sse`
    /// means it too.
    pub fn launch(&mut self, urls: &[(&str, bool)]) -> Option<Launch> {
        self.launch_of("command", urls)
    }

    /// Like [`Fields::launch`], with another key for the command.
    pub fn launch_of(&mut self, command: &str, urls: &[(&str, bool)]) -> Option<Launch> {
        let url = urls.iter().find_map(|(key, sse)| {
            let url = self.text(key).filter(|url| !url.is_empty())?;
            Some((url, *sse))
        });
        let command = self.text(command).filter(|command| !command.is_empty());
        match (command, url) {
            (Some(command), None) => Some(self.command(command)),
            (None, Some((url, sse))) => self.remote(url, sse),
            (None, None) if self.broken => None,
            (None, None) => {
                self.fail(self.node.offset(), None, Fault::NoLaunch);
                None
            }
            (Some(_), Some(_)) => {
                self.fail(self.node.offset(), None, Fault::TwoLaunches);
                None
            }
        }
    }

    fn command(&mut self, command: String) -> Launch {
        if is_whole_line(&command) {
            self.notes.push(
                "the command is one string with spaces; clients look for a program of that whole name, \
                 so put the arguments into \"args\""
                    .into(),
            );
        }
        let (args, env) = (self.list("args"), self.map("env"));
        Launch::Command(CommandLaunch { command, args, env, cwd: self.text("cwd") })
    }

    fn remote(&mut self, url: String, sse: bool) -> Option<Launch> {
        let kind = ["type", "transport"].into_iter().find_map(|key| self.get(key)?.as_str());
        let sse = match kind {
            None | Some("stdio") => sse,
            Some("sse") => true,
            Some("http" | "streamable-http" | "streamableHttp" | "streamable_http" | "remote") => false,
            Some(other) => {
                self.fail(self.node.offset(), None, Fault::Transport(other.to_owned()));
                return None;
            }
        };
        if ["unix:", "pipe:"].iter().any(|scheme| url.starts_with(scheme)) {
            self.notes.push("it is reached over a local socket, which mcpwatch does not speak".into());
        }
        Some(Launch::Url(UrlLaunch { url, sse, headers: self.map("headers") }))
    }

    /// Fills a header from a variable of the client's environment, and shows it in the launch.
    pub fn header_from_env(draft: &mut Draft, name: &str, prefix: &'static str, variable: String) {
        if let Some(Launch::Url(launch)) = &mut draft.launch {
            launch.headers.insert(name.to_owned(), format!("{prefix}${{{variable}}}"));
            let target = Target::Header { name: name.to_owned(), prefix };
            draft.from_env.push(FromEnv { target, variable });
        }
    }

    /// Leaves the entry out with a remark: nothing is wrong, but there is nothing to watch.
    pub fn elsewhere(&mut self, by: &'static str) {
        self.broken = true;
        let (offset, path) = (self.node.offset(), self.path.clone());
        self.reader.remark(offset, &path, Fault::Elsewhere(by));
    }

    /// Those of `keys` that the entry has.
    pub fn present(&self, keys: &[&'static str]) -> Vec<&'static str> {
        keys.iter().copied().filter(|key| self.has(key)).collect()
    }

    fn string(&mut self, node: Node<'a>, key: &str) -> Option<String> {
        let Some(text) = node.as_str() else {
            self.fail(node.offset(), Some(key), Fault::WrongType("a string", node.kind()));
            return None;
        };
        if text.contains('\0') {
            self.fail(node.offset(), Some(key), Fault::NulByte);
            return None;
        }
        Some(text.to_owned())
    }

    /// A string, or a number or boolean taken as its text.
    fn loose(&mut self, node: Node<'a>, key: &str) -> Option<String> {
        let Some(scalar) = node.as_scalar() else { return self.string(node, key) };
        let place = Place::at(self.reader.text, node.offset());
        let kind = node.kind();
        self.notes.push(format!(
            "line {}: {kind} in {key:?} is taken as its text; some clients refuse it, so put it in quotes",
            place.line
        ));
        Some(scalar)
    }

    fn fail(&mut self, offset: usize, key: Option<&str>, fault: Fault) {
        self.broken = true;
        let path = match key {
            Some(key) => self.path.join(Step::Key(key.to_owned())),
            None => self.path.clone(),
        };
        self.reader.problem(offset, &path, fault);
    }
}

/// Whether a command looks like a command line: words apart, and the first is no path.
fn is_whole_line(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let first = words.next().unwrap_or_default();
    words.next().is_some() && !first.contains(['/', '\\'])
}
