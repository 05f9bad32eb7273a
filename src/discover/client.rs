//! What a client is to discovery: where its files are, how they read, how its variables look.
//!
//! A new client is one file with a `pub static CLIENT: Spec` and one line in [`super::CLIENTS`].

use super::entry::{Discovered, Scope};
use super::node::Format;
use super::reader::Reader;
use super::search::Search;
use super::variables::Syntax;
use std::fmt;
use std::path::Path;

/// A client: its description, compared by id.
#[derive(Clone, Copy)]
pub struct Client(pub &'static Spec);

/// The description of a client. Each client's file holds one.
pub struct Spec {
    /// Its id in output and options: lower case, dashes.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The format of its files.
    pub format: Format,
    /// How its variables are written; what it does not expand stays as it is.
    pub syntax: Syntax,
    /// Whether it reads entries with an address. One that does not ignores them.
    pub reads_remote: bool,
    /// Whether what it starts gets the variables of the shell that a person starts it from. Those that
    /// do not hand them on, and those that are started from a menu, do not.
    pub hands_on: bool,
    /// Its files in a project, below the project's folder.
    pub project: &'static [&'static str],
    /// How its other files end, for `--config FILE`.
    pub names: &'static [&'static str],
    /// Where servers stand in its files, for `--config FILE` of another name; most telling first.
    pub keys: &'static [&'static [&'static str]],
    /// Walks its places.
    pub find: fn(&mut Search<'_>),
    /// Reads the servers that one of its files declares.
    pub read: fn(&mut Reader<'_>),
}

impl Client {
    /// Its id.
    pub fn id(self) -> &'static str {
        self.0.id
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// Reads one text as this client's file: pure, for any system.
    pub fn parse(self, file: &Path, scope: Scope, text: &str) -> Discovered {
        super::reader::read(self, file, &scope, None, true, text, self.0.read)
    }
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Client {}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
