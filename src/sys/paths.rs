//! Every directory and file of ours, for the three systems.
//!
//! Promises: `MCPWATCH_HOME` moves all of them; nothing is created here. The pure half
//! ([`Paths::of`]) takes the variables and the system as values, so that all three systems are tested
//! on any. [`Paths::account`] ignores the environment: it tells whether this account has a trust
//! store that somebody's environment would like to hide.

use super::files;
use crate::engine::json::{self, Object};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The variable that moves every directory of ours.
pub const HOME_VARIABLE: &str = "MCPWATCH_HOME";

/// The variables of a system that move directories of ours.
const VARIABLES: [&str; 4] = ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"];

/// The largest note of where our directories are.
const NOTE_LIMIT: u64 = 64 * 1024;

/// The systems we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Linux, and everything else that follows the XDG base directories.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// Our directories. Private ones are created by who writes to them (`files::private_dir`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// What a person edits: `config.toml`.
    pub config: PathBuf,
    /// What must last: the user's lock, the trust store, offers, backups of clients' files.
    pub data: PathBuf,
    /// What may be rebuilt, but should outlive a restart: the log, the daemon's state, advisory locks.
    pub state: PathBuf,
    /// What may be deleted at any time.
    pub cache: PathBuf,
    /// Sockets; gone after a restart.
    pub runtime: PathBuf,
    /// Floors that an administrator sets; owned by root, never moved by a variable.
    pub policy: PathBuf,
    /// Whether `MCPWATCH_HOME` moved them.
    pub is_moved: bool,
}

/// Why our directories cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathsError {
    /// Neither a variable nor the account database names a home folder.
    #[error("this account has no home folder")]
    NoHome,
    /// `MCPWATCH_HOME` is set, but not to an absolute path.
    #[error("{HOME_VARIABLE} is not an absolute path")]
    NotAbsolute,
}

/// The system's own directories, ours are folders in them.
struct Bases {
    config: PathBuf,
    data: PathBuf,
    state: Option<PathBuf>,
    cache: PathBuf,
    runtime: Option<PathBuf>,
}

impl PathsError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            PathsError::NoHome => format!("Set HOME, or {HOME_VARIABLE} to a folder of your own."),
            PathsError::NotAbsolute => format!("Set {HOME_VARIABLE} to a path from the root, or unset it."),
        }
    }
}

impl Os {
    /// The system this program was built for.
    pub fn current() -> Self {
        if cfg!(windows) {
            Os::Windows
        } else if cfg!(target_os = "macos") {
            Os::MacOs
        } else {
            Os::Linux
        }
    }
}

impl Paths {
    /// The directories of this process, as its environment has them.
    pub fn system() -> Result<Self, PathsError> {
        let os = Os::current();
        if let Some(home) = std::env::var_os(HOME_VARIABLE).filter(|home| !home.is_empty()) {
            return Self::moved(os, Path::new(&home));
        }
        let base = directories::BaseDirs::new().ok_or(PathsError::NoHome)?;
        let bases = Bases {
            config: base.config_dir().into(),
            data: base.data_local_dir().into(),
            state: base.state_dir().map(Into::into),
            cache: base.cache_dir().into(),
            runtime: base.runtime_dir().map(Into::into).or_else(runtime_folder),
        };
        let paths = Self::within(os, bases);
        Ok(Self::noted(&paths).unwrap_or(paths))
    }

    /// The directories that this account noted, for a process that was not given the variables which
    /// put them there: many clients hand on few. Only where nothing says otherwise.
    fn noted(paths: &Self) -> Option<Self> {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let account = Self::account().ok()?;
        let is_usual = account.data == paths.data && account.config == paths.config;
        if !cfg!(target_os = "linux") || !is_usual || VARIABLES.into_iter().any(is_set) {
            return None;
        }
        if account.trust_file().exists() {
            return None;
        }
        let note = files::read_private(&account.elsewhere_file(), NOTE_LIMIT).ok()??;
        let noted = Self::from_note(paths, &note)?;
        noted.trust_file().exists().then_some(noted)
    }

    /// The directories that a process of this account finds which was given none of the variables that
    /// move them.
    pub fn unmoved() -> Result<Self, PathsError> {
        let account = Self::account()?;
        if account.trust_file().exists() {
            return Ok(account);
        }
        let note = files::read_private(&account.elsewhere_file(), NOTE_LIMIT).ok().flatten();
        let noted = note.and_then(|note| Self::from_note(&account, &note));
        Ok(noted.filter(|noted| noted.trust_file().exists()).unwrap_or(account))
    }

    /// The directories of a note ([`Paths::note`]), in the place of those below the home folder.
    pub fn from_note(paths: &Self, note: &[u8]) -> Option<Self> {
        let note = json::parse(note).ok()?;
        let folder = |name: &str| {
            let folder = note.get(name)?.as_str()?;
            is_absolute(Os::Linux, folder).then(|| PathBuf::from(folder))
        };
        Some(Self {
            config: folder("config")?,
            data: folder("data")?,
            state: folder("state")?,
            cache: folder("cache")?,
            ..paths.clone()
        })
    }

    /// Where these directories are, for [`Paths::from_note`]; `None` if a path is no text.
    pub fn note(&self) -> Option<Object> {
        let folders =
            [("config", &self.config), ("data", &self.data), ("state", &self.state), ("cache", &self.cache)];
        let members = folders.into_iter().map(|(name, folder)| Some((name, folder.to_str()?)));
        members.collect::<Option<Vec<_>>>().map(Object::from_iter)
    }

    /// The note that stands where the trust store would be, if variables have put our directories
    /// elsewhere.
    pub fn elsewhere_file(&self) -> PathBuf {
        self.trust_dir().join("elsewhere.json")
    }

    /// The directories that this account has when no variable says otherwise.
    pub fn account() -> Result<Self, PathsError> {
        #[cfg(unix)]
        {
            let home = &user().ok_or(PathsError::NoHome)?.dir;
            let bases = Bases::below_home(Os::current(), home);
            Ok(Self::within(Os::current(), bases))
        }
        #[cfg(not(unix))]
        {
            // Known folders come from the account's profile, not from variables.
            let base = directories::BaseDirs::new().ok_or(PathsError::NoHome)?;
            let bases = Bases {
                config: base.config_dir().into(),
                data: base.data_local_dir().into(),
                state: None,
                cache: base.cache_dir().into(),
                runtime: None,
            };
            Ok(Self::within(Os::current(), bases))
        }
    }

    /// The directories for a system and a set of variables.
    pub fn of(os: Os, variables: &BTreeMap<String, String>) -> Result<Self, PathsError> {
        let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        if let Some(home) = set(HOME_VARIABLE) {
            return Self::moved(os, Path::new(home));
        }
        let home = set(if os == Os::Windows { "USERPROFILE" } else { "HOME" });
        let mut bases = Bases::below_home(os, Path::new(home.ok_or(PathsError::NoHome)?));
        let absolute = |name| set(name).filter(|value| is_absolute(os, value)).map(PathBuf::from);
        match os {
            Os::Linux => {
                bases.config = absolute("XDG_CONFIG_HOME").unwrap_or(bases.config);
                bases.data = absolute("XDG_DATA_HOME").unwrap_or(bases.data);
                bases.state = absolute("XDG_STATE_HOME").or(bases.state);
                bases.cache = absolute("XDG_CACHE_HOME").unwrap_or(bases.cache);
                bases.runtime = absolute("XDG_RUNTIME_DIR");
            }
            Os::MacOs => {}
            Os::Windows => {
                bases.config = absolute("APPDATA").unwrap_or(bases.config);
                bases.data = absolute("LOCALAPPDATA").unwrap_or(bases.data);
                bases.cache.clone_from(&bases.data);
            }
        }
        Ok(Self::within(os, bases))
    }

    /// The settings.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// A second policy beside the machine's, which can only tighten it; none unless `MCPWATCH_HOME` moved
    /// everything.
    pub fn own_policy(&self) -> Option<PathBuf> {
        self.is_moved.then(|| self.config.join("policy.toml"))
    }

    /// The lock of the servers that are configured for the user.
    pub fn user_lock(&self) -> PathBuf {
        self.data.join("mcp.lock")
    }

    /// The folder of the trust store; private.
    pub fn trust_dir(&self) -> PathBuf {
        self.data.join("trust")
    }

    /// The trust store.
    pub fn trust_file(&self) -> PathBuf {
        self.trust_dir().join("trust.json")
    }

    /// The note of where the log ends: apart from the log, and apart from files that are watched.
    pub fn log_note(&self) -> PathBuf {
        self.data.join("log-end").join("note.json")
    }

    /// The note of what the trust store was when we wrote it, in the same folder.
    pub fn trust_note(&self) -> PathBuf {
        self.data.join("log-end").join("trust.json")
    }

    /// What was seen and shown; private.
    pub fn offers_dir(&self) -> PathBuf {
        self.data.join("offers")
    }

    /// Backups of clients' files; private.
    pub fn wraps_dir(&self) -> PathBuf {
        self.data.join("wraps")
    }

    /// The log; private.
    pub fn log_dir(&self) -> PathBuf {
        self.state.join("log")
    }

    /// Advisory locks against a second mcpwatch; private.
    pub fn guards_dir(&self) -> PathBuf {
        self.state.join("guards")
    }

    fn moved(os: Os, home: &Path) -> Result<Self, PathsError> {
        if !home.to_str().map_or(home.is_absolute(), |home| is_absolute(os, home)) {
            return Err(PathsError::NotAbsolute);
        }
        Ok(Self {
            config: home.join("config"),
            data: home.join("data"),
            state: home.join("state"),
            cache: home.join("cache"),
            runtime: home.join("run"),
            policy: policy(os),
            is_moved: true,
        })
    }

    fn within(os: Os, bases: Bases) -> Self {
        let data = bases.data.join("mcpwatch");
        let state = bases.state.map_or_else(|| data.join("state"), |state| state.join("mcpwatch"));
        let cache = match os {
            Os::Windows => data.join("cache"),
            Os::Linux | Os::MacOs => bases.cache.join("mcpwatch"),
        };
        Self {
            config: bases.config.join("mcpwatch"),
            runtime: bases.runtime.map_or_else(|| state.join("run"), |runtime| runtime.join("mcpwatch")),
            policy: policy(os),
            is_moved: false,
            data,
            state,
            cache,
        }
    }
}

impl Bases {
    /// The places below a home folder, as they are when no variable moves them.
    fn below_home(os: Os, home: &Path) -> Self {
        match os {
            Os::Linux => Self {
                config: home.join(".config"),
                data: home.join(".local").join("share"),
                state: Some(home.join(".local").join("state")),
                cache: home.join(".cache"),
                runtime: None,
            },
            Os::MacOs => {
                let support = home.join("Library").join("Application Support");
                let cache = home.join("Library").join("Caches");
                Self { config: support.clone(), data: support, state: None, cache, runtime: None }
            }
            Os::Windows => {
                let data = home.join("AppData");
                let local = data.join("Local");
                let cache = local.clone();
                Self { config: data.join("Roaming"), data: local, state: None, cache, runtime: None }
            }
        }
    }
}

/// This account in the system's database, which is asked until it knows it: a network may be behind it.
#[cfg(unix)]
pub fn user() -> Option<&'static nix::unistd::User> {
    static USER: std::sync::OnceLock<nix::unistd::User> = std::sync::OnceLock::new();
    if let Some(user) = USER.get() {
        return Some(user);
    }
    let found = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten()?;
    Some(USER.get_or_init(|| found))
}

/// The account's folder for sockets where no variable names it: the one that a login makes.
#[cfg(target_os = "linux")]
fn runtime_folder() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let user = nix::unistd::geteuid().as_raw();
    let folder = PathBuf::from(format!("/run/user/{user}"));
    let found = std::fs::symlink_metadata(&folder).ok()?;
    (found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0).then_some(folder)
}

#[cfg(not(target_os = "linux"))]
fn runtime_folder() -> Option<PathBuf> {
    None
}

fn policy(os: Os) -> PathBuf {
    match os {
        Os::Linux | Os::MacOs => PathBuf::from("/etc/mcpwatch/policy.toml"),
        Os::Windows => PathBuf::from("C:\\ProgramData\\mcpwatch\\policy.toml"),
    }
}

/// Whether a path starts at a root of that system, whatever system this is.
fn is_absolute(os: Os, path: &str) -> bool {
    let bytes = path.as_bytes();
    match os {
        Os::Linux | Os::MacOs => path.starts_with('/'),
        Os::Windows => {
            let drive = bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
            drive && matches!(bytes[2], b'\\' | b'/') || path.starts_with("\\\\")
        }
    }
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
