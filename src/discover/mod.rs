//! The clients: which servers are configured, where, and for whom.
//!
//! Promises: starts, contacts and expands nothing; reads what a client would read, on every system;
//! a file that cannot be read is named with its place, and the others go on. A server in a project's
//! file is listed but marked as not asked for, because whoever clones a repository did not write it.
//!
//! A client is one file with its [`Spec`] and one line in [`CLIENTS`]. Parsing is pure
//! ([`Client::parse`]); paths are computed from [`Places`]; only `files.rs` touches the machine.

mod claude_code;
mod claude_code_policy;
mod claude_desktop;
mod client;
mod codex;
mod cursor;
mod entry;
pub mod env_file;
mod files;
mod gemini;
mod node;
mod places;
mod problem;
mod reader;
mod resolve;
mod search;
mod text;
mod through;
mod variables;
mod vscode;
mod windsurf;
mod zed;

pub use client::{Client, Spec};
pub use entry::{Discovered, Entry, FromEnv, Looked, Scope, Target};
pub use files::{Disk, Files, Nothing};
pub use node::{Document, Format, Node};
pub use places::{Os, Places};
pub use problem::{Fault, Place, Problem};
pub use resolve::{Unresolved, resolve};
pub use text::{Encoding, MAX_BYTES, Text, decode};
pub use through::{Carried, carried};
pub use variables::{Missing, Syntax, Vars};

use search::Search;
use std::path::{Path, PathBuf};

/// The clients that discovery reads, in the order they are listed.
pub static CLIENTS: &[Client] = &[
    Client(&claude_code::CLIENT),
    Client(&claude_desktop::CLIENT),
    Client(&cursor::CLIENT),
    Client(&vscode::CLIENT),
    Client(&codex::CLIENT),
    Client(&gemini::CLIENT),
    Client(&windsurf::CLIENT),
    Client(&zed::CLIENT),
];

/// The client of that id.
pub fn client(id: &str) -> Option<Client> {
    CLIENTS.iter().copied().find(|client| client.id() == id)
}

/// Finds the servers of every client: the user's, and those of the projects from `cwd` upward to the
/// root of its repository.
pub fn all(places: &Places, cwd: &Path, files: &dyn Files) -> Discovered {
    let folders = project_folders(cwd, files);
    let mut found = Discovered::default();
    for client in CLIENTS {
        let mut search = Search::new(*client, places, &folders, files);
        (client.0.find)(&mut search);
        found.absorb(search.found);
    }
    found
}

/// Reads a file that somebody named, in the scope that it has for its client on this machine: the
/// user's own file stays the user's, a project's belongs to its project. Its entries count as asked
/// for: whoever runs this named the file.
pub fn named(file: &Path, bytes: &[u8], places: &Places, cwd: &Path) -> Discovered {
    let mut found = from_file(file, bytes);
    let Some(looked) = found.looked_in.first_mut() else { return found };
    let usual = all(places, cwd, &Nothing).looked_in;
    let usual = usual.into_iter().find(|usual| usual.client == looked.client && usual.file == file);
    let scope = match usual {
        Some(usual) => usual.scope,
        None if project_of(file, looked.client).is_some() => Scope::Project,
        None => return found,
    };
    looked.scope = scope.clone();
    for entry in &mut found.entries {
        if !scope.is_project() {
            entry.folder = None;
        }
        entry.scope = scope.clone();
    }
    found
}

/// Reads a file of any known shape, recognised by its name and its content. Its entries count as
/// asked for: whoever runs this named the file.
pub fn from_file(file: &Path, bytes: &[u8]) -> Discovered {
    let Text { text, encoding } = match search::decode(file, bytes) {
        Ok(text) => text,
        Err(problem) => return Discovered { problems: vec![problem], ..Discovered::default() },
    };
    let Some(client) = recognise(file, &text) else {
        return unknown(file, &text);
    };
    let folder = project_of(file, client);
    let mut found = reader::read(client, file, &Scope::Named, folder.as_deref(), true, &text, client.0.read);
    found.note(encoding.note());
    found.looked_in.push(Looked { client, scope: Scope::Named, file: file.to_owned(), found: true });
    found
}

/// The client whose file this most likely is, for files that are known to be one's.
pub fn client_of(file: &Path, bytes: &[u8]) -> Client {
    let text = text::decode(bytes).map(|text| text.text).unwrap_or_default();
    let other = || {
        let toml = file.extension().is_some_and(|end| end == "toml");
        Client(if toml { &codex::CLIENT } else { &claude_code::CLIENT })
    };
    recognise(file, &text).unwrap_or_else(other)
}

/// The client whose file this is. A name counts only if the content fits it.
fn recognise(file: &Path, text: &str) -> Option<Client> {
    let shown = file.to_string_lossy().replace('\\', "/");
    let format = if shown.ends_with(".toml") { Format::Toml } else { Format::Json };
    let document = Document::parse(text, format).ok()?;
    let root = document.root();
    let of_format = || CLIENTS.iter().copied().filter(|client| client.0.format == format);
    let has = |client: &Client| client.0.keys.iter().any(|keys| root.at(keys).is_some());
    let named =
        |client: &Client| client.0.project.iter().chain(client.0.names).any(|name| shown.ends_with(name));
    let by_both = of_format().find(|client| named(client) && has(client));
    let by_content =
        || of_format().find(|client| client.0.keys.first().is_some_and(|k| root.at(k).is_some()));
    by_both.or_else(by_content).or_else(|| of_format().find(has)).or_else(|| {
        let bare = format == Format::Json && claude_code::is_flat(root);
        bare.then_some(Client(&claude_code::CLIENT))
    })
}

fn unknown(file: &Path, text: &str) -> Discovered {
    let format = if file.extension().is_some_and(|end| end == "toml") { Format::Toml } else { Format::Json };
    let (fault, place) = match Document::parse(text, format) {
        Ok(_) => (Fault::UnknownShape, None),
        Err(refused) => refused,
    };
    let problem = Problem { file: file.to_owned(), place, path: None, fault };
    Discovered { problems: vec![problem], ..Discovered::default() }
}

/// The project folder of a file in one of a client's project places, for its relative commands.
fn project_of(file: &Path, client: Client) -> Option<PathBuf> {
    let below = client.0.project.iter().find(|below| file.ends_with(below))?;
    file.ancestors().nth(below.split('/').count()).map(Path::to_owned)
}

/// The folders whose project files count: from `cwd` up to the root of its repository; without a
/// repository, `cwd` alone.
fn project_folders(cwd: &Path, files: &dyn Files) -> Vec<PathBuf> {
    let up: Vec<PathBuf> = cwd.ancestors().map(Path::to_owned).collect();
    let root = up.iter().position(|folder| files.exists(&folder.join(".git")));
    up.into_iter().take(root.unwrap_or(0) + 1).collect()
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
