//! One server's reading, or its session for as long as it stays.
//!
//! Promises: what a launch runs is compared with its pin before anything is started; a floating
//! package is started at its approved version; what was seen is kept before anybody is told of it; a
//! server that hangs keeps its place among those that start for seconds only.

use super::event::{Change, Event, Item, Outcome, Stay};
use super::look::{Looked, Sight};
use crate::alert::text::{Cause, What};
use crate::connect::{self, Capabilities, ConnectError, Options, Reading, Told};
use crate::engine::diff;
use crate::engine::digest::{Digest, Tag};
use crate::engine::launchpin::{self, Artifact, ArtifactChange, Launch, LaunchPin};
use crate::engine::lockfile::ServerPin;
use crate::engine::placeholder;
use crate::engine::secret::Known;
use crate::engine::show;
use crate::engine::surface::{Era, Surface};
use crate::ipc::message::ServerId;
use crate::launch;
use crate::survey::plan::Standing;
use crate::survey::reading::Shown;
use crate::survey::{decide, judge, machine, pins, record, run as judging, target};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;

/// How many files of one launch are watched.
const NAMED: usize = 16;

/// How much of an error is told.
const WORDS: usize = 300;

/// How long a start may keep others waiting. One that takes longer goes on beside them.
const TURN: Duration = Duration::from_secs(5);

/// A visit under way: what it is about, and where its news go.
pub(super) struct Visit {
    /// What is pinned, which may change while a session stays.
    pub(super) sight: Arc<Sight>,
    pub(super) id: ServerId,
    /// Tells its session from others of the same server.
    pub(super) number: u64,
    pub(super) stay: Stay,
    pub(super) tell: mpsc::Sender<Event>,
    /// How many servers may be started at once.
    pub(super) places: Arc<Semaphore>,
    /// Where the files go whose change makes another program of it.
    pub(super) programs: mpsc::Sender<(ServerId, Vec<PathBuf>)>,
}

/// What was found before the start.
pub(super) struct Ready {
    pub(super) launch: Launch,
    folder: PathBuf,
    found: launch::Resolved,
    /// What is pinned of what runs, and the protocol; not the definitions, which are many.
    pinned: Option<Artifact>,
    era: Era,
    secrets: Known,
}

/// A place among those that start, given up when dropped or after `TURN`.
struct Turn(AbortHandle);

impl Turn {
    fn new(place: OwnedSemaphorePermit) -> Self {
        let held = tokio::spawn(async move {
            tokio::time::sleep(TURN).await;
            drop(place);
        });
        Self(held.abort_handle())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Visit {
    /// Reads the server, and stays if that is wanted, until `again` is closed.
    pub(super) async fn run(self, again: mpsc::Receiver<()>) {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let (sight, id) = (Arc::clone(&self.sight), self.id.clone());
        let prepared = tokio::task::spawn_blocking(move || match sight.get() {
            Ok(looked) => prepare(&looked, &id),
            Err(error) => (Err(Outcome::Failed(show::line(&error.to_string(), WORDS))), Vec::new()),
        });
        let prepared = prepared.await;
        let prepared = prepared.map(|(prepared, programs)| {
            let _ = self.programs.try_send((self.id.clone(), programs));
            prepared
        });
        let (ready, newer) = match prepared {
            Ok(Ok(ready)) => ready,
            Ok(Err(outcome)) => return self.told(outcome).await,
            Err(_) => return self.told(Outcome::Failed("it could not be looked at".to_owned())).await,
        };
        let _ = self.tell.send(Event::Newer(self.id.clone(), newer)).await;
        let options = Options {
            capabilities: Capabilities::Full,
            protocol_hint: Some(ready.era),
            ..Options::default()
        };
        let target = target::target(&ready.launch, &ready.folder);
        let ready = Arc::new(ready);
        let turn = place.ok().map(Turn::new);
        match self.stay {
            Stay::Never => self.told(Outcome::SameProgram).await,
            Stay::Close => {
                let read = connect::read(&target, &options, &|_| {}).await;
                let outcome = match read {
                    Ok(reading) => {
                        self.opened(&reading).await;
                        self.over("it was read").await;
                        let reading = self.compare(&ready, &target, reading).await;
                        self.judge(&ready, reading, None, false).await
                    }
                    Err(error) => failed(&error, &ready.secrets),
                };
                self.told(outcome).await;
            }
            Stay::Open => {
                let (telling, mut told) = mpsc::channel(4);
                let session = connect::stay(&target, &options, telling, again);
                tokio::pin!(session);
                let mut turn = turn;
                let mut was_read = false;
                loop {
                    tokio::select! {
                        news = told.recv() => match news {
                            Some(Told::Read(reading, life)) => {
                                if !std::mem::replace(&mut was_read, true) {
                                    self.opened(&reading).await;
                                }
                                let life = life.and_then(|life| u64::try_from(life.as_millis()).ok());
                                let reading = self.compare(&ready, &target, *reading).await;
                                self.told(self.judge(&ready, reading, life, true).await).await;
                                turn = None;
                            }
                            Some(Told::Signal) => {
                                let _ = self.tell.send(Event::Signalled(self.id.clone())).await;
                            }
                            Some(Told::Deaf) => {
                                let _ = self.tell.send(Event::Deaf(self.id.clone())).await;
                            }
                            None => {}
                        },
                        ended = &mut session => {
                            if was_read {
                                self.over(&over(&ended, &ready.secrets)).await;
                            }
                            match ended {
                                Ok(()) => {}
                                Err(error) if !was_read => self.told(failed(&error, &ready.secrets)).await,
                                Err(error) => {
                                    let why = why(&error, &ready.secrets);
                                    let ended = Event::Ended(self.id.clone(), self.number, why);
                                    let _ = self.tell.send(ended).await;
                                }
                            }
                            break;
                        }
                    }
                }
                drop(turn);
            }
        }
    }

    async fn told(&self, outcome: Outcome) {
        let _ = self.tell.send(Event::Read(self.id.clone(), outcome)).await;
    }

    /// Tells of a session, for the log.
    async fn opened(&self, reading: &Reading) {
        let protocol = show::line(&reading.protocol, WORDS);
        let _ = self.tell.send(Event::Session(self.id.clone(), protocol)).await;
    }

    /// Tells of its end.
    async fn over(&self, why: &str) {
        let _ = self.tell.send(Event::Over(self.id.clone(), why.to_owned())).await;
    }

    /// Judges on a thread of its own: pins are read from the disk.
    async fn judge(
        &self,
        ready: &Arc<Ready>,
        reading: Reading,
        life: Option<u64>,
        connected: bool,
    ) -> Outcome {
        let (sight, id, ready) = (Arc::clone(&self.sight), self.id.clone(), Arc::clone(ready));
        let judged = tokio::task::spawn_blocking(move || match sight.get() {
            Ok(looked) => judge(&looked, &id, &ready, reading, life, connected),
            Err(error) => Outcome::Failed(show::line(&error.to_string(), WORDS)),
        });
        judged.await.unwrap_or_else(|_| Outcome::Failed("it could not be judged".to_owned()))
    }
}

fn judge(
    looked: &Looked,
    id: &ServerId,
    ready: &Ready,
    reading: Reading,
    life: Option<u64>,
    connected: bool,
) -> Outcome {
    let gone = || Outcome::Failed("it is no longer configured".to_owned());
    let Some((plan, server, ground)) = looked.get(id) else { return gone() };
    let (Some(entry), Some(pin)) = (server.entry(), &server.pin) else { return gone() };
    if let [defect, ..] = reading.surface.defects() {
        return Outcome::Failed(show::line(&defect.to_string(), WORDS));
    }
    let shown = ready.shown(ground.pin_of(entry), reading);
    let (surface, items) = (shown.full.digest(), shown.full.items().len() as u64);
    let values = judging::changed_values(plan, server, ground);
    let change = judge::change(pin, shown, &pins::platform(), values);
    if !change.waits() {
        return Outcome::AsPinned { surface, items, life, connected };
    }
    // An offer that cannot be kept is told all the same; `approve` reads the server again then.
    let offer = decide::keep(&change, ground).unwrap_or(change.offer);
    let remote = matches!(ready.launch, Launch::Url(_));
    let findings = record::artifact_findings(&change);
    Outcome::Changed { change: Change { findings, ..told(&change.full, offer, remote) }, connected }
}

impl Ready {
    /// What a reading showed, with all that it is judged by.
    pub(super) fn shown(&self, launch: LaunchPin, reading: Reading) -> Shown {
        Shown {
            launch,
            // The approved version was started, whatever else is at hand.
            artifact: self.pinned_artifact().unwrap_or(&self.found.artifact).clone(),
            platform: self.found.platform.clone(),
            protocol: reading.protocol,
            full: reading.surface,
            empty: None,
            elsewhere: None,
            machine: machine::here(&self.folder, &self.found.folders),
            secrets: launchpin::known_secrets(&self.launch),
            notes: Vec::new(),
        }
    }

    /// The approved artifact, where a floating launch was started at it.
    fn pinned_artifact(&self) -> Option<&Artifact> {
        self.pinned.as_ref().filter(|artifact| matches!(artifact, Artifact::Package { floating: true, .. }))
    }
}

/// What a preparation comes to: what to start, and a newer version that is at hand.
type Prepared = Result<(Ready, Option<Digest>), Outcome>;

/// Finds out what the launch runs and compares it with the pin; also gives the files it runs from.
fn prepare(looked: &Looked, id: &ServerId) -> (Prepared, Vec<PathBuf>) {
    let gone = || (Err(Outcome::Failed("it is no longer configured".to_owned())), Vec::new());
    let Some((_, server, ground)) = looked.get(id) else { return gone() };
    let (Some(entry), Some(pin)) = (server.entry(), server.pin.clone()) else { return gone() };
    let failed = |words: &str| (Err(Outcome::Failed(show::line(words, WORDS))), Vec::new());
    let launch = match &server.standing {
        Standing::Ready(launch) => launch.clone(),
        Standing::Disabled => return failed("disabled by its client"),
        Standing::Unresolved(why) => return failed(&why.to_string()),
    };
    let secrets = launchpin::known_secrets(&launch);
    let folder = target::folder(&launch, ground.folder_of(entry));
    let found = target::artifact(&launch, &folder);
    let mut programs = programs(&found, &folder);
    programs.extend(named(&launch, &folder));
    let changes =
        pinned(&pin).map(|old| launchpin::compare_artifacts(old, &found.artifact)).unwrap_or_default();
    let artifact = Digest::of(Tag::Artifact, &found.artifact.to_value());
    let floats = matches!(pinned(&pin), Some(Artifact::Package { floating: true, .. }));
    let version = |change: &ArtifactChange| matches!(change, ArtifactChange::Version { .. });
    let newer = floats && changes.iter().any(version);
    if !newer && changes.iter().any(judge::decides) {
        return (Err(Outcome::Program { artifact }), programs);
    }
    let launch = match (launch, pinned(&pin)) {
        (Launch::Command(command), Some(old)) => Launch::Command(launch::pinned_launch(&command, old)),
        (launch, _) => launch,
    };
    let (pinned, era) = (pinned(&pin).cloned(), Era::of_protocol(&pin.protocol));
    (Ok((Ready { launch, folder, found, pinned, era, secrets }, newer.then_some(artifact))), programs)
}

/// The files whose change makes another program: the script or binary, or what the package says it is.
fn programs(found: &launch::Resolved, folder: &Path) -> Vec<PathBuf> {
    match &found.artifact {
        Artifact::Script { path, .. } | Artifact::Binary { path, .. } => {
            let machine = machine::here(folder, &found.folders);
            vec![PathBuf::from(placeholder::fill_text(path, &machine))]
        }
        Artifact::Package { .. } => found.folders.iter().map(|folder| folder.join("package.json")).collect(),
        Artifact::Remote | Artifact::Unknown(_) => Vec::new(),
    }
}

/// The files that a launch names as it is written: a link on the way may lead elsewhere tomorrow, while
/// what was resolved stays where it is.
fn named(launch: &Launch, folder: &Path) -> Vec<PathBuf> {
    let Launch::Command(launch) = launch else { return Vec::new() };
    let words =
        std::iter::once(&launch.command).chain(&launch.args).filter(|word| word.contains(['/', '\\']));
    words.map(|word| folder.join(word)).filter(|file| file.is_file()).take(NAMED).collect()
}

fn pinned(pin: &ServerPin) -> Option<&Artifact> {
    pin.artifacts.get(&pins::platform()).or_else(|| pin.artifacts.get("any"))
}

fn failed(error: &ConnectError, secrets: &Known) -> Outcome {
    Outcome::Failed(why(error, secrets))
}

/// Why a server could not be read, in our words.
fn why(error: &ConnectError, secrets: &Known) -> String {
    show::line(&secrets.mask(&error.to_string()), WORDS)
}

/// Why a session is over.
fn over(ended: &Result<(), ConnectError>, secrets: &Known) -> String {
    match ended {
        Ok(()) => "it was not needed any more".to_owned(),
        Err(error) => why(error, secrets),
    }
}

/// The digest of what is not there.
pub(super) fn nothing() -> Digest {
    Digest::of_bytes(Tag::Offer, b"")
}

fn told(set: &diff::ChangeSet, offer: Digest, remote: bool) -> Change {
    let item = |change: &diff::Change| {
        let (what, value) = match &change.what {
            diff::What::Added { value, .. } => (What::New, Some(value)),
            diff::What::Changed { after, .. } => (What::Changed, Some(after)),
            diff::What::Removed { .. } => (What::Removed, None),
        };
        let digest = value.map_or_else(nothing, |value| Surface::digest_item(change.key.kind, value));
        Item { what, key: change.key.clone(), digest }
    };
    let cause = match &set.cause {
        diff::Cause::Upgrade { .. } | diff::Cause::ArtifactChanged => Cause::Upgrade,
        diff::Cause::LaunchChanged => Cause::Launch,
        diff::Cause::NothingUpgraded => Cause::SameArtifact,
        diff::Cause::Unknown if remote => Cause::Remote,
        diff::Cause::Unknown => Cause::Unknown,
    };
    Change { offer, items: set.changes.iter().map(item).collect(), cause, findings: Vec::new() }
}
