//! The plan: which servers are meant, which lock governs each, and which may be started.
//!
//! Promises: a server in a project's file starts only if its owner asked for it (`--yes`, or a
//! trusted lock that pins exactly that launch); everything else is listed with the reason. Entries
//! of several clients with the same launch are one server. Starts and contacts nothing, and expands
//! nothing that was not asked for.

use super::locks::{self, LockUse};
use super::{Ground, SurveyError, policy, wrap_reach};
use crate::discover::{self, Discovered, Disk, Entry, Files, Looked, Problem, Unresolved};
use crate::engine::launchpin::Launch;
use crate::engine::lockfile::ServerPin;
use crate::store::locks as stored;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What a person asked for.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Read only these files.
    pub configs: Vec<PathBuf>,
    /// Use this lock.
    pub lock: Option<PathBuf>,
    /// Only servers of these names; all if empty.
    pub names: Vec<String>,
    /// Whether the person says yes to starting what is configured.
    pub yes: bool,
    /// Whether locks count as trusted for starting what they pin, in CI for example.
    pub trust_lock: bool,
    /// Only project configurations.
    pub project: bool,
}

/// Everything that a run is about.
pub struct Plan {
    /// The locks in play.
    pub locks: Vec<LockUse>,
    /// The servers, by lock and name.
    pub servers: Vec<Server>,
    /// Servers that a lock pins and no configuration names: the lock's index and the name.
    pub gone: Vec<(usize, String)>,
    /// Files and entries that could not be read. Each may hide a server.
    pub problems: Vec<Problem>,
    /// What is worth knowing.
    pub remarks: Vec<Problem>,
    /// Every file that was looked for.
    pub looked_in: Vec<Looked>,
    /// Names that were asked for and stand nowhere.
    pub unknown_names: Vec<String>,
}

/// One server of the plan.
#[derive(Clone)]
pub struct Server {
    /// Its name in its lock.
    pub name: String,
    /// Its lock, in [`Plan::locks`].
    pub lock: usize,
    /// Where it is configured; at least one entry, all with the same launch.
    pub entries: Vec<Entry>,
    /// What is pinned of it.
    pub pin: Option<ServerPin>,
    /// Whether it may be started.
    pub standing: Standing,
}

/// Whether a server may be started.
#[derive(Clone)]
pub enum Standing {
    /// It may, with this launch.
    Ready(Launch),
    /// Every client is told not to start it.
    Disabled,
    /// Its owner did not ask for it, or values are missing.
    Unresolved(Unresolved),
}

impl Server {
    /// The entry that stands for all.
    pub fn entry(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| !entry.disabled).or(self.entries.first())
    }
}

/// Looks up what is configured and what is pinned, and decides what may be started.
pub fn make(ask: &Ask, ground: &Ground) -> Result<Plan, SurveyError> {
    if ask.trust_lock {
        policy::allow(&ground.paths, |policy| policy.refuses_brought, "`--trust-lock`")?;
    }
    let found = find(ask, ground)?;
    let Discovered { entries, problems, remarks, looked_in } = found;
    let mut plan = Plan {
        locks: Vec::new(),
        servers: Vec::new(),
        gone: Vec::new(),
        problems,
        remarks,
        looked_in,
        unknown_names: Vec::new(),
    };
    let mut by_lock: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
    for mut entry in entries.into_iter().filter(|entry| !ask.project || entry.scope.is_project()) {
        entry.base = ask.lock.as_ref().and_then(|lock| Some(ground.cwd.join(lock).parent()?.to_owned()));
        let lock = plan.lock_for(&entry, ask, ground)?;
        by_lock.entry(lock).or_default().push(entry);
    }
    plan.add_empty_locks(ask, ground)?;
    for (lock, entries) in by_lock {
        plan.add(lock, entries, ask, ground);
    }
    plan.keep_asked_names(&ask.names);
    Ok(plan)
}

/// What the configurations name: those that were asked for, or all of this user and this project.
fn find(ask: &Ask, ground: &Ground) -> Result<Discovered, SurveyError> {
    if ask.configs.is_empty() {
        let mut found = discover::all(&ground.places, &ground.cwd, &Disk);
        if ask.lock.is_none() {
            for lock in stored::all_below(&ground.cwd).locks {
                let Some(folder) = lock.parent().filter(|folder| *folder != ground.cwd) else { continue };
                let folder = folder.to_owned();
                let mut other = discover::all(&ground.places, &folder, &Disk);
                other.entries.retain(|entry| entry.scope.is_project());
                other.looked_in.retain(|looked| looked.scope.is_project());
                other.problems.retain(|problem| problem.file.starts_with(&folder));
                other.remarks.clear();
                found.absorb(other);
            }
        }
        return Ok(found);
    }
    let mut found = Discovered::default();
    for config in &ask.configs {
        let file = ground.cwd.join(config);
        let read = Disk.read(&file).map_err(|source| SurveyError::Read { path: file.clone(), source })?;
        let bytes = read.ok_or_else(|| SurveyError::NoConfig { path: file.clone() })?;
        found.absorb(discover::named(&file, &bytes, &ground.places, &ground.cwd));
    }
    Ok(found)
}

impl Plan {
    /// The index of the lock that governs an entry, read at its first mention.
    fn lock_for(&mut self, entry: &Entry, ask: &Ask, ground: &Ground) -> Result<usize, SurveyError> {
        let given = ask.lock.as_ref().map(|lock| ground.cwd.join(lock));
        let path = locks::path_for(entry, given.as_deref(), &ground.paths.user_lock());
        let project = entry.scope.is_project();
        self.use_lock(path, project, ground)
    }

    fn use_lock(&mut self, path: PathBuf, project: bool, ground: &Ground) -> Result<usize, SurveyError> {
        if let Some(known) = self.locks.iter().position(|lock| lock.path == path) {
            return Ok(known);
        }
        self.locks.push(locks::load(&path, project, ground)?);
        Ok(self.locks.len() - 1)
    }

    /// Locks that no entry named: the given one, the user's, the project's. Their pins may be of
    /// servers that are configured no more.
    fn add_empty_locks(&mut self, ask: &Ask, ground: &Ground) -> Result<(), SurveyError> {
        if let Some(lock) = &ask.lock {
            self.use_lock(ground.cwd.join(lock), ask.project, ground)?;
        } else if ask.configs.is_empty() {
            if let Some(project) = stored::governing(&ground.cwd) {
                self.use_lock(project, true, ground)?;
            }
            let user = ground.paths.user_lock();
            if !ask.project && user.is_file() {
                self.use_lock(user, false, ground)?;
            }
        }
        Ok(())
    }

    /// Adds the servers of one lock: entries of the same launch together, each under its name there.
    fn add(&mut self, lock: usize, entries: Vec<Entry>, ask: &Ask, ground: &Ground) {
        let mut names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
        names.sort();
        names.dedup();
        let pins = self.locks[lock].lockfile().map(|lock| lock.servers.clone()).unwrap_or_default();
        let trusted = self.locks[lock].is_trusted() || ask.trust_lock;
        for name in names {
            let own = entries.iter().filter(|entry| entry.name == name).cloned();
            let own = own.map(|entry| wrap_reach::without_ours(entry, &pins, ground));
            for (key, pin, group) in assign(&name, same_launches(own.collect(), ground), &pins, ground) {
                let standing = standing(&group, pin.as_ref(), trusted, ask, ground);
                self.servers.push(Server { name: key, lock, entries: group, pin, standing });
            }
        }
    }

    /// Notes what is pinned and not configured, and keeps the servers that were asked for by name.
    fn keep_asked_names(&mut self, names: &[String]) {
        for (index, lock) in self.locks.iter().enumerate() {
            let pinned = lock.lockfile().into_iter().flat_map(|lock| lock.servers.keys());
            for name in pinned {
                let configured = self.servers.iter().any(|server| {
                    server.lock == index && (server.name == *name || server.pin_name() == name)
                });
                if !configured {
                    self.gone.push((index, name.clone()));
                }
            }
        }
        if names.is_empty() {
            return;
        }
        let meant = |name: &str, entries: &[Entry]| {
            names.iter().any(|asked| asked == name || entries.iter().any(|entry| entry.name == *asked))
        };
        let known: BTreeSet<&str> = self
            .servers
            .iter()
            .flat_map(|server| {
                std::iter::once(server.name.as_str())
                    .chain(server.entries.iter().map(|entry| entry.name.as_str()))
            })
            .chain(self.gone.iter().map(|(_, name)| name.as_str()))
            .collect();
        self.unknown_names = names.iter().filter(|name| !known.contains(name.as_str())).cloned().collect();
        self.servers.retain(|server| meant(&server.name, &server.entries));
        self.gone.retain(|(_, name)| names.contains(name));
    }
}

impl Server {
    /// The name that its pin has: its own, or that of the entry it would replace.
    fn pin_name(&self) -> &str {
        if self.pin.is_some() && self.name.contains('@') {
            self.entries.first().map_or(self.name.as_str(), |entry| entry.name.as_str())
        } else {
            &self.name
        }
    }
}

/// Entries of one name, those with the same launch together.
fn same_launches(entries: Vec<Entry>, ground: &Ground) -> Vec<Vec<Entry>> {
    let mut groups: Vec<Vec<Entry>> = Vec::new();
    for entry in entries {
        let same = |group: &&mut Vec<Entry>| {
            group.first().is_some_and(|first| ground.pin_of(first) == ground.pin_of(&entry))
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    groups
}

/// Gives each group its name in the lock and its pin there. The pinned launch keeps its name; another
/// launch under a pinned name is a change of that entry; two launches at the first pin are `name` and
/// `name@client`.
fn assign(
    name: &str,
    groups: Vec<Vec<Entry>>,
    pins: &BTreeMap<String, ServerPin>,
    ground: &Ground,
) -> Vec<(String, Option<ServerPin>, Vec<Entry>)> {
    let client = |group: &[Entry]| group.first().map_or("client", |entry| entry.client.id());
    let prefix = format!("{name}@");
    let own = |key: &&String| *key == name || key.starts_with(&prefix);
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut keys: Vec<Option<String>> = Vec::new();
    for group in &groups {
        let same = |key: &&String| {
            let launch = pins.get(*key).map(|pin| &pin.launch);
            group.iter().any(|entry| launch.is_some_and(|launch| ground.is_pinned_launch(launch, entry)))
        };
        let key = pins.keys().filter(own).filter(|key| !taken.contains(*key)).find(same).cloned();
        taken.extend(key.clone());
        keys.push(key);
    }
    let mut assigned = Vec::new();
    for (group, key) in groups.into_iter().zip(keys) {
        let qualified = format!("{name}@{}", client(&group));
        let key = key.unwrap_or_else(|| {
            let free = |key: &&String| !taken.contains(*key);
            let plain = name.to_owned();
            let second = (2..).map(|count| format!("{qualified}-{count}"));
            let pinned = pins.contains_key(&qualified).then(|| qualified.clone()).filter(|key| free(&key));
            let fresh = || [plain, qualified.clone()].into_iter().chain(second).find(|key| free(&key));
            pinned.or_else(fresh).unwrap_or_else(|| qualified.clone())
        });
        taken.insert(key.clone());
        let pin = pins.get(&key).or_else(|| pins.get(name)).cloned();
        assigned.push((key, pin, group));
    }
    assigned
}

/// Whether a group of entries may be started.
fn standing(group: &[Entry], pin: Option<&ServerPin>, trusted: bool, ask: &Ask, ground: &Ground) -> Standing {
    let Some(entry) = group.iter().find(|entry| !entry.disabled) else { return Standing::Disabled };
    let mut entry = entry.clone();
    let pinned = || trusted && pin.is_some_and(|pin| ground.is_pinned_launch(&pin.launch, &entry));
    entry.asked = group.iter().any(|entry| entry.asked) || ask.yes || pinned();
    match discover::resolve(&entry, &ground.vars, &Disk) {
        Ok(launch) => Standing::Ready(launch),
        Err(why) => Standing::Unresolved(why),
    }
}
