//! What guards decisions here, as far as it is not the default: level, loosened settings, policy.

use super::human::{DIM, YELLOW, paint};
use super::json;
use crate::engine::approval::Level;
use crate::engine::json::{Object, Value};
use crate::engine::settings::Settings;
use crate::engine::show;
use crate::store::log::Log;
use crate::store::trust;
use crate::survey::Ground;
use crate::survey::settings::{self, InForce};
use crate::sys::paths::Paths;
use crate::{cli::error::sentence, survey::SurveyError};
use std::path::Path;

/// A line for each.
pub fn lines(ground: &Ground) -> Vec<String> {
    let mut lines = Vec::new();
    let found = [other_store(&ground.paths), no_log(ground)];
    lines.extend(found.into_iter().flatten().map(|words| paint(YELLOW, &words)));
    let file = ground.paths.config_file();
    match settings::of(ground) {
        Err(error) => lines.push(paint(YELLOW, &unusable(&error))),
        Ok(found) => {
            if !found.weakened.is_empty() {
                let values = show::line(&found.loosened().join(", "), 400);
                let standing = if found.is_accepted {
                    paint(DIM, "you accepted that")
                } else {
                    paint(YELLOW, "that does not hold: run `mcpwatch trust --settings`")
                };
                lines.push(format!("{} loosens the watch: {values}; {standing}", file.display()));
            }
            lines.extend(contents(&found.settings, &file).map(|words| paint(YELLOW, &words)));
            let floors = found.policy.floors();
            if !floors.is_empty() {
                lines.push(paint(DIM, &format!("this machine's policy: {}", floors.join(", "))));
            }
        }
    }
    if let Some(trust) = &ground.trust {
        if trust.level != Level::Terminal {
            lines.push(paint(DIM, &format!("decisions need the level `{}`", trust.level)));
        }
        if trust.allows_brought {
            lines.push(paint(
                YELLOW,
                "an environment may bring its own trust: `mcpwatch trust --brought refuse`",
            ));
        }
    }
    lines
}

/// The same for programs.
pub fn members(ground: &Ground, members: &mut Object) {
    match settings::of(ground) {
        Err(error) => {
            members.insert("settingsProblem", error.to_string());
        }
        Ok(InForce { settings, weakened, is_accepted, policy, .. }) => {
            members
                .insert("logContents", json::texts(settings.logging_contents().iter().map(String::as_str)));
            let weakened: Object = weakened.into_iter().collect();
            members.insert("loosened", weakened);
            members.insert("loosenedAccepted", is_accepted);
            let floors: Vec<Value> = policy.floors().into_iter().map(Value::from).collect();
            members.insert("policy", floors);
        }
    }
    members.insert("trustStoreAsWritten", trust::is_as_written(&ground.paths));
    let level = ground.trust.as_ref().map_or(Level::Terminal, |trust| trust.level);
    members.insert("level", level.to_string());
}

/// What is said of a trust store that is not what we wrote.
pub fn other_store(paths: &Paths) -> Option<String> {
    let words = "the trust store is not as mcpwatch wrote it: somebody edited it, or put an older one back. \
                 `mcpwatch log --kind decision` lists what was decided; what you did not decide ends with \
                 `mcpwatch trust --revoke` and `mcpwatch trust --brought refuse`";
    (!trust::is_as_written(paths)).then(|| words.to_owned())
}

/// That the log cannot be written now, whether a daemon runs to say so or not.
fn no_log(ground: &Ground) -> Option<String> {
    let error = Log::of(&ground.paths).try_out().err()?;
    Some(format!("{error}; blocking goes on without it. {}", sentence(&error.hint())))
}

/// That the log keeps what may be secret, if it does.
pub fn contents(settings: &Settings, file: &Path) -> Option<String> {
    let keys = settings.logging_contents();
    let which = show::line(&keys.join(", "), 400);
    let words = format!(
        "the log keeps the arguments of calls, which can hold secrets: {which} in {}",
        file.display()
    );
    (!keys.is_empty()).then_some(words)
}

fn unusable(error: &SurveyError) -> String {
    format!("gates are closed: {} {}", sentence(&error.to_string()), sentence(&error.hint()))
}
