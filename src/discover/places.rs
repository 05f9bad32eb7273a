//! Where a system keeps configurations, as values: nothing here asks the machine.
//!
//! Promises: the paths of all three systems can be computed, and so tested, on any of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The operating systems that clients differ by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Linux and whatever else follows XDG.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// The folders and variables that paths of clients are made of.
#[derive(Clone, Debug)]
pub struct Places {
    /// The system.
    pub os: Os,
    /// The user's home folder, as clients see it.
    pub home: PathBuf,
    /// The environment, from which clients take folders of their own (`CODEX_HOME`, …).
    pub vars: BTreeMap<String, String>,
}

impl Os {
    /// The system this was compiled for.
    pub fn this() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

impl Places {
    /// Places of a system with nothing set but the home folder.
    pub fn new(os: Os, home: impl Into<PathBuf>) -> Self {
        Self { os, home: home.into(), vars: BTreeMap::new() }
    }

    /// A variable that is set and not empty. On Windows names are compared without case.
    pub fn var(&self, name: &str) -> Option<&str> {
        lookup(&self.vars, self.os, name).filter(|value| !value.is_empty())
    }

    /// A folder from a variable, if it is set and absolute.
    pub fn folder_of(&self, name: &str) -> Option<PathBuf> {
        let folder = PathBuf::from(self.var(name)?);
        (folder.is_absolute() || folder.has_root()).then_some(folder)
    }

    /// A path below the home folder, written with `/`.
    pub fn home(&self, below: &str) -> PathBuf {
        join(&self.home, below)
    }

    /// A path below the folder for XDG configurations: `$XDG_CONFIG_HOME` or `~/.config`, on every system.
    pub fn xdg_config(&self, below: &str) -> PathBuf {
        join(&self.folder_of("XDG_CONFIG_HOME").unwrap_or_else(|| self.home(".config")), below)
    }

    /// A path below the folder where the system's applications keep configurations: `~/.config`,
    /// `~/Library/Application Support`, `%APPDATA%`.
    pub fn config(&self, below: &str) -> PathBuf {
        match self.os {
            Os::Linux => self.xdg_config(below),
            Os::MacOs => join(&self.home("Library/Application Support"), below),
            Os::Windows => self.appdata(below),
        }
    }

    /// A path below `%APPDATA%`.
    pub fn appdata(&self, below: &str) -> PathBuf {
        join(&self.folder_of("APPDATA").unwrap_or_else(|| self.home("AppData/Roaming")), below)
    }

    /// A path below `%LOCALAPPDATA%`.
    pub fn local_appdata(&self, below: &str) -> PathBuf {
        join(&self.folder_of("LOCALAPPDATA").unwrap_or_else(|| self.home("AppData/Local")), below)
    }

    /// A path of the machine's administrator: one for each system, each below its usual folder
    /// (`/etc`, `/Library/Application Support`, `%ProgramData%`).
    pub fn machine(&self, linux: &str, mac_os: &str, windows: &str) -> PathBuf {
        match self.os {
            Os::Linux => join(Path::new("/etc"), linux),
            Os::MacOs => join(Path::new("/Library/Application Support"), mac_os),
            Os::Windows => {
                let data = self.folder_of("ProgramData").unwrap_or_else(|| PathBuf::from("C:\\ProgramData"));
                join(&data, windows)
            }
        }
    }

    /// Whether two paths name the same folder, by their text alone.
    pub fn same(&self, one: &str, other: &str) -> bool {
        let plain = |path: &str| {
            let slashes = if self.os == Os::Windows { path.replace('\\', "/") } else { path.to_owned() };
            let trimmed = slashes.trim_end_matches('/').to_owned();
            if self.os == Os::Windows { trimmed.to_lowercase() } else { trimmed }
        };
        plain(one) == plain(other)
    }
}

/// Looks up a variable as the system does: Windows ignores the case of names.
pub(super) fn lookup<'a>(vars: &'a BTreeMap<String, String>, os: Os, name: &str) -> Option<&'a str> {
    let found = vars.get(name).or_else(|| {
        let alike = || vars.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        if os == Os::Windows { alike() } else { None }
    });
    found.map(String::as_str)
}

/// Joins a path written with `/`, so that Windows shows its own separators.
pub(super) fn join(base: &Path, below: &str) -> PathBuf {
    below.split('/').filter(|part| !part.is_empty()).fold(base.to_owned(), |path, part| path.join(part))
}
