//! What the gate may let pass: from lock, trust store, settings and launch to one [`Approval`].
//!
//! Promises: a lock is obeyed only if this person trusts exactly its bytes on this machine, or says
//! `--trust-lock` where that is allowed; what loosens the gate in `config.toml` holds only once it was
//! accepted; whatever cannot be read, is not trusted or does not match closes the gate, with a reason
//! in our own words: text of a lock or a server never stands in it.

mod lock;
mod runs;

pub use runs::{ARTIFACT_CHANGED, ARTIFACT_UNSEEN, Runs, is_one_file};

use super::expanded::is_expanded;
use crate::engine::approval::Lifetime;
use crate::engine::gate::{Approval, Approved, Limits, Mode};
use crate::engine::launchpin::{self, CommandLaunch, Launch, LaunchPin};
use crate::engine::lockfile::{Part, ServerPin};
use crate::engine::placeholder::{Machine, Name};
use crate::engine::settings::Settings;
use crate::engine::settings::policy::Policy;
use crate::launch::{Digests, Resolved};
use crate::store::StoreError;
use crate::store::trust::{self, Grant, Trust};
use crate::survey::settings::{self, InForce};
use crate::survey::{SurveyError, machine, values};
use crate::sys::files;
use crate::sys::paths::{Paths, PathsError};
use lock::{Ground, Rest, Seen};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

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
    /// What was read for that, until it was compared again.
    digests: Digests,
    /// What was read last, and from what.
    known: Mutex<Option<(Ground, Arc<Approved>)>>,
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
    /// Whether the log keeps the arguments of calls.
    pub log_contents: bool,
    /// Whether the server may be started.
    pub may_start: bool,
    /// How long this holds at most, because an approval ends with the day.
    pub ends_in: Option<Duration>,
    /// What is left to be read of the lock, if something is: until then no item is approved.
    rest: Option<Rest>,
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
    pub fn new(mut asked: Asked, session: String) -> Result<Self, ProxyError> {
        let paths = Paths::system()?;
        let cwd = std::env::current_dir()
            .map_err(|source| ProxyError::System { what: "the working folder cannot be told", source })?;
        // A project's shared file names its lock from the project's folder.
        asked.lock = asked.lock.map(|lock| cwd.join(lock));
        Ok(Self {
            asked,
            paths,
            cwd,
            session,
            before: OnceLock::new(),
            digests: Digests::default(),
            known: Mutex::new(None),
        })
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
    pub fn files(&self) -> Vec<PathBuf> {
        let own = self.paths.own_policy();
        let ours = [self.paths.trust_file(), self.paths.config_file(), self.paths.policy.clone()];
        [files::resolve(&self.lock())].into_iter().chain(ours).chain(own).collect()
    }

    /// The values that placeholders stand for here.
    pub fn machine(&self) -> Machine {
        machine::here(&self.cwd, &self.before().folders)
    }

    /// Reads everything anew.
    pub fn load(&self) -> Loaded {
        self.read(Part::Whole)
    }

    /// Reads what a start is compared with; what it approves is for [`Pins::complete`] to read, while the
    /// server comes up.
    pub fn load_start(&self) -> Loaded {
        match &self.asked.launch {
            Launch::Command(_) => self.read(Part::Start),
            // Nothing comes up, and what is sent to it depends on its items.
            Launch::Url(_) => self.read(Part::Whole),
        }
    }

    fn read(&self, part: Part) -> Loaded {
        let closed = |why: &str| Loaded {
            approval: Approval::Closed(why.to_owned()),
            mode: Mode::Enforce,
            limits: Settings::default().gate_limits(""),
            message: crate::engine::frame::LIMIT,
            log_contents: false,
            may_start: false,
            ends_in: None,
            rest: None,
        };
        let mut trust = match trust::load(&self.paths) {
            Ok(trust) => trust,
            Err(_) => return closed(TRUST_UNREADABLE),
        };
        let InForce { settings, policy, .. } = match settings::in_force(&self.paths, trust.as_ref()) {
            Ok(in_force) => in_force,
            Err(SurveyError::Policy(_)) => return closed(POLICY_UNREADABLE),
            Err(_) => return closed(SETTINGS_UNREADABLE),
        };
        let session = self.claim(&mut trust).map(str::to_owned);
        let name = &self.asked.server;
        let ends_in = trust.as_ref().and_then(|trust| self.ends_in(trust));
        let loaded = |approval: Approval, may_start: bool, rest: Option<Rest>| Loaded {
            approval,
            mode: settings.server(name).mode,
            limits: settings.gate_limits(name),
            message: usize::try_from(settings.limits.message).unwrap_or(usize::MAX),
            log_contents: settings.server(name).log_contents,
            may_start,
            ends_in,
            rest,
        };
        let seen = Seen { trust, session, policy };
        match self.approved(seen, part) {
            Err(why) => loaded(Approval::Closed(why.to_owned()), false, None),
            Ok(None) => loaded(Approval::Nobody, true, None),
            Ok(Some((approved, rest))) => loaded(Approval::Pinned(approved), true, rest),
        }
    }

    /// Takes up the approvals for one session that nobody uses yet; without that none of them counts,
    /// or each would be good for any number of sessions.
    fn claim(&self, trust: &mut Option<Trust>) -> Option<&str> {
        let is_free =
            |grant: &Grant| grant.lifetime == Lifetime::Once && grant.session.is_none() && self.is_own(grant);
        if trust.as_ref().is_some_and(|trust| trust.grants().iter().any(is_free)) {
            let lock = files::resolve(&self.lock());
            let claim = |stored: &mut Trust| {
                stored.claim(&lock, &self.asked.server, &self.session);
                stored.clone()
            };
            *trust = Some(trust::update(&self.paths, claim).ok()?);
        }
        Some(&self.session)
    }

    /// The time to the end of the day, if an approval may end with it.
    fn ends_in(&self, trust: &Trust) -> Option<Duration> {
        let ends = |grant: &Grant| matches!(grant.lifetime, Lifetime::Until(_)) && self.is_own(grant);
        if !trust.grants().iter().any(ends) {
            return None;
        }
        let now = jiff::Zoned::now();
        let midnight = now.tomorrow().ok()?.start_of_day().ok()?;
        Duration::try_from(now.until(&midnight).ok()?.to_duration(&now).ok()?).ok()
    }

    fn is_own(&self, grant: &Grant) -> bool {
        grant.server == self.asked.server && grant.lock == files::resolve(&self.lock())
    }

    /// Whether this trust store, and with `--trust-lock` this lock, is one that may be obeyed: neither
    /// comes with a repository where this person has a store of their own, or a policy refuses it.
    fn may_obey(&self, policy: &Policy) -> Result<bool, StoreError> {
        // An account that the system does not know has no store of its own.
        let Ok(account) = Paths::account() else {
            return Ok(!policy.refuses_brought || !self.asked.trust_lock && !self.paths.is_moved);
        };
        let is_brought = self.asked.trust_lock || !trust::is_own(&self.paths, &account)?;
        Ok(!is_brought || !policy.refuses_brought && trust::may_be_brought(&account)?)
    }

    /// Whether the masked values that the client hands on as its file has them are those that were
    /// approved. What it fills in itself cannot be compared here; `check` and the daemon read the file.
    fn check_values(&self, pin: &ServerPin, trust: Option<&Trust>, lock: &Path) -> Result<(), &'static str> {
        let approved = trust.and_then(|trust| Some((trust, trust.values(lock, &self.asked.server)?)));
        let Some((trust, approved)) = approved else { return Ok(()) };
        let launch = self.as_configured(&pin.launch);
        if values::started_otherwise(&launch, trust, approved).is_empty() {
            Ok(())
        } else {
            Err(VALUE_CHANGED)
        }
    }

    /// Whether what the client starts is what is pinned.
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

const TRUST_UNREADABLE: &str =
    "mcpwatch's trust store on this machine cannot be read. `mcpwatch status` says why.";
const SETTINGS_UNREADABLE: &str = "mcpwatch's config.toml cannot be read. `mcpwatch status` says where.";
const POLICY_UNREADABLE: &str =
    "this machine's policy for mcpwatch cannot be used. `mcpwatch status` says why.";
const LOCK_UNREADABLE: &str = "its lockfile cannot be read. `mcpwatch check` says where.";
const LOCK_GONE: &str =
    "its lockfile, which the user had accepted, is gone. The user can see with `mcpwatch status` which.";
const LOCK_CHANGED: &str = "its lockfile changed since the user accepted it. The user can look at what changed with `mcpwatch trust`.";
const LOCK_NOT_TRUSTED: &str =
    "its lockfile was never accepted on this machine. The user can look at it with `mcpwatch trust`.";
const LAUNCH_CHANGED: &str =
    "the client starts something else than what was approved. The user can look at it with `mcpwatch check`.";
const VALUE_CHANGED: &str = "the client gives it another secret or variable than what was approved. The user can look at it with `mcpwatch check`.";
const REVOKED: &str = "the user took back its approval.";
const BROUGHT: &str = "this environment brings its own trust, which this account does not allow.";
