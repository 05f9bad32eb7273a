//! What the gate may let pass: from lock, trust store, settings and launch to one [`Approval`].
//!
//! Promises: a lock is obeyed only if this person trusts exactly its bytes on this machine, or says
//! `--trust-lock` where that is allowed; what loosens the gate in `config.toml` holds only once it was
//! accepted; whatever cannot be read, is not trusted or does not match closes the gate, with a reason
//! in our own words: text of a lock or a server never stands in it.

use super::expanded::is_expanded;
use crate::engine::gate::{Approval, Approved, Limits, Mode};
use crate::engine::launchpin::{self, Artifact, CommandLaunch, Launch, LaunchPin};
use crate::engine::lockfile::ServerPin;
use crate::engine::placeholder::{Machine, Name};
use crate::engine::settings::{self, Settings};
use crate::launch::{self, Platform, Resolved};
use crate::store::trust::{self, Denied, Moment, Standing, Subject, Trust};
use crate::store::{StoreError, locks};
use crate::survey::{judge, machine, target};
use crate::sys::files;
use crate::sys::paths::{Paths, PathsError};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The largest `config.toml`.
const SETTINGS_LIMIT: u64 = 1 << 20;

/// The name under which loosened settings are accepted in the trust store.
pub const SETTINGS: &str = "settings";

/// What `run` was asked to do.
#[derive(Clone)]
pub struct Asked {
    /// The server's name in its lock.
    pub server: String,
    /// The lock; the user's own if none is given.
    pub lock: Option<PathBuf>,
    /// Whether the lock is to be trusted as it is.
    pub trust_lock: bool,
    /// What to start, as the client has it.
    pub launch: Launch,
}

/// Why the gate could not stand up at all.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// Our directories cannot be told.
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// The system said no.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// No random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoRandom(String),
}

/// Where everything stands that a gate depends on.
pub struct Pins {
    asked: Asked,
    paths: Paths,
    cwd: PathBuf,
    /// The name of this session, for approvals that last for one.
    session: String,
    /// What the launch as it stands runs, looked up once before anything is started.
    before: OnceLock<Resolved>,
}

/// What was found there.
pub struct Loaded {
    /// What the gate may let pass.
    pub approval: Approval,
    /// Whether it holds back.
    pub mode: Mode,
    /// Its times and sizes.
    pub limits: Limits,
    /// The largest message.
    pub message: usize,
    /// Whether the server may be started.
    pub may_start: bool,
}

/// Whether what runs is what is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Runs {
    /// It is, or nothing is pinned of it.
    AsPinned,
    /// It cannot be seen before it was started.
    Unseen,
    /// It is something else.
    Otherwise,
}

impl ProxyError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            ProxyError::Paths(error) => error.hint(),
            ProxyError::System { .. } | ProxyError::NoRandom(_) => {
                "Try again; if it stays, report it with the message.".to_owned()
            }
        }
    }
}

impl Pins {
    /// The pins of a run, in the folder it was started in.
    pub fn new(asked: Asked, session: String) -> Result<Self, ProxyError> {
        let paths = Paths::system()?;
        let cwd = std::env::current_dir()
            .map_err(|source| ProxyError::System { what: "the working folder cannot be told", source })?;
        Ok(Self { asked, paths, cwd, session, before: OnceLock::new() })
    }

    /// Our directories.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The lock that governs.
    pub fn lock(&self) -> PathBuf {
        self.asked.lock.clone().unwrap_or_else(|| self.paths.user_lock())
    }

    /// The files whose changes matter.
    pub fn files(&self) -> [PathBuf; 3] {
        [files::resolve(&self.lock()), self.paths.trust_file(), self.paths.config_file()]
    }

    /// The values that placeholders stand for here.
    pub fn machine(&self) -> Machine {
        machine::here(&self.cwd, &self.before().folders)
    }

    /// Reads everything anew.
    pub fn load(&self) -> Loaded {
        let closed = |why: &str| Loaded {
            approval: Approval::Closed(why.to_owned()),
            mode: Mode::Enforce,
            limits: Settings::default().gate_limits(""),
            message: crate::engine::frame::LIMIT,
            may_start: false,
        };
        let trust = match trust::load(&self.paths) {
            Ok(trust) => trust,
            Err(_) => return closed(TRUST_UNREADABLE),
        };
        let settings = match self.settings(trust.as_ref()) {
            Ok(settings) => settings,
            Err(why) => return closed(why),
        };
        let name = &self.asked.server;
        let loaded = |approval: Approval, may_start: bool| Loaded {
            approval,
            mode: settings.server(name).mode,
            limits: settings.gate_limits(name),
            message: usize::try_from(settings.limits.message).unwrap_or(usize::MAX),
            may_start,
        };
        match self.pinned(trust.as_ref()) {
            Err(why) => loaded(Approval::Closed(why.to_owned()), false),
            Ok(None) => loaded(Approval::Nobody, true),
            Ok(Some(approved)) => loaded(Approval::Pinned(Arc::new(approved)), true),
        }
    }

    /// What to start: the launch as it stands, a floating package at its pinned version.
    pub fn start(&self, approval: &Approval) -> Launch {
        let Launch::Command(launch) = &self.asked.launch else { return self.asked.launch.clone() };
        let Some(artifact) = pinned_artifact(approval) else { return self.asked.launch.clone() };
        Launch::Command(launch::pinned_launch(launch, artifact))
    }

    /// Compares what a launch will run with what is pinned of it.
    pub fn will_run(&self, launch: &Launch, approval: &Approval) -> Runs {
        if *launch == self.asked.launch {
            return compare(pinned_artifact(approval), || self.before().artifact.clone());
        }
        self.runs(launch, approval)
    }

    /// Compares what a launch runs now with what is pinned of it.
    pub fn runs(&self, launch: &Launch, approval: &Approval) -> Runs {
        compare(pinned_artifact(approval), || target::artifact(launch, &self.cwd).artifact)
    }

    fn before(&self) -> &Resolved {
        self.before.get_or_init(|| target::artifact(&self.asked.launch, &self.cwd))
    }

    fn settings(&self, trust: Option<&Trust>) -> Result<Settings, &'static str> {
        let bytes =
            files::read(&self.paths.config_file(), SETTINGS_LIMIT).map_err(|_| SETTINGS_UNREADABLE)?;
        let Some(bytes) = bytes else { return Ok(Settings::default()) };
        let text = String::from_utf8(bytes).map_err(|_| SETTINGS_UNREADABLE)?;
        let settings = settings::parse(&text).map_err(|_| SETTINGS_UNREADABLE)?;
        let accepted = trust.and_then(|trust| trust.accepted(SETTINGS));
        match settings.weakened_digest() {
            None => Ok(settings),
            Some(digest) if accepted == Some(digest) => Ok(settings),
            Some(_) => Ok(settings.hardened()),
        }
    }

    /// What is approved; `None` if nobody ever approved this server.
    fn pinned(&self, trust: Option<&Trust>) -> Result<Option<Approved>, &'static str> {
        let path = self.lock();
        if !self.may_obey().unwrap_or(false) {
            return Err(BROUGHT);
        }
        let loaded = locks::load_standing(&path, trust).map_err(|_| LOCK_UNREADABLE)?;
        let Some((loaded, standing)) = loaded else { return Ok(None) };
        match standing {
            Standing::Trusted => {}
            Standing::Changed { .. } | Standing::Never if self.asked.trust_lock => {}
            Standing::Changed { .. } => return Err(LOCK_CHANGED),
            Standing::Never => return Err(LOCK_NOT_TRUSTED),
        }
        let name = &self.asked.server;
        let mut rejected = BTreeSet::new();
        let mut lockfile = loaded.lockfile;
        if let Some(trust) = trust {
            lockfile = self.effective(trust, &loaded.path, lockfile);
            for denial in trust.denials().iter().filter(|denial| denial.server == *name) {
                match &denial.subject {
                    Subject::Item(key) => {
                        rejected.insert((key.clone(), denial.digest));
                    }
                    // A launch or an artifact that is turned down is compared below.
                    Subject::Launch | Subject::Artifact(_) => {}
                }
            }
        }
        let Some(pin) = lockfile.servers.remove(name) else {
            let was_revoked = trust.is_some_and(|trust| {
                trust.denials().iter().any(|denial| denial.server == *name && denial.how == Denied::Revoked)
            });
            return if was_revoked { Err(REVOKED) } else { Ok(None) };
        };
        self.check_launch(&pin, &loaded.path)?;
        Ok(Some(Approved { pin, rejected, revoked: BTreeSet::new() }))
    }

    /// Whether this trust store, and with `--trust-lock` this lock, is one that may be obeyed: neither
    /// comes with a repository where this person has a store of their own.
    fn may_obey(&self) -> Result<bool, StoreError> {
        // An account that the system does not know has no store of its own.
        let Ok(account) = Paths::account() else { return Ok(true) };
        let brought = self.asked.trust_lock && !trust::may_be_brought(&account)?;
        Ok(!brought && trust::is_obeyed(&self.paths, &account)?)
    }

    /// The lock as it counts now, with what was approved for this session or until a date.
    fn effective(
        &self,
        trust: &Trust,
        path: &Path,
        lockfile: crate::engine::lockfile::Lockfile,
    ) -> crate::engine::lockfile::Lockfile {
        if trust.grants().is_empty() && trust.denials().is_empty() {
            return lockfile;
        }
        let today = jiff::Zoned::now().date().to_string();
        let moment = Moment { today: &today, session: Some(&self.session) };
        trust.effective(path, lockfile, &moment)
    }

    /// Whether what the client starts is what is pinned. Masked values are not compared here: the client
    /// has filled in what its file only names, and `check` and the daemon read the file itself.
    fn check_launch(&self, pin: &ServerPin, lock: &Path) -> Result<(), &'static str> {
        let launch = self.as_configured(&pin.launch);
        let account = machine::account();
        let folders = [lock.parent(), Some(&self.cwd)];
        let here = folders.into_iter().flatten();
        let machines = here.map(|folder| account.clone().with(Name::Cwd, folder.to_string_lossy()));
        let is_pinned = |machine: Machine| is_expanded(&pin.launch, &launchpin::pin(&launch, &machine));
        if std::iter::once(account.clone()).chain(machines).any(is_pinned) {
            Ok(())
        } else {
            Err(LAUNCH_CHANGED)
        }
    }

    /// The launch as the client's file has it. The client gave us its variables with everybody else's,
    /// so those that are pinned are taken from ours; its working folder is ours.
    fn as_configured(&self, pinned: &LaunchPin) -> Launch {
        let (Launch::Command(launch), LaunchPin::Command { env, cwd, .. }) = (&self.asked.launch, pinned)
        else {
            return self.asked.launch.clone();
        };
        let variable = |name: &String| Some((name.clone(), std::env::var(name).ok()?));
        Launch::Command(CommandLaunch {
            env: env.keys().filter_map(variable).collect(),
            cwd: cwd.as_ref().map(|cwd| {
                // One that is relative to the client's own folder cannot be told from ours.
                let is_whole = Path::new(cwd).is_absolute() || cwd.contains('$');
                if is_whole { self.cwd.to_string_lossy().into_owned() } else { cwd.clone() }
            }),
            ..launch.clone()
        })
    }
}

fn compare(pinned: Option<&Artifact>, now: impl FnOnce() -> Artifact) -> Runs {
    let Some(pinned) = pinned else { return Runs::AsPinned };
    if matches!(pinned, Artifact::Remote | Artifact::Unknown(_)) {
        return Runs::AsPinned;
    }
    let now = now();
    if matches!(now, Artifact::Unknown(_)) {
        return Runs::Unseen;
    }
    let changes = launchpin::compare_artifacts(pinned, &now);
    if changes.iter().any(judge::decides) { Runs::Otherwise } else { Runs::AsPinned }
}

fn pinned_artifact(approval: &Approval) -> Option<&Artifact> {
    match approval {
        Approval::Pinned(approved) => {
            let artifacts = &approved.pin.artifacts;
            artifacts.get(&Platform::current().key()).or_else(|| artifacts.get(launch::ANY_PLATFORM))
        }
        Approval::Nobody | Approval::Closed(_) => None,
    }
}

const TRUST_UNREADABLE: &str =
    "mcpwatch's trust store on this machine cannot be read. `mcpwatch status` says why.";
const SETTINGS_UNREADABLE: &str = "mcpwatch's config.toml cannot be read. `mcpwatch status` says where.";
const LOCK_UNREADABLE: &str = "its lockfile cannot be read. `mcpwatch check` says where.";
const LOCK_CHANGED: &str = "its lockfile changed since the user accepted it. The user can look at what changed with `mcpwatch trust`.";
const LOCK_NOT_TRUSTED: &str =
    "its lockfile was never accepted on this machine. The user can look at it with `mcpwatch trust`.";
const LAUNCH_CHANGED: &str =
    "the client starts something else than what was approved. The user can look at it with `mcpwatch check`.";
const REVOKED: &str = "the user took back its approval.";
const BROUGHT: &str = "this environment brings its own trust, which this account does not allow.";

/// What runs is not what is pinned.
pub const ARTIFACT_CHANGED: &str = "what it runs is not what was approved, so it was not let through. The user can look at it with `mcpwatch check`.";
