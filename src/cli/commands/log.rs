//! `mcpwatch log`: what happened, filtered and followed; `log verify` looks for the first broken link.

use crate::cli::app::App;
use crate::cli::error::{Error, sentence};
use crate::cli::exit::Exit;
use crate::cli::render::{guard, json, log as render};
use crate::engine::json::{Object, Value};
use crate::engine::lockfile::render_value;
use crate::engine::record::Record;
use crate::store::log::{Gap, Log};
use crate::survey::{SurveyError, pool};
use crate::sys::paths::Paths;
use std::time::Duration;

/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// What the command takes.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Only what concerns these servers
    names: Vec<String>,
    /// Only events of this kind: session, listed, change, block, call, decision, alert, …
    #[arg(long, value_name = "KIND", value_parser = render::kind)]
    kind: Vec<String>,
    /// Only the last events
    #[arg(short = 'n', long, value_name = "COUNT")]
    last: Option<usize>,
    /// Go on with what happens from now on
    #[arg(short, long)]
    follow: bool,
}

/// What else to do with the log.
#[derive(clap::Subcommand, Clone, Copy, Debug)]
pub enum What {
    /// Follow every link and name the first broken one
    Verify,
}

/// Shows or verifies the log.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let paths = Paths::system().map_err(SurveyError::from)?;
    let log = Log::of(&paths);
    if let Some(What::Verify) = args.what {
        return verify(&log, &paths, app);
    }
    let mut seen = 0;
    let mut records = Vec::new();
    for record in log.records()? {
        match record {
            Ok(record) => {
                seen = seen.max(record.seq);
                records.push(record);
            }
            Err(broken) => app.out.warn(&format!("Passed over: {broken}")),
        }
    }
    records.retain(|record| args.wants(record));
    let skipped = args.last.map_or(0, |last| records.len().saturating_sub(last));
    for record in &records[skipped..] {
        print(record, app)?;
    }
    if args.follow { app.block_on(follow(&log, seen, args, app))? } else { Ok(Exit::Done) }
}

impl Args {
    fn wants(&self, record: &Record) -> bool {
        let named = |server: &str| self.names.iter().any(|name| name == server);
        let by_name = self.names.is_empty() || record.event.server().is_some_and(named);
        by_name && (self.kind.is_empty() || self.kind.iter().any(|kind| kind == record.event.name()))
    }
}

/// What is gone, when that was noticed, and what could explain it.
fn gap_words(gap: &Gap) -> String {
    let gone = render::missing(gap.after, gap.last);
    let noticed = gap.noticed.map(|at| format!(", noticed {}", time(at))).unwrap_or_default();
    let why = match gap.durable {
        true => "; a decision or a whole file is among them, so somebody took them away",
        false => "; somebody took them away, or the machine lost its power",
    };
    format!("{gone}{noticed}{}.", if gap.noticed.is_none() { why } else { "" })
}

fn gap_value(gap: &Gap) -> Value {
    let number = |number: u64| json::number(usize::try_from(number).unwrap_or(usize::MAX));
    let mut value = Object::new();
    value.insert("after", number(gap.after));
    value.insert("last", gap.last.map_or(Value::Null, number));
    value.insert("noticed", gap.noticed.map_or(Value::Null, json::moment));
    Value::Object(value)
}

/// A time as people read it here.
fn time(at: u64) -> String {
    let at = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    let local = |at: jiff::Timestamp| at.to_zoned(jiff::tz::TimeZone::system());
    at.map(|at| local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

fn print(record: &Record, app: &App) -> Result<(), Error> {
    if app.common.json() {
        // A line a record, so that it can be followed.
        let line = render_value(&record.to_value()).split('\n').map(str::trim_start).collect::<String>();
        return app.out.data(&format!("{line}\n"));
    }
    app.out.data(&render::line(record, &time(record.at)))
}

async fn follow(log: &Log, seen: u64, args: &Args, app: &App) -> Result<Exit, Error> {
    let mut follower = log.follow(seen);
    let mut interrupted = std::pin::pin!(pool::interrupted());
    loop {
        tokio::select! {
            () = &mut interrupted => return Err(Error::Interrupted),
            () = tokio::time::sleep(LOOK) => {}
        }
        for record in follower.poll()? {
            if args.wants(&record) {
                print(&record, app)?;
            }
        }
    }
}

fn verify(log: &Log, paths: &Paths, app: &App) -> Result<Exit, Error> {
    let verified = log.verify()?;
    let is_whole = verified.as_ref().is_ok_and(|sound| sound.gaps.is_empty());
    let other_store = guard::other_store(paths);
    let exit = if is_whole && other_store.is_none() { Exit::Done } else { Exit::ChangeWaits };
    if app.common.json() {
        let mut members = Object::new();
        match &verified {
            Ok(sound) => {
                members.insert("lines", json::number(usize::try_from(sound.lines).unwrap_or(usize::MAX)));
                members.insert("files", json::number(sound.files));
                members.insert("startsLate", sound.starts_late);
                members.insert("gaps", sound.gaps.iter().map(gap_value).collect::<Vec<Value>>());
            }
            Err(broken) => {
                members.insert("file", broken.file.to_string_lossy().into_owned());
                members.insert("line", json::number(usize::try_from(broken.line).unwrap_or(usize::MAX)));
                members.insert("message", broken.damage.to_string());
            }
        }
        members.insert("sound", is_whole);
        members.insert("trustStoreAsWritten", other_store.is_none());
        app.out.data(&json::document("log verify", exit, &[exit], members))?;
        return Ok(exit);
    }
    if let Some(words) = other_store {
        app.out.warn(&sentence(&words));
    }
    match verified {
        Ok(sound) => {
            let late = if sound.starts_late { " Older files were removed." } else { "" };
            let (lines, files) = (sound.lines, sound.files);
            if sound.gaps.is_empty() {
                app.out.data(&format!("Sound: {lines} lines in {files} files.{late}\n"))?;
            }
            for gap in &sound.gaps {
                app.out.data(&format!("Missing: {}\n", gap_words(gap)))?;
            }
            if !sound.gaps.is_empty() {
                app.out.data(&format!("What is left is sound: {lines} lines in {files} files.{late}\n"))?;
            }
        }
        Err(broken) => app.out.data(&format!("Broken: {broken}\n"))?,
    }
    Ok(exit)
}
