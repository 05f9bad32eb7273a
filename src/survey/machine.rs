//! This machine's values for placeholders, and the other surroundings of a second reading.
//!
//! Promises: home, user and shell come from the account database, so that no entry's `HOME` has a
//! say. A second reading happens with another home, working folder, time zone and, where libfaketime is
//! installed, date, while the package managers' caches stay where they are: nothing is downloaded twice.

use super::clock::Moved;
use crate::engine::placeholder::{Machine, Name};
#[cfg(unix)]
use crate::sys::paths;
use crate::sys::program::spelled;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The time zone of a second reading: far from most, without daylight saving.
const OTHER_ZONE: &str = "Pacific/Kiritimati";

/// The account that a second reading pretends to be; its home folder is called the same, since servers
/// take a user's name from either.
const OTHER_USER: &str = "mcpwatch-probe";

/// Surroundings of a second reading; the folders are gone when this is dropped.
pub struct Elsewhere {
    _folder: tempfile::TempDir,
    home: PathBuf,
    cwd: PathBuf,
    clock: Option<Moved>,
}

/// Now, in Unix milliseconds.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The values of this account alone, for launches: what holds wherever a server is started.
pub fn account() -> Machine {
    own_account().into_iter().fold(Machine::new(now()), |machine, (name, value)| machine.with(name, value))
}

/// This machine's values for a server that runs in `cwd` with its own files in `app`.
pub fn here(cwd: &Path, app: &[PathBuf]) -> Machine {
    let mut machine = common(Machine::new(now()), app);
    for (name, value) in own_account() {
        machine = machine.with(name, value);
    }
    for cwd in both_spellings(cwd) {
        machine = machine.with(Name::Cwd, cwd);
    }
    for folder in both_spellings(&std::env::temp_dir()) {
        machine = machine.with(Name::Tmp, folder);
    }
    for zone in zones() {
        machine = machine.with(Name::Tz, zone);
    }
    machine
}

impl Elsewhere {
    /// Makes empty folders to be home and working folder.
    pub fn new() -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("mcpwatch-").tempdir()?;
        let base = PathBuf::from(spelled(&folder.path().canonicalize()?));
        let (home, cwd) = (base.join(OTHER_USER), base.join("work"));
        std::fs::create_dir(&home)?;
        std::fs::create_dir(&cwd)?;
        Ok(Self { _folder: folder, home, cwd, clock: Moved::find() })
    }

    /// Whether the date is another one there.
    pub fn moves_date(&self) -> bool {
        self.clock.is_some()
    }

    /// The same place on the same day as here.
    pub fn today(&mut self) {
        self.clock = None;
    }

    /// The working folder.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// The variables that move a server there, given those it has now. Caches stay.
    pub fn env(&self, current: &dyn Fn(&str) -> Option<OsString>) -> BTreeMap<OsString, Option<OsString>> {
        let mut env: BTreeMap<OsString, Option<OsString>> = BTreeMap::new();
        let home = current(HOME).map(PathBuf::from);
        // Most caches of Windows are in another folder than the home, which does not move.
        let (caches, there) = if cfg!(windows) { (&[][..], &CACHES[..]) } else { (&CACHES[..], &[][..]) };
        for (name, below) in caches {
            let kept = current(name).or_else(|| Some(home.as_ref()?.join(below).into_os_string()));
            env.insert((*name).into(), kept);
        }
        for (name, below) in there.iter().chain(&TOOLCHAINS) {
            let there = home.as_ref().map(|home| home.join(below)).filter(|folder| folder.exists());
            if let Some(kept) = current(name).or_else(|| there.map(PathBuf::into_os_string)) {
                env.insert((*name).into(), Some(kept));
            }
        }
        for name in ["HOME", "USERPROFILE"] {
            env.insert(name.into(), Some(self.home.clone().into_os_string()));
        }
        for name in ["USER", "LOGNAME", "USERNAME"] {
            env.insert(name.into(), Some(OTHER_USER.into()));
        }
        env.insert("PWD".into(), Some(self.cwd.clone().into_os_string()));
        env.insert("TZ".into(), Some(OTHER_ZONE.into()));
        if let Some(clock) = &self.clock {
            clock.set(&mut env, current);
        }
        env
    }

    /// The values of the machine as it looks from there. What a server asks the account database for
    /// stays as it is here.
    pub fn machine(&self, app: &[PathBuf]) -> Machine {
        let now = if self.moves_date() { Moved::at(now()) } else { now() };
        let mut machine = common(Machine::new(now), app)
            .with(Name::Home, self.home.to_string_lossy())
            .with(Name::Cwd, self.cwd.to_string_lossy())
            .with(Name::User, OTHER_USER)
            .with(Name::Tz, OTHER_ZONE);
        for (name, value) in own_account() {
            machine = machine.with(name, value);
        }
        for folder in both_spellings(&std::env::temp_dir()) {
            machine = machine.with(Name::Tmp, folder);
        }
        machine
    }
}

/// The variable that holds the home folder.
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// Where package managers and toolchains keep what they fetched, below the home folder.
const CACHES: [(&str, &str); 10] = [
    ("npm_config_cache", ".npm"),
    ("UV_CACHE_DIR", ".cache/uv"),
    ("UV_TOOL_DIR", ".local/share/uv/tools"),
    ("UV_PYTHON_INSTALL_DIR", ".local/share/uv/python"),
    ("PIPX_HOME", ".local/share/pipx"),
    ("PIP_CACHE_DIR", ".cache/pip"),
    ("BUN_INSTALL", ".bun"),
    ("DENO_DIR", ".cache/deno"),
    ("CARGO_HOME", ".cargo"),
    ("RUSTUP_HOME", ".rustup"),
];

/// Settings and toolchains below the home folder, kept where they are there.
const TOOLCHAINS: [(&str, &str); 7] = [
    ("npm_config_userconfig", ".npmrc"),
    ("PYTHONUSERBASE", ".local"),
    ("PYENV_ROOT", ".pyenv"),
    ("NVM_DIR", ".nvm"),
    ("VOLTA_HOME", ".volta"),
    ("ASDF_DATA_DIR", ".asdf"),
    ("MISE_DATA_DIR", ".local/share/mise"),
];

/// The account's home folder.
pub fn home() -> Option<PathBuf> {
    let home = own_account().into_iter().find(|(name, _)| *name == Name::Home);
    home.map(|(_, home)| PathBuf::from(home))
}

fn common(mut machine: Machine, app: &[PathBuf]) -> Machine {
    for folder in app {
        for folder in both_spellings(folder) {
            machine = machine.with(Name::App, folder);
        }
    }
    for host in hosts() {
        machine = machine.with(Name::Host, host);
    }
    machine
}

#[cfg(unix)]
fn own_account() -> Vec<(Name, String)> {
    let Some(user) = paths::user() else { return Vec::new() };
    let homes = both_spellings(&user.dir).into_iter().map(|home| (Name::Home, home));
    let shell = (Name::Shell, user.shell.to_string_lossy().into_owned());
    homes.chain([(Name::User, user.name.clone()), shell]).collect()
}

#[cfg(not(unix))]
fn own_account() -> Vec<(Name, String)> {
    // The profile folder comes from the account, not from variables; its last part names the user.
    let Some(dirs) = directories::BaseDirs::new() else { return Vec::new() };
    let home = dirs.home_dir();
    let user = home.file_name().map(|name| (Name::User, name.to_string_lossy().into_owned()));
    [(Name::Home, home.to_string_lossy().into_owned())].into_iter().chain(user).collect()
}

#[cfg(unix)]
fn hosts() -> Vec<String> {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let Some(name) = name else { return Vec::new() };
    let short = name.split('.').next().unwrap_or_default().to_owned();
    if short == name { vec![name] } else { vec![name, short] }
}

#[cfg(not(unix))]
fn hosts() -> Vec<String> {
    std::env::var("COMPUTERNAME").into_iter().collect()
}

/// The names of the time zone: one zone has several (`UTC`, `Etc/UTC`), and programs ask in different
/// places. On Windows a zone has no such name.
fn zones() -> Vec<String> {
    let variable = std::env::var("TZ").ok().map(|zone| zone.trim_start_matches(':').to_owned());
    let file = std::fs::read_to_string("/etc/timezone").ok().map(|text| text.trim().to_owned());
    let of_link = |link: PathBuf| {
        let link = link.to_string_lossy().into_owned();
        link.split_once("zoneinfo/").map(|(_, zone)| zone.to_owned())
    };
    let link = std::fs::read_link("/etc/localtime").ok().and_then(of_link);
    let own = jiff::tz::TimeZone::system().iana_name().map(str::to_owned);
    let short = |zone: &String| zone.strip_prefix("Etc/").map(str::to_owned);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    let named = |zone: &String| {
        !zone.is_empty() && zone.starts_with(|c: char| c.is_ascii_alphabetic()) && zone.chars().all(plain)
    };
    let mut zones: Vec<String> = [variable, file, link, own].into_iter().flatten().filter(named).collect();
    let shorter: Vec<String> = zones.iter().filter_map(short).collect();
    zones.extend(shorter);
    zones
}

/// A path as it is written and as the system resolves it, each once.
fn both_spellings(path: &Path) -> Vec<String> {
    let mut spellings = vec![path.to_string_lossy().into_owned()];
    if let Ok(resolved) = path.canonicalize() {
        let resolved = spelled(&resolved);
        if resolved != spellings[0] {
            spellings.push(resolved);
        }
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::{Elsewhere, HOME, here};
    use crate::engine::placeholder::Name;
    use std::ffi::OsString;
    use std::path::Path;

    #[test]
    fn a_second_reading_is_elsewhere_but_keeps_the_caches() {
        let elsewhere = Elsewhere::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".cargo")).unwrap();
        let mine = folder.path().to_str().unwrap();
        let current = |name: &str| match name {
            HOME => Some(OsString::from(mine)),
            "UV_CACHE_DIR" => Some(OsString::from("/data/uv")),
            _ => None,
        };
        let env = elsewhere.env(&current);
        let value = |name: &str| env[&OsString::from(name)].clone().unwrap().into_string().unwrap();
        assert_eq!(value("UV_CACHE_DIR"), "/data/uv");
        assert_eq!(value("CARGO_HOME"), folder.path().join(".cargo").to_str().unwrap());
        if cfg!(not(windows)) {
            assert_eq!(value("npm_config_cache"), folder.path().join(".npm").to_str().unwrap());
        }
        assert_ne!(value(HOME), mine);
        // Shells of Windows take no other spelling for a working folder.
        assert!(!value(HOME).starts_with(r"\\") && !elsewhere.cwd().starts_with(r"\\"), "{}", value(HOME));
        let (a, b) = (here(Path::new("/work"), &[]), elsewhere.machine(&[]));
        assert_ne!(a.values(Name::Home), b.values(Name::Home));
        assert_eq!(a.values(Name::User).first(), b.values(Name::User).get(1));
        assert_eq!(value("USER"), "mcpwatch-probe");
    }
}
