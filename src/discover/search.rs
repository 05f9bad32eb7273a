//! One search over the places of one client: opens files, remembers where it looked, keeps going.

use super::client::Client;
use super::entry::{Discovered, Entry, Looked, Scope};
use super::files::Files;
use super::node::{Document, Node};
use super::places::Places;
use super::problem::{Fault, Problem};
use super::reader::{self, Reader};
use super::text::{self, MAX_BYTES, Text};
use std::path::{Path, PathBuf};

/// A search for the servers of one client.
pub struct Search<'a> {
    /// Where things are on this system.
    pub places: &'a Places,
    /// The folders from the current one up to the repository's root, nearest first. A client's user
    /// configuration is not looked for twice when the home folder is among them.
    pub folders: &'a [PathBuf],
    /// What was found so far.
    pub found: Discovered,
    client: Client,
    files: &'a dyn Files,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        client: Client,
        places: &'a Places,
        folders: &'a [PathBuf],
        files: &'a dyn Files,
    ) -> Self {
        Self { places, folders, found: Discovered::default(), client, files }
    }

    /// Reads a file of the user's with the client's own reader.
    pub fn user(&mut self, file: PathBuf) -> Vec<usize> {
        self.read(Scope::User, None, true, file, self.client.0.read)
    }

    /// Reads the client's project files in every folder of the search. Nobody asked for their entries yet.
    pub fn projects(&mut self) {
        for folder in self.folders {
            for below in self.client.0.project {
                let file = super::places::join(folder, below);
                self.read(Scope::Project, Some(folder), false, file, self.client.0.read);
            }
        }
    }

    /// Reads one file, unless it was read before. Returns the places of its entries in `found`.
    pub fn read(
        &mut self,
        scope: Scope,
        folder: Option<&Path>,
        asked: bool,
        file: PathBuf,
        read: impl FnOnce(&mut Reader<'_>),
    ) -> Vec<usize> {
        let known = |looked: &Looked| looked.file == file;
        if self.found.looked_in.iter().any(known) {
            return Vec::new();
        }
        let before = self.found.entries.len();
        let text = self.open(&file);
        let found = text.is_some() || self.found.problems.iter().any(|problem| problem.file == file);
        self.found.looked_in.push(Looked {
            client: self.client,
            scope: scope.clone(),
            file: file.clone(),
            found,
        });
        if let Some(text) = text {
            let mut more = reader::read(self.client, &file, &scope, folder, asked, &text.text, read);
            more.note(text.encoding.note());
            self.found.absorb(more);
        }
        (before..self.found.entries.len()).collect()
    }

    /// Looks into a file that holds settings but no servers. Its faults are not reported here: it is
    /// the client's business, and what it might allow is then not allowed.
    pub fn peek<T>(&self, file: &Path, look: impl FnOnce(Node<'_>) -> T) -> Option<T> {
        let bytes = self.files.read(file).ok()??;
        let text = text::decode(&bytes).ok()?.text;
        let document = Document::parse(&text, self.client.0.format).ok()?;
        Some(look(document.root()))
    }

    /// The names in a folder.
    pub fn names(&self, folder: &Path) -> Vec<String> {
        self.files.names(folder)
    }

    /// An entry that was found.
    pub fn entry(&mut self, index: usize) -> Option<&mut Entry> {
        self.found.entries.get_mut(index)
    }

    /// A file's text; `None` if there is none, or a problem that is now recorded.
    fn open(&mut self, file: &Path) -> Option<Text> {
        let text = match self.files.read(file) {
            Ok(None) => return None,
            Ok(Some(bytes)) => decode(file, &bytes),
            Err(error) => Err(Problem::of_file(file, Fault::Unreadable(error.to_string()))),
        };
        text.map_err(|problem| self.found.problems.push(problem)).ok()
    }
}

/// Decodes a file, naming it in the problem.
pub(super) fn decode(file: &Path, bytes: &[u8]) -> Result<Text, Problem> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Problem::of_file(file, Fault::TooLarge(MAX_BYTES / 1024 / 1024)));
    }
    text::decode(bytes).map_err(|(fault, place)| Problem { file: file.to_owned(), place, path: None, fault })
}
