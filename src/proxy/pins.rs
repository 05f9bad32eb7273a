//! What the gate may let pass: from lock, trust store, settings and launch to one [`Approval`].
//!
//! Promises: a lock is obeyed only if this person trusts exactly its bytes on this machine, or says
//! `--trust-lock` where that is allowed; what loosens the gate in `config.toml` holds only once it was
//! accepted; whatever cannot be read, is not trusted or does not match closes the gate, with a reason
//! in our own words: text of a lock or a server never stands in it.

use super::expanded::is_expanded;
use crate::engine::approval::Lifetime;
use crate::engine::digest::Digest;
use crate::engine::gate::{Approval, Approved, Limits, Mode};
use crate::engine::launchpin::{self, Artifact, CommandLaunch, Launch, LaunchPin};
use crate::engine::lockfile::{Lockfile, Pin, ServerPin};
use crate::engine::marks;
use crate::engine::placeholder::{Machine, Name};
use crate::engine::settings::Settings;
use crate::engine::settings::policy::Policy;
use crate::engine::surface::{Era, ItemKey, Kind};
use crate::ipc::message::Cause;
use crate::launch::{self, Platform, Resolved};
use crate::store::trust::{self, Denied, Grant, Moment, Standing, Subject, Trust};
use crate::store::{StoreError, locks};
use crate::survey::settings::{self, InForce};
use crate::survey::{SurveyError, judge, machine, target, values};
use crate::sys::files;
use crate::sys::paths::{Paths, PathsError};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
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
    /// What was read last, and from what.
    known: Mutex<Option<(Ground, Arc<Approved>)>>,
}

/// Everything outside this process that an approval is read from, apart from the day.
#[derive(PartialEq)]
struct Ground {
    lock: Digest,
    standing: Standing,
    trust: Option<Trust>,
    policy: Policy,
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
}

/// Whether what runs is what is pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Runs {
    /// It is, or nothing is pinned of it.
    AsPinned,
    /// It is, but what it depends on is not: told, and stopped by nothing, because dependencies float on
    /// honest machines with every installation.
    Dependencies(String),
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
    pub fn new(mut asked: Asked, session: String) -> Result<Self, ProxyError> {
        let paths = Paths::system()?;
        let cwd = std::env::current_dir()
            .map_err(|source| ProxyError::System { what: "the working folder cannot be told", source })?;
        // A project's shared file names its lock from the project's folder.
        asked.lock = asked.lock.map(|lock| cwd.join(lock));
        Ok(Self { asked, paths, cwd, session, before: OnceLock::new(), known: Mutex::new(None) })
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
        let closed = |why: &str| Loaded {
            approval: Approval::Closed(why.to_owned()),
            mode: Mode::Enforce,
            limits: Settings::default().gate_limits(""),
            message: crate::engine::frame::LIMIT,
            log_contents: false,
            may_start: false,
            ends_in: None,
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
        let session = self.claim(&mut trust);
        let name = &self.asked.server;
        let ends_in = trust.as_ref().and_then(|trust| self.ends_in(trust));
        let loaded = |approval: Approval, may_start: bool| Loaded {
            approval,
            mode: settings.server(name).mode,
            limits: settings.gate_limits(name),
            message: usize::try_from(settings.limits.message).unwrap_or(usize::MAX),
            log_contents: settings.server(name).log_contents,
            may_start,
            ends_in,
        };
        match self.pinned(trust.as_ref(), session, &policy) {
            Err(why) => loaded(Approval::Closed(why.to_owned()), false),
            Ok(None) => loaded(Approval::Nobody, true),
            Ok(Some(approved)) => loaded(Approval::Pinned(approved), true),
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

    /// Looks up what will run, on a thread of its own: it is wanted as soon as the lock is read. A
    /// system that has no thread to give lets it happen later.
    pub fn look_ahead(self: &Arc<Self>) {
        let pins = Arc::clone(self);
        let thread = std::thread::Builder::new().name("artifact".to_owned());
        let _started = thread.spawn(move || _ = pins.before());
    }

    fn before(&self) -> &Resolved {
        self.before.get_or_init(|| target::artifact(&self.asked.launch, &self.cwd))
    }

    /// Takes up the approvals for one session that nobody uses yet; without that none of them counts,
    /// or each would be good for any number of sessions.
    fn claim(&self, trust: &mut Option<Trust>) -> Option<&str> {
        let lock = files::resolve(&self.lock());
        let is_free = |grant: &&Grant| {
            grant.lifetime == Lifetime::Once && grant.session.is_none() && self.is_own(grant, &lock)
        };
        if trust.as_ref().is_some_and(|trust| trust.grants().iter().any(|grant| is_free(&grant))) {
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
        let lock = files::resolve(&self.lock());
        let ends = |grant: &Grant| matches!(grant.lifetime, Lifetime::Until(_)) && self.is_own(grant, &lock);
        if !trust.grants().iter().any(ends) {
            return None;
        }
        let now = jiff::Zoned::now();
        let midnight = now.tomorrow().ok()?.start_of_day().ok()?;
        Duration::try_from(now.until(&midnight).ok()?.to_duration(&now).ok()?).ok()
    }

    fn is_own(&self, grant: &Grant, lock: &Path) -> bool {
        grant.lock == lock && grant.server == self.asked.server
    }

    /// What is approved; `None` if nobody ever approved this server.
    fn pinned(
        &self,
        trust: Option<&Trust>,
        session: Option<&str>,
        policy: &Policy,
    ) -> Result<Option<Arc<Approved>>, &'static str> {
        let path = self.lock();
        if !self.may_obey(policy).unwrap_or(false) {
            return Err(BROUGHT);
        }
        let Some(lock) = locks::look(&path, trust).map_err(|_| LOCK_UNREADABLE)? else {
            let resolved = files::resolve(&path);
            let was_there = trust.is_some_and(|trust| trust.locks().any(|(known, _)| known == resolved));
            return if was_there { Err(LOCK_GONE) } else { Ok(None) };
        };
        match lock.standing {
            Standing::Trusted => {}
            Standing::Changed { .. } | Standing::Never if self.asked.trust_lock => {}
            // A lock that nobody could read is told as that, not as one that somebody might accept.
            _ if lock.server(&self.asked.server).is_err() => return Err(LOCK_UNREADABLE),
            Standing::Changed { .. } => return Err(LOCK_CHANGED),
            Standing::Never => return Err(LOCK_NOT_TRUSTED),
        }
        let (digest, standing) = (lock.digest, lock.standing);
        let ground = Ground { lock: digest, standing, trust: trust.cloned(), policy: *policy };
        // Files are looked at far more often than they change. An approval that ends is read anew.
        let is_lasting = trust.is_none_or(|trust| trust.grants().is_empty());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, approved)) = known.as_ref().filter(|(known, _)| is_lasting && *known == ground) {
            return Ok(Some(Arc::clone(approved)));
        }
        let name = &self.asked.server;
        let mut rejected = BTreeSet::new();
        let mut lockfile = Lockfile::default();
        if let Some(pin) = lock.server(name).map_err(|_| LOCK_UNREADABLE)? {
            lockfile.servers.insert(name.clone(), pin);
        }
        if let Some(trust) = trust {
            lockfile = effective(trust, session, &lock.path, lockfile);
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
        let Some(mut pin) = lockfile.servers.remove(name) else {
            let was_revoked = trust.is_some_and(|trust| {
                trust.denials().iter().any(|denial| denial.server == *name && denial.how == Denied::Revoked)
            });
            return if was_revoked { Err(REVOKED) } else { Ok(None) };
        };
        self.check_launch(&pin, &lock.path)?;
        self.check_values(&pin, trust, &lock.path)?;
        if policy.refuses_open {
            pin.open.clear();
        }
        let unfit = self.unfit(&pin);
        let approved = Arc::new(Approved { pin, rejected, unfit });
        *known = Some((ground, Arc::clone(&approved)));
        Ok(Some(approved))
    }

    /// The tools that a client over Streamable HTTP, which we are to a remote server, must leave away
    /// since 2026-07-28: those whose schemas mark parameters in a way that is not allowed.
    fn unfit(&self, pin: &ServerPin) -> BTreeSet<ItemKey> {
        match &self.asked.launch {
            Launch::Url(launch) if !launch.sse && Era::of_protocol(&pin.protocol) == Era::Stateless => {}
            Launch::Url(_) | Launch::Command(_) => return BTreeSet::new(),
        }
        let is_unfit = |pin: &Pin| {
            let schemas = pin.definitions.iter().filter_map(|own| own.value.get("inputSchema"));
            schemas.into_iter().any(|schema| marks::of(schema).is_err())
        };
        let tools = pin.items.iter().filter(|(key, pin)| key.kind == Kind::Tool && is_unfit(pin));
        tools.map(|(key, _)| key.clone()).collect()
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

    /// What a change of the surface comes from, given that what runs was compared.
    pub fn cause(&self, approval: &Approval, runs: &Runs) -> Cause {
        match (&self.asked.launch, pinned_artifact(approval), runs) {
            (Launch::Url(_), ..) => Cause::Remote,
            (
                _,
                Some(Artifact::Package { .. } | Artifact::Script { .. } | Artifact::Binary { .. }),
                Runs::AsPinned,
            ) => Cause::SameArtifact,
            (_, _, Runs::Otherwise | Runs::Dependencies(_)) => Cause::Upgrade,
            (_, _, Runs::AsPinned | Runs::Unseen) => Cause::Unknown,
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

/// The lock as it counts now, with what was approved for this session or until a date.
fn effective(trust: &Trust, session: Option<&str>, path: &Path, lockfile: Lockfile) -> Lockfile {
    if trust.grants().is_empty() && trust.denials().is_empty() {
        return lockfile;
    }
    let today = jiff::Zoned::now().date().to_string();
    trust.effective(path, lockfile, &Moment { today: &today, session })
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
    if changes.iter().any(judge::decides) {
        return Runs::Otherwise;
    }
    let asks = changes.iter().find(|change| judge::asks(change));
    asks.map_or(Runs::AsPinned, |change| Runs::Dependencies(change.to_string()))
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

/// What runs cannot be seen though it was when it was pinned.
pub const ARTIFACT_UNSEEN: &str = "what it runs cannot be found out on this machine, and was approved, so it was not let through. The user can look at it with `mcpwatch check`.";

/// What runs is not what is pinned.
pub const ARTIFACT_CHANGED: &str = "what it runs is not what was approved, so it was not let through. The user can look at it with `mcpwatch check`.";
