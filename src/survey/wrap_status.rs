//! How an entry stands: wrapped, not wrapped, edited since.

use super::wrap_reach;
use crate::discover::{Entry, Files, Scope};
use crate::engine::json::Path;
use crate::engine::launchpin::Launch;
use crate::store::StoreError;
use crate::store::wraps::{Wrapped, Wraps};
use crate::sys::files;
use crate::sys::paths::Paths;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// mcpwatch does not stand before it, and never did.
    Plain,
    /// mcpwatch stands before it.
    Wrapped,
    /// It does, but what it starts was edited since.
    Edited,
    /// It does, but the entry's variables send its gate to another store, and to what is trusted there.
    Elsewhere,
    /// It does, but the program that the entry names is not there.
    Broken,
    /// It does, in a file that others share, and this machine's `PATH` has no program of our name.
    Unfound,
    /// It did, and something took it out.
    Undone,
}

/// What was wrapped, for looking up many entries.
pub struct Wrappings<'a> {
    wraps: Wraps<'a>,
    known: BTreeMap<PathBuf, Wrapped>,
    files: &'a dyn Files,
    variables: &'a BTreeMap<String, String>,
}

impl Standing {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Plain => "not wrapped",
            Self::Wrapped => "wrapped",
            Self::Edited => "wrapped, edited since",
            Self::Elsewhere => "wrapped, and sent to other approvals than these",
            Self::Broken => "wrapped by a program that is gone",
            Self::Unfound => "wrapped, and mcpwatch is not on the PATH",
            Self::Undone => "unwrapped by something else",
        }
    }

    /// What to do about it, if anything.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Wrapped => None,
            Self::Edited => Some("`mcpwatch check` compares what it starts now with its pin."),
            Self::Elsewhere => Some(
                "A variable in its `env` (MCPWATCH_HOME, HOME, XDG_CONFIG_HOME or XDG_DATA_HOME) says where its \
                 gate looks for approvals: take it out, unless you wrote it and know why.",
            ),
            Self::Unfound => Some(
                "A shared file names mcpwatch as everybody has it: put its folder on the PATH, also of the client.",
            ),
            Self::Broken | Self::Undone => Some("Run `mcpwatch wrap` to put it right."),
        }
    }
}

impl<'a> Wrappings<'a> {
    /// Loads what our backups know.
    pub fn load(
        paths: &'a Paths,
        files: &'a dyn Files,
        variables: &'a BTreeMap<String, String>,
    ) -> Result<Self, StoreError> {
        let wraps = Wraps::of(paths);
        let known = wraps.all()?;
        Ok(Self { wraps, known, files, variables })
    }

    /// How an entry stands.
    pub fn standing(&self, entry: &Entry) -> Result<Standing, StoreError> {
        let known = self.known.get(&files::resolve(&entry.file));
        let Some(wrapped) = &entry.wrapped else {
            let was = known.is_some_and(|known| known.entries.contains(&entry.key_path));
            return Ok(if was { Standing::Undone } else { Standing::Plain });
        };
        let exe = std::path::Path::new(&wrapped.exe);
        let is_name = exe.components().count() == 1;
        if is_name && !self.is_on_path(exe) {
            return Ok(Standing::Unfound);
        }
        if !is_name && !self.files.exists(exe) {
            return Ok(Standing::Broken);
        }
        if wrap_reach::is_elsewhere(entry, self.variables) {
            return Ok(Standing::Elsewhere);
        }
        let edited = known.is_some() && self.original(entry)?.is_some_and(|launch| launch != entry.launch);
        Ok(if edited { Standing::Edited } else { Standing::Wrapped })
    }

    fn is_on_path(&self, exe: &std::path::Path) -> bool {
        let folders = self.variables.get("PATH").map(String::as_str).unwrap_or_default();
        std::env::split_paths(folders).any(|folder| {
            let file = folder.join(exe);
            self.files.exists(&file) || self.files.exists(&file.with_extension("exe"))
        })
    }

    /// The launch that the backup has for an entry.
    fn original(&self, entry: &Entry) -> Result<Option<Launch>, StoreError> {
        let Some((bytes, _)) = self.wraps.backup(&entry.file, b"")? else { return Ok(None) };
        let Ok(text) = crate::discover::decode(&bytes) else { return Ok(None) };
        let found = entry.client.parse(&entry.file, Scope::User, &text.text);
        let same = |path: &Path| *path == entry.key_path;
        Ok(found.entries.into_iter().find(|other| same(&other.key_path)).map(|other| other.launch))
    }
}
