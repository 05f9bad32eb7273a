//! Everything a server shows a model, for people: a line an item, or every text whole.

use super::human::{BOLD, DIM, YELLOW, paint};
use super::{listing, outcome, review};
use crate::engine::diff::{self, Cause, Context, View};
use crate::engine::json::Value;
use crate::engine::launchpin::Artifact;
use crate::engine::lockfile::ServerPin;
use crate::engine::review as lines;
use crate::engine::show;
use crate::engine::surface::{Kind, Surface};
use crate::survey::Ground;
use crate::survey::judge::Outcome;
use crate::survey::plan::Server;
use crate::survey::reading::Shown;
use std::fmt::Write;

/// The most characters of an item's own words on its line.
const WORDS: usize = 100;

/// One server and what became of reading it.
pub fn server(server: &Server, found: &Outcome, full: bool, ground: &Ground) -> String {
    let (shown, state) = match found {
        Outcome::Failed(failure) => return outcome::failed(server, failure) + "\n",
        Outcome::NotStarted(why) => return outcome::not_started(server, why) + "\n",
        Outcome::Disabled => return format!("- {}  {}\n", listing::heading(server), paint(DIM, "disabled")),
        Outcome::AsPinned(change) => (&change.shown, "as pinned".to_owned()),
        Outcome::NotPinned(new) => (&new.shown, "not pinned".to_owned()),
        Outcome::Changed(change) => (&change.shown, paint(YELLOW, "changed")),
    };
    let mut text = outcome::read(server, &shown.full, &state) + "\n";
    let _ = writeln!(text, "    {}", listing::launch(server, ground));
    if let Some(words) = artifact(&shown.artifact) {
        let _ = writeln!(text, "    {}", paint(DIM, &words));
    }
    for place in listing::places(server, ground) {
        let _ = writeln!(text, "    {}", paint(DIM, &place));
    }
    for note in &shown.notes {
        let _ = writeln!(text, "    {}", paint(DIM, &format!("· {}", show::line(note, 300))));
    }
    for note in outcome::unfit(shown) {
        let _ = writeln!(text, "    {}", paint(YELLOW, &format!("! {note}")));
    }
    let items = if full { whole(shown) } else { short(&shown.full) };
    for line in items {
        let _ = writeln!(text, "    {line}");
    }
    text.push('\n');
    text
}

/// What a launch runs, in a few words; `None` where there is nothing to say.
pub fn artifact(artifact: &Artifact) -> Option<String> {
    let words = show::line(&artifact.describe(), 200);
    match artifact {
        Artifact::Package { floating: true, version, .. } => Some(format!(
            "runs {words}; the launch asks for no exact version, {} stands still until you approve another",
            show::line(version, 40)
        )),
        Artifact::Package { .. } | Artifact::Script { .. } | Artifact::Binary { .. } => {
            Some(format!("runs {words}"))
        }
        Artifact::Unknown(reason) => Some(format!("what it runs is not known: {}", show::line(reason, 160))),
        Artifact::Remote => None,
    }
}

/// A line an item: its name and the start of its words.
fn short(surface: &Surface) -> Vec<String> {
    let mut lines = Vec::new();
    for kind in Kind::ALL {
        for (name, value) in surface.of_kind(kind) {
            let words = match (kind, value) {
                (Kind::Capabilities | Kind::ServerInfo | Kind::Request, _) => continue,
                (_, Value::String(text)) => text.as_str(),
                (_, value) => {
                    value.get("description").or(value.get("title")).and_then(Value::as_str).unwrap_or("")
                }
            };
            let title = if kind.is_single() { String::new() } else { format!(" {}", show::name(name)) };
            let words = show::line(words.trim(), WORDS);
            lines.push(format!("{}{}  {}", paint(DIM, kind.singular()), paint(BOLD, &title), words));
        }
    }
    lines
}

/// Every word, as a review of additions to nothing.
fn whole(shown: &Shown) -> Vec<String> {
    let nothing = ServerPin::new(shown.launch.clone(), shown.protocol.clone());
    let context =
        Context { machine: &shown.machine, view: View::Full, platform: String::new(), cause: Cause::Unknown };
    let set = diff::compare(&nothing, &shown.full, &context);
    lines::lines(&set, true).iter().skip(1).map(review::line).collect()
}
