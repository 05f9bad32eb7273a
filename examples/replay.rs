//! Replays recorded listings: how much a person would have had to decide and to read.
//!
//! `cargo run --release --example replay -- DIR [--json]` reads recordings (`DIR/…/SERVER/VERSION/`,
//! each with `tools.jsonl` and the like), compares each server's releases in order and each repeated
//! run with the first, and prints the figures that `docs/quiet.md` quotes. Two releases are a pair if
//! no recorded release lies between them. `--show SERVER [FROM]` prints the reviews themselves,
//! `--full` unfolded; `--list` prints one line a pair.

use mcpwatch::engine::diff::{self, Cause, ChangeSet, Class, Context, Subject, View, What};
use mcpwatch::engine::json::{self, Value};
use mcpwatch::engine::launchpin::LaunchPin;
use mcpwatch::engine::lockfile::{Pin, ServerPin};
use mcpwatch::engine::placeholder::{self, Machine, Name};
use mcpwatch::engine::review;
use mcpwatch::engine::surface::{ItemKey, Kind, Surface};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// How far the clock of the second machine was ahead.
const CLOCK_AHEAD: u64 = 200 * 24 * 60 * 60 * 1000;

struct Options {
    folder: PathBuf,
    json: bool,
    list: bool,
    full: bool,
    show: Vec<String>,
}

/// One server's recordings.
struct Server {
    name: String,
    folder: PathBuf,
    /// The releases that were recorded, in order.
    versions: Vec<String>,
}

/// One recording: what the server showed, where it was readable, and when that was.
struct Recording {
    surface: Surface,
    now: u64,
}

/// One pair of releases.
struct Pair {
    server: String,
    from: String,
    to: String,
    set: ChangeSet,
    size: review::Size,
}

#[derive(Default)]
struct Reruns {
    runs: usize,
    before: Vec<String>,
    after: BTreeMap<String, String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let servers = servers(&options.folder)?;
    if servers.is_empty() {
        return Err(format!("no recordings under {}", options.folder.display()).into());
    }
    let mut pairs = Vec::new();
    let mut reruns = Reruns::default();
    let mut unreadable = Vec::new();
    for server in &servers {
        replay(server, &mut pairs, &mut reruns, &mut unreadable);
    }
    let mut out = String::new();
    if !options.show.is_empty() || options.list {
        show(&options, &pairs, &mut out)?;
    } else if options.json {
        out = json_report(&servers, &pairs, &reruns)?;
    } else {
        report(&servers, &pairs, &reruns, &unreadable, &mut out)?;
    }
    std::io::stdout().lock().write_all(out.as_bytes())?;
    Ok(())
}

fn options() -> Result<Options, Box<dyn Error>> {
    let usage = "usage: replay DIR [--json] [--list] [--show SERVER [FROM]] [--full]";
    let mut options =
        Options { folder: PathBuf::new(), json: false, list: false, full: false, show: Vec::new() };
    let mut folder = None;
    let mut showing = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => options.json = true,
            "--list" => options.list = true,
            "--full" => options.full = true,
            "--show" => showing = true,
            word if word.starts_with("--") => return Err(usage.into()),
            word if showing && options.show.len() < 2 => options.show.push(word.to_owned()),
            word => folder = Some(PathBuf::from(word)),
        }
    }
    options.folder = folder.ok_or(usage)?;
    Ok(options)
}

/// Finds every folder that holds recordings of releases.
fn servers(folder: &Path) -> Result<Vec<Server>, Box<dyn Error>> {
    let mut children: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            children.push(entry.path());
        }
    }
    children.sort();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let recorded =
        |path: &&PathBuf| path.join("initialize.jsonl").exists() || path.join("tools.jsonl").exists();
    let mut releases: Vec<String> =
        children.iter().filter(recorded).map(|path| name(path)).filter(|name| !name.contains("@@")).collect();
    if releases.is_empty() {
        let mut found = Vec::new();
        for child in children {
            found.extend(servers(&child)?);
        }
        return Ok(found);
    }
    let order: Vec<String> = std::fs::read(folder.join("versions.json"))
        .ok()
        .and_then(|bytes| json::parse(&bytes).ok())
        .and_then(|list| Some(list.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
        .unwrap_or_default();
    releases.sort_by_key(|release| {
        let place = order.iter().position(|version| version == release);
        (place.unwrap_or(usize::MAX), version_key(release))
    });
    Ok(vec![Server { name: name(folder).replace("__", "/"), folder: folder.to_owned(), versions: releases }])
}

/// Versions by their numbers, for servers without a `versions.json`.
fn version_key(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

fn replay(server: &Server, pairs: &mut Vec<Pair>, reruns: &mut Reruns, unreadable: &mut Vec<String>) {
    let mut last: Option<(String, ServerPin, u64)> = None;
    for version in &server.versions {
        let folder = server.folder.join(version);
        let recording = match read(&folder, None) {
            Ok(recording) => recording,
            Err(why) => {
                unreadable.push(format!("{} {version}: {why}", server.name));
                continue;
            }
        };
        if let Some((from, pin, _)) = &last {
            let cause = Cause::Upgrade { from: from.clone(), to: version.clone() };
            let machine = first_machine(recording.now);
            let set = compare(pin, &recording.surface, &machine, cause);
            let size = review::size(&set, false);
            let (server, from, to) = (server.name.clone(), from.clone(), version.clone());
            pairs.push(Pair { server, from, to, set, size });
        }
        let pin = rerun(server, version, &folder, &recording, reruns);
        last = Some((version.clone(), pin, recording.now));
    }
}

/// Compares the repeated runs of a release with the first; gives the pin that `init` would make.
fn rerun(server: &Server, version: &str, folder: &Path, first: &Recording, reruns: &mut Reruns) -> ServerPin {
    let (machine, moved) = (first_machine(first.now), second_machine(first.now + CLOCK_AHEAD));
    let plain = pin(&first.surface, &first.surface, &machine, &machine, false);
    let Ok(other) = read(folder, Some("runB")) else {
        return plain;
    };
    let proposed = pin(&first.surface, &other.surface, &machine, &moved, true);
    for (run, machine) in [("runA2", &machine), ("runB", &moved)] {
        let Ok(again) = read(folder, Some(run)) else { continue };
        reruns.runs += 1;
        if compare(&plain, &again.surface, machine, Cause::NothingUpgraded).interrupts()
            && !reruns.before.contains(&server.name)
        {
            reruns.before.push(server.name.clone());
        }
        let set = compare(&proposed, &again.surface, machine, Cause::NothingUpgraded);
        if let Some(change) = set.changes.iter().find(|change| change.key.kind != Kind::ServerInfo) {
            let what = match &change.what {
                What::Added { .. } => "added".to_owned(),
                What::Removed { .. } => "removed".to_owned(),
                What::Changed { edits, .. } => {
                    edits.first().map(|edit| edit.path.to_string()).unwrap_or_default()
                }
            };
            let why = format!("{version} {run}: {} {} {what}", change.key.kind.singular(), change.key.name);
            reruns.after.entry(server.name.clone()).or_insert(why);
        }
    }
    proposed
}

/// The pins of a surface that was read twice, differences explained by placeholders if asked.
fn pin(first: &Surface, second: &Surface, a: &Machine, b: &Machine, propose: bool) -> ServerPin {
    let launch = LaunchPin::Url { url: String::new(), sse: false, headers: BTreeMap::new() };
    let mut pin = ServerPin::new(launch, first.protocol.clone());
    for (key, value) in first.items() {
        let again = second.get(key).unwrap_or(value);
        let pattern = match propose {
            true => placeholder::propose(value, again, a, b).pattern,
            false => placeholder::literal(value),
        };
        let key = ItemKey::new(key.kind, placeholder::literal_text(&key.name));
        let kind = key.kind;
        pin.items.insert(key, Pin::of(kind, pattern));
    }
    pin
}

fn compare(pin: &ServerPin, offered: &Surface, machine: &Machine, cause: Cause) -> ChangeSet {
    diff::compare(
        pin,
        offered,
        &Context { machine, view: View::Empty, platform: "linux-x86_64".to_owned(), cause },
    )
}

fn first_machine(now: u64) -> Machine {
    Machine::new(now)
        .with(Name::Home, "/home/alice")
        .with(Name::Cwd, "/home/alice/proj")
        .with(Name::User, "alice")
        .with(Name::Host, "box-a")
        .with(Name::Tz, "UTC")
        .with(Name::App, "/srv/mcp/app")
}

fn second_machine(now: u64) -> Machine {
    Machine::new(now)
        .with(Name::Home, "/home/bob")
        .with(Name::Cwd, "/home/bob/work/other-project")
        .with(Name::User, "bob")
        .with(Name::Host, "box-b")
        .with(Name::Tz, "Asia/Tokyo")
        .with(Name::App, "/srv/other/place/app")
}

/// Reads one recording; of a repeated run, files that are missing are those of the first.
fn read(folder: &Path, run: Option<&str>) -> Result<Recording, String> {
    let answers = |name: &str| -> Result<Vec<Value>, String> {
        let repeated = run.map(|run| folder.join(run).join(name)).filter(|path| path.exists());
        let path = repeated.unwrap_or_else(|| folder.join(name));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(format!("{name}: {error}")),
        };
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        lines.map(|line| json::parse(line).map_err(|refusal| format!("{name}: {refusal}"))).collect()
    };
    let mut surface = Surface::default();
    let opening = answers("initialize.jsonl")?;
    match opening.iter().find_map(|answer| answer.get("result")) {
        Some(result) => surface.add_opening(result),
        None if opening.is_empty() => {}
        None => return Err("initialize failed".to_owned()),
    }
    let lists = [
        (Kind::Tool, "tools"),
        (Kind::Prompt, "prompts"),
        (Kind::Resource, "resources"),
        (Kind::Template, "templates"),
        (Kind::Skill, "skills"),
    ];
    for (kind, name) in lists {
        let pages = answers(&format!("{name}.jsonl"))?;
        let results = pages.iter().filter_map(|answer| answer.get("result")).count();
        if kind == Kind::Tool && results < pages.len() && results > 0 {
            return Err("a page of tools failed".to_owned());
        }
        for answer in pages {
            if let Some(result) = answer.get("result") {
                surface.add_page(kind, result.clone());
            }
        }
    }
    let meta = std::fs::read(folder.join("meta.json")).ok().and_then(|bytes| json::parse(&bytes).ok());
    let meta = meta.unwrap_or(Value::Null);
    if let Some(defect) = surface.defects().first() {
        return Err(defect.to_string());
    }
    let status = meta.at(&["runs", run.map_or("A", |run| run.trim_start_matches("run")), "status"]);
    if status.and_then(Value::as_str).is_some_and(|status| status != "ok") {
        return Err("the recorded run failed".to_owned());
    }
    if run.is_some() && status.is_none() && meta != Value::Null {
        return Err("not recorded".to_owned());
    }
    let captured = meta.get("captured_at").and_then(Value::as_str);
    let now =
        captured.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map_or(0, |t| t.as_millisecond());
    Ok(Recording { surface, now: u64::try_from(now).unwrap_or(0) })
}

/// The pairs in which there is something to decide.
fn changed(pairs: &[Pair]) -> Vec<&Pair> {
    pairs.iter().filter(|pair| pair.set.interrupts()).collect()
}

/// The median, the ninetieth percentile (nearest rank) and the largest.
fn spread(mut numbers: Vec<usize>) -> [usize; 3] {
    numbers.sort_unstable();
    let rank = |percent: usize| (numbers.len() * percent).div_ceil(100).saturating_sub(1);
    let at = |index: usize| numbers.get(index).copied().unwrap_or(0);
    [at(rank(50)), at(rank(90)), at(numbers.len().saturating_sub(1))]
}

/// Of all edits in changed items, how many are noise.
fn noise_share(pairs: &[&Pair]) -> f64 {
    let (mut noise, mut all) = (0_u32, 0_u32);
    for change in pairs.iter().flat_map(|pair| &pair.set.changes) {
        if let What::Changed { edits, .. } = &change.what {
            for edit in edits {
                all += 1;
                noise += u32::from(matches!(edit.class, Class::Noise(_)));
            }
        }
    }
    if all == 0 { 0.0 } else { f64::from(noise) / f64::from(all) }
}

fn json_report(servers: &[Server], pairs: &[Pair], reruns: &Reruns) -> Result<String, Box<dyn Error>> {
    let changed = changed(pairs);
    let spread = |of: fn(&Pair) -> usize| {
        let [median, p90, max] = spread(changed.iter().map(|pair| of(pair)).collect());
        serde_json::json!({ "median": median, "p90": p90, "max": max })
    };
    let after: Vec<_> = reruns
        .after
        .iter()
        .map(|(server, why)| serde_json::json!({ "server": server, "why": why }))
        .collect();
    let report = serde_json::json!({
        "servers": servers.len(),
        "pairs": pairs.len(),
        "changed_pairs": changed.len(),
        "decisions": spread(|pair| pair.size.decisions),
        "lines": spread(|pair| pair.size.lines),
        "noise_share": (noise_share(&changed) * 10_000.0).round() / 10_000.0,
        "reruns": { "runs": reruns.runs, "alarm_before": reruns.before, "alarm_after": after },
    });
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn report(
    servers: &[Server],
    pairs: &[Pair],
    reruns: &Reruns,
    unreadable: &[String],
    out: &mut String,
) -> std::fmt::Result {
    let changed = changed(pairs);
    writeln!(out, "{} servers, {} pairs of releases, {} changed", servers.len(), pairs.len(), changed.len())?;
    for (what, of) in
        [("decisions", (|pair| pair.size.decisions) as fn(&Pair) -> usize), ("lines", |pair| pair.size.lines)]
    {
        let [median, p90, max] = spread(changed.iter().map(|pair| of(pair)).collect());
        writeln!(out, "{what}: median {median}, p90 {p90}, max {max}")?;
    }
    writeln!(out, "noise: {:.1} % of the edits", noise_share(&changed) * 100.0)?;
    writeln!(
        out,
        "{} repeated runs; alarming before placeholders: {}",
        reruns.runs,
        reruns.before.join(", ")
    )?;
    writeln!(out, "alarming after placeholders: {}", reruns.after.len())?;
    for (server, why) in &reruns.after {
        writeln!(out, "  {server}: {why}")?;
    }
    for why in unreadable {
        writeln!(out, "not compared: {why}")?;
    }
    Ok(())
}

fn show(options: &Options, pairs: &[Pair], out: &mut String) -> std::fmt::Result {
    let (server, from) = (options.show.first(), options.show.get(1));
    for pair in pairs {
        let wanted = server.is_none_or(|server| pair.server.contains(server.as_str()));
        if !wanted || from.is_some_and(|from| *from != pair.from) || pair.set.is_empty() {
            continue;
        }
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for decision in &pair.set.decisions {
            let kind = match &decision.subject {
                Subject::Added(_) => "added",
                Subject::Renamed(_) => "renamed",
                Subject::Edited(_) => "edited",
                Subject::Removed { .. } => "removed",
                Subject::Noise(_) => "noise",
            };
            *kinds.entry(kind).or_default() += 1;
        }
        writeln!(out, "=== {} {} → {}: {} {kinds:?}", pair.server, pair.from, pair.to, pair.size)?;
        if !options.list {
            for line in review::lines(&pair.set, options.full) {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}
