//! Reading one server: what it runs, then what it shows, in the views that are asked for.
//!
//! `init` and `approve` see a server three times: with all client capabilities, with none, and once
//! more from another home, folder, time zone and date, which tells machine-dependent text from the rest.
//! `check` sees it once. Only the first start may download something, so it comes alone.
//!
//! Promises: the server's processes have ended when this returns or is dropped; what could not be
//! read whole is a [`Failure`] with its reason, never a part; no secret of the launch is in a failure.

use super::machine::{self, Elsewhere};
use super::plan::Server;
use super::progress::Step;
use super::{Ground, target};
use crate::connect::{self, Capabilities, ConnectError, Limits, Options, Reading, Stage};
use crate::engine::launchpin::{self, Artifact, ArtifactChange, Launch, LaunchPin};
use crate::engine::marks::{self, Unfit};
use crate::engine::placeholder::Machine;
use crate::engine::secret::Known;
use crate::engine::show;
use crate::engine::surface::{Defect, Era, Kind, Surface};
use crate::launch;

/// How often and with which capabilities a server is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Views {
    /// Once, as a capable client sees it.
    Once,
    /// With and without capabilities, and from elsewhere.
    All,
}

/// Everything that was seen of one server.
#[derive(Clone)]
pub struct Shown {
    /// Its launch as configured, without secrets.
    pub launch: LaunchPin,
    /// What that launch runs here.
    pub artifact: Artifact,
    /// Under which key that is pinned: `any`, or this platform where it is native code.
    pub platform: String,
    /// What it shows to a client with all capabilities.
    pub full: Surface,
    /// What it shows to a client without any, if that was asked for.
    pub empty: Option<Surface>,
    /// What it shows elsewhere, if it could be read there.
    pub elsewhere: Option<(Surface, Machine)>,
    /// This machine's values while it was read.
    pub machine: Machine,
    /// The protocol version it spoke.
    pub protocol: String,
    /// The secrets of its launch, to be found where it echoes them.
    pub secrets: Known,
    /// What was skipped or could not be done, in our words.
    pub notes: Vec<String>,
}

impl Shown {
    /// Tools that clients leave away over this transport, because their schemas mark parameters in a way
    /// that is not allowed. On stdio marks mean nothing.
    pub fn unfit(&self) -> Vec<(&str, Unfit)> {
        let is_http = matches!(&self.launch, LaunchPin::Url { sse: false, .. });
        if !is_http || Era::of_protocol(&self.protocol) == Era::Session {
            return Vec::new();
        }
        let tools = self.full.items().filter(|(key, _)| key.kind == Kind::Tool);
        let unfit = tools.filter_map(|(key, value)| {
            Some((key.name.as_str(), marks::of(value.get("inputSchema")?).err()?))
        });
        unfit.collect()
    }
}

/// Why a server could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub reason: String,
    /// What to do.
    pub hint: String,
    /// The last lines of its stderr, secrets masked, neutral.
    pub stderr: Vec<String>,
}

/// The most lines of stderr that a failure keeps.
const STDERR_LINES: usize = 12;

/// Reads a server.
pub async fn read(
    server: &Server,
    launch: &Launch,
    views: Views,
    ground: &Ground,
    tell: &(dyn Fn(Step) + Send + Sync),
) -> Result<Shown, Failure> {
    let Some(entry) = server.entry() else { return Err(Failure::new("it is configured nowhere", "")) };
    let secrets = launchpin::known_secrets(launch);
    tell(Step::Resolving);
    let folder = target::folder(launch, ground.folder_of(entry));
    let before = target::artifact(launch, &folder);
    let options = |capabilities| Options {
        capabilities,
        limits: Limits::default(),
        protocol_hint: server.pin.as_ref().map(|pin| Era::of_protocol(&pin.protocol)),
        ..Options::default()
    };
    let progress = |stage| {
        tell(match stage {
            Stage::Starting => Step::Starting,
            Stage::Reading => Step::Reading,
        });
    };
    let here = target::target(launch, &folder);
    let full = whole(connect::read(&here, &options(Capabilities::Full), &progress).await, &secrets)?;
    let mut notes = full.notes.clone();
    // A package may have been fetched by the start itself: what ran is what is there now.
    let after = target::artifact(launch, &folder);
    if is_replaced(&before.artifact, &after.artifact) {
        notes.push("what it runs was replaced while it was read".to_owned());
    }
    let machine = machine::here(&folder, &after.folders);
    let (mut empty, mut elsewhere) = (None, None);
    if views == Views::All {
        let quiet = |_| {};
        let mut place = Elsewhere::new().ok();
        let there = |place: &Elsewhere| target::elsewhere(launch, &folder, place);
        let (capabilities, limits) = (options(Capabilities::Empty), options(Capabilities::Full));
        let second = async {
            let place = place.as_mut()?;
            let moved = connect::read(&there(place)?, &limits, &quiet).await.ok().filter(is_whole);
            if moved.is_some() || !place.moves_date() {
                return moved;
            }
            // Not every server can be told another date.
            place.today();
            connect::read(&there(place)?, &limits, &quiet).await.ok().filter(is_whole)
        };
        let bare = connect::read(&here, &capabilities, &quiet);
        let (bare, second) = match launch::starts_alone(launch) {
            true => (bare.await, second.await),
            false => tokio::join!(bare, second),
        };
        empty = Some(whole(bare, &secrets)?.surface);
        match (second, place) {
            (Some(second), Some(place)) => {
                let machine = place.machine(&after.folders);
                elsewhere = Some((second.surface, machine));
            }
            _ if matches!(launch, Launch::Command(_)) => {
                notes.push(
                    "could not be read from another home folder; machine-dependent text may go unnoticed"
                        .to_owned(),
                );
            }
            _ => {}
        }
    }
    Ok(Shown {
        launch: ground.pin_of(entry),
        artifact: after.artifact,
        platform: after.platform,
        protocol: full.protocol.clone(),
        full: full.surface,
        empty,
        elsewhere,
        machine,
        secrets,
        notes,
    })
}

fn is_whole(reading: &Reading) -> bool {
    reading.surface.defects().is_empty()
}

/// Whether something else lies where the same version was before the start.
fn is_replaced(before: &Artifact, after: &Artifact) -> bool {
    let changed = |change: &ArtifactChange| {
        matches!(change, ArtifactChange::Files { .. } | ArtifactChange::Content { .. })
    };
    launchpin::compare_artifacts(before, after).iter().any(changed)
}

/// A reading without defects.
fn whole(read: Result<Reading, ConnectError>, secrets: &Known) -> Result<Reading, Failure> {
    let reading = read.map_err(|error| Failure::of(&error, secrets))?;
    match reading.surface.defects() {
        [] => Ok(reading),
        defects => Err(Failure::of_defects(defects)),
    }
}

impl Failure {
    /// A failure in our own words.
    pub fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: hint.into(), stderr: Vec::new() }
    }

    fn of(error: &ConnectError, secrets: &Known) -> Self {
        let reason = show::line(&secrets.mask(&error.to_string()), 400);
        let tail = secrets.mask(&error.stderr_tail);
        let tail = tail.trim();
        let mut lines = if tail.is_empty() { Vec::new() } else { show::block(tail, usize::MAX) };
        let cut = lines.len().saturating_sub(STDERR_LINES);
        lines.drain(..cut);
        Self { reason, hint: error.hint(), stderr: lines }
    }

    fn of_defects(defects: &[Defect]) -> Self {
        let words: Vec<String> = defects.iter().take(3).map(ToString::to_string).collect();
        Self::new(
            words.join("; "),
            "Clients differ in what they make of this, so it cannot be judged: tell the server's author.",
        )
    }
}
