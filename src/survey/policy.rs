//! The floor that an administrator sets: `/etc/mcpwatch/policy.toml`.
//!
//! Promises: it counts only if root alone can write it; one that is there and cannot be used is an
//! error, never no floor.

use super::SurveyError;
use crate::engine::approval::Level;
use crate::sys::files::{self, FilesError};
use crate::sys::paths::Paths;
use std::path::{Path, PathBuf};

/// The largest policy.
const LIMIT: u64 = 1 << 16;

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It could not be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It is not root's, or others may write it.
    #[error("{} can be written by others than root", .0.display())]
    Open(PathBuf),
    /// It does not say what a policy says.
    #[error("{}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl PolicyError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            PolicyError::Files(error) => error.hint(),
            PolicyError::Open(path) => {
                format!("As root: chown root {0} && chmod 644 {0}; or remove it.", path.display())
            }
            PolicyError::Content { .. } => {
                "It takes one key: level = \"terminal\", \"code\" or \"signed\".".to_owned()
            }
        }
    }
}

/// The least level that the policy allows; `None` where there is no policy.
pub fn floor(paths: &Paths) -> Result<Option<Level>, SurveyError> {
    let path = &paths.policy;
    let Some(bytes) = files::read(path, LIMIT).map_err(PolicyError::from)? else { return Ok(None) };
    if !is_roots(path) {
        return Err(PolicyError::Open(path.clone()).into());
    }
    let content = |why: String| PolicyError::Content { path: path.clone(), why };
    let text = String::from_utf8(bytes).map_err(|_| content("it is not UTF-8".to_owned()))?;
    Ok(parse(&text).map_err(content)?)
}

fn parse(text: &str) -> Result<Option<Level>, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    if let Some(key) = table.keys().find(|key| *key != "level") {
        return Err(format!("the key {key:?} is not known"));
    }
    let Some(level) = table.get("level") else { return Ok(None) };
    let level = level.as_str().ok_or("`level` must be text")?;
    level.parse().map(Some).map_err(|error: crate::engine::approval::NotThat| error.to_string())
}

#[cfg(unix)]
fn is_roots(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let ours = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|metadata| metadata.uid() == 0 && metadata.mode() & 0o022 == 0)
    };
    ours(path) && path.parent().is_none_or(ours)
}

/// On Windows the folder's access list is the administrator's affair.
#[cfg(not(unix))]
fn is_roots(_path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_says() {
        let table = [
            ("", Ok(None)),
            ("level = \"code\"", Ok(Some(Level::Code))),
            ("level = \"signed\"\n", Ok(Some(Level::Signed))),
            ("level = \"none\"", Err("not a level")),
            ("level = 1", Err("must be text")),
            ("lvl = \"code\"", Err("is not known")),
        ];
        for (text, expected) in table {
            match (parse(text), expected) {
                (Ok(level), Ok(expected)) => assert_eq!(level, expected, "{text}"),
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{text}: {why}"),
                (found, _) => assert!(found.is_err() == expected.is_err(), "{text}: {found:?}"),
            }
        }
    }
}
