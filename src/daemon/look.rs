//! Looks up what is configured and pinned, for the user and for every project whose lock is trusted.
//!
//! Promises: starts and contacts nothing; a server counts as agreed to only if it is pinned in a lock
//! that this person trusts, by the launch that is configured now, masked values included. One file or
//! lock that cannot be read is told and takes nothing else down.

use super::event::{Configured, Known, Standing};
use super::reach;
use super::schedule::Times;
use crate::alert::pace::Rules;
use crate::alert::text::Severity;
use crate::engine::digest::{Digest, Tag};
use crate::engine::launchpin::Launch;
use crate::engine::lockfile::{self, Lockfile, ServerPin};
use crate::engine::settings::{self, Settings, Watch};
use crate::ipc::message::ServerId;
use crate::store::trust;
use crate::store::wraps::{Wrapped, Wraps};
use crate::survey::plan::{self, Ask, Plan, Server};
use crate::survey::{Ground, SurveyError, run as judging, settings as in_force};
use crate::sys::files;
use crate::sys::paths::Paths;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What was looked up, with everything that reading a server takes. Holds secrets of launches.
pub(super) struct Looked {
    grounds: Vec<(Plan, Ground)>,
    servers: BTreeMap<ServerId, (usize, usize)>,
    /// The settings, and why they are not those of the file.
    pub(super) settings: Settings,
    pub(super) settings_problem: Option<String>,
    /// Files whose change is a reason to look again.
    pub(super) files: BTreeSet<PathBuf>,
}

/// Where everybody who reads a server gets at what was looked up. It holds every pin in full, so it is
/// kept only while somebody works with it, and looked up again when somebody does.
pub(super) struct Sight {
    home: PathBuf,
    kept: Mutex<Weak<Looked>>,
    /// One looks at a time, the others wait for what is found: each copy is large.
    looking: Mutex<()>,
}

impl Sight {
    /// Nothing was looked up yet; looks are from that folder.
    pub(super) fn new(home: PathBuf) -> Self {
        Self { home, kept: Mutex::new(Weak::new()), looking: Mutex::new(()) }
    }

    /// Looks now.
    pub(super) fn look(&self) -> Result<(Arc<Looked>, Configured), SurveyError> {
        let _one = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        self.look_anew()
    }

    fn look_anew(&self) -> Result<(Arc<Looked>, Configured), SurveyError> {
        let (looked, configured) = Looked::new(&self.home)?;
        let looked = Arc::new(looked);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&looked);
        Ok((looked, configured))
    }

    /// What was looked up last; looks again if nobody works with that any more.
    pub(super) fn get(&self) -> Result<Arc<Looked>, SurveyError> {
        let _one = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        kept.map_or_else(|| self.look_anew().map(|(looked, _)| looked), Ok)
    }
}

impl Looked {
    /// Looks, from that folder.
    pub(super) fn new(home: &Path) -> Result<(Self, Configured), SurveyError> {
        let paths = Paths::system()?;
        let (settings, settings_problem) = settings(&paths);
        let mut looked = Self {
            grounds: Vec::new(),
            servers: BTreeMap::new(),
            settings,
            settings_problem,
            files: BTreeSet::from([
                paths.config_file(),
                paths.policy.clone(),
                paths.trust_file(),
                paths.user_lock(),
            ]),
        };
        let mut configured = Configured::default();
        looked.add(home, false, &mut configured)?;
        for lock in trusted_projects(&paths)? {
            let Some(folder) = lock.parent().filter(|folder| folder.is_dir()) else { continue };
            if let Err(error) = looked.add(folder, true, &mut configured) {
                configured.problems.push(error.to_string());
            }
            looked.files.insert(lock);
        }
        Ok((looked, configured))
    }

    /// A server, with its plan and its ground.
    pub(super) fn get(&self, id: &ServerId) -> Option<(&Plan, &Server, &Ground)> {
        let (ground, server) = self.servers.get(id)?;
        let (plan, ground) = self.grounds.get(*ground)?;
        Some((plan, plan.servers.get(*server)?, ground))
    }

    /// What the user wants to be disturbed by.
    pub(super) fn rules(&self) -> Rules {
        let notify = &self.settings.notify;
        let severity = |severity: &settings::Severity| match severity {
            settings::Severity::Info => Severity::Info,
            settings::Severity::Warning => Severity::Review,
            settings::Severity::Critical => Severity::Alarm,
        };
        Rules { off: notify.off.iter().map(severity).collect(), quiet: notify.quiet_hours }
    }

    fn add(&mut self, folder: &Path, project: bool, configured: &mut Configured) -> Result<(), SurveyError> {
        let mut ground = Ground::of_this_process(BTreeMap::new())?;
        ground.cwd = folder.to_owned();
        ground.vars.workspace = folder.to_owned();
        let mut plan = plan::make(&Ask { project, ..Ask::default() }, &ground)?;
        let wraps = Wraps::of(&ground.paths).all().unwrap_or_default();
        let index = self.grounds.len();
        for (at, server) in plan.servers.iter().enumerate() {
            let scope = plan.locks[server.lock].path.to_string_lossy().into_owned();
            let id = ServerId { scope, name: server.name.clone() };
            if self.servers.contains_key(&id) {
                continue;
            }
            let reach = server.entry().and_then(|entry| reach::why_not(&entry.file, &entry.launch));
            configured.out_of_reach.extend(reach.iter().map(|why| reach::told(&server.name, why)));
            configured.servers.push(known(
                &id,
                &plan,
                server,
                &ground,
                &wraps,
                &self.settings,
                reach.is_some(),
            ));
            self.servers.insert(id, (index, at));
        }
        configured.out_of_reach.extend(reach::containers(folder));
        configured.problems.extend(plan.problems.iter().map(|problem| problem.file.display().to_string()));
        self.files.extend(plan.looked_in.iter().map(|looked| looked.file.clone()));
        self.files.extend(plan.locks.iter().map(|lock| lock.path.clone()));
        // Each server has its pin; the locks as a whole are not needed again, and are large.
        for loaded in plan.locks.iter_mut().filter_map(|lock| lock.loaded.as_mut()) {
            (loaded.bytes, loaded.lockfile) = (Vec::new(), Lockfile::default());
        }
        plan.locks.iter_mut().for_each(|lock| lock.effective = None);
        self.grounds.push((plan, ground));
        Ok(())
    }
}

/// The settings in force; the defaults where they cannot be told.
fn settings(paths: &Paths) -> (Settings, Option<String>) {
    let in_force = trust::load(paths)
        .map_err(SurveyError::from)
        .and_then(|trust| in_force::in_force(paths, trust.as_ref()));
    match in_force {
        Ok(found) => (found.settings, None),
        Err(error) => (Settings::default(), Some(error.to_string())),
    }
}

/// The locks of projects that this person trusts.
fn trusted_projects(paths: &Paths) -> Result<Vec<PathBuf>, SurveyError> {
    let user = files::resolve(&paths.user_lock());
    let trust = trust::load(paths)?;
    let locks = trust.iter().flat_map(|trust| trust.locks()).map(|(path, _)| path.to_owned());
    Ok(locks.filter(|path| *path != user).collect())
}

fn known(
    id: &ServerId,
    plan: &Plan,
    server: &Server,
    ground: &Ground,
    wraps: &BTreeMap<PathBuf, Wrapped>,
    settings: &Settings,
    out_of_reach: bool,
) -> Known {
    let own = settings.server(&server.name);
    let should_be_wrapped = server.entries.iter().any(|entry| {
        let wrapped = wraps.get(&files::resolve(&entry.file));
        wrapped.is_some_and(|wrapped| wrapped.entries.contains(&entry.key_path))
    });
    let entry = server.entry();
    Known {
        id: id.clone(),
        client: entry.map(|entry| entry.client.id().to_owned()).unwrap_or_default(),
        mode: if out_of_reach && own.watch != Watch::Off { Watch::GateOnly } else { own.watch },
        times: Times { interval: own.interval, linger: own.linger, ..Times::default() },
        remote: entry.is_some_and(|entry| matches!(entry.launch, Launch::Url(_))),
        launch: entry.map_or_else(
            || Digest::of_bytes(Tag::Launch, b""),
            |entry| Digest::of(Tag::Launch, &ground.pin_of(entry).to_value()),
        ),
        pin: server.pin.as_ref().map(|pin| pin_digest(&server.name, pin)),
        standing: standing(plan, server, ground),
        wrapped: server.entries.iter().all(|entry| entry.wrapped.is_some()),
        should_be_wrapped,
    }
}

/// One digest over everything that is approved of a server.
fn pin_digest(name: &str, pin: &ServerPin) -> Digest {
    let servers = BTreeMap::from([(name.to_owned(), pin.clone())]);
    let lock = Lockfile { servers, ..Lockfile::default() };
    Digest::of_bytes(Tag::Lock, lockfile::render(&lock).as_bytes())
}

fn standing(plan: &Plan, server: &Server, ground: &Ground) -> Standing {
    if matches!(server.standing, plan::Standing::Disabled) {
        return Standing::Disabled;
    }
    let Some(pin) = &server.pin else { return Standing::New };
    if !plan.locks[server.lock].is_trusted() {
        return Standing::Untrusted;
    }
    let same = server.entries.iter().all(|entry| ground.is_pinned_launch(&pin.launch, entry));
    if same && judging::changed_values(plan, server, ground).is_empty() {
        Standing::Agreed
    } else {
        Standing::OtherLaunch
    }
}
