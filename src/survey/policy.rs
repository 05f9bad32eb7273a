//! The floors that an administrator sets: `/etc/mcpwatch/policy.toml`.
//!
//! Promises: it counts only if root alone can write it, and every folder above it; one that is there and
//! cannot be used is an error, never no floor. No variable moves it. With `MCPWATCH_HOME` a `policy.toml`
//! in that folder's `config` counts too, whosever it is: a second policy can only tighten.

use super::SurveyError;
use super::content::{self, ConfigError};
use crate::engine::approval::Level;
use crate::engine::settings::policy::{self, Policy};
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
    #[error(transparent)]
    Content(#[from] ConfigError),
    /// It forbids what was asked for.
    #[error("this machine's policy ({}) refuses {what}", path.display())]
    Refuses {
        /// The file.
        path: PathBuf,
        /// What, in our words.
        what: &'static str,
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
            PolicyError::Content(_) => "docs/config.md says what a policy takes.".to_owned(),
            PolicyError::Refuses { .. } => "Ask whoever administers this machine.".to_owned(),
        }
    }
}

/// The floors that hold here.
pub fn load(paths: &Paths) -> Result<Policy, SurveyError> {
    let machine = read(&paths.policy, is_roots)?;
    let own = paths.own_policy().map(|own| read(&own, |_| true)).transpose()?;
    Ok(machine.and(own.unwrap_or_default()))
}

/// The least level that the policy allows; `None` where it says nothing of it.
pub fn floor(paths: &Paths) -> Result<Option<Level>, SurveyError> {
    Ok(load(paths)?.level)
}

/// An error where a policy refuses.
pub fn allow(
    paths: &Paths,
    refuses: impl Fn(&Policy) -> bool,
    what: &'static str,
) -> Result<(), SurveyError> {
    if refuses(&load(paths)?) {
        return Err(PolicyError::Refuses { path: paths.policy.clone(), what }.into());
    }
    Ok(())
}

fn read(path: &Path, may_count: impl Fn(&Path) -> bool) -> Result<Policy, PolicyError> {
    let Some(bytes) = files::read(path, LIMIT)? else { return Ok(Policy::default()) };
    if !may_count(path) {
        return Err(PolicyError::Open(path.to_owned()));
    }
    Ok(content::read(path, bytes, policy::parse)?)
}

/// Whether root alone can write a file, links followed, and can put another in its place.
#[cfg(unix)]
fn is_roots(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(path) = path.canonicalize() else { return false };
    path.ancestors()
        .all(|part| part.metadata().is_ok_and(|metadata| is_closed(metadata.uid(), metadata.mode())))
}

#[cfg(unix)]
fn is_closed(uid: u32, mode: u32) -> bool {
    uid == 0 && mode & 0o022 == 0
}

/// On Windows the folder's access list is the administrator's affair.
#[cfg(not(unix))]
fn is_roots(_path: &Path) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn root_alone_may_write_it() {
        let table = [
            (0, 0o100_644, true),
            (0, 0o100_600, true),
            (0, 0o040_755, true),
            (0, 0o100_664, false),
            (0, 0o100_646, false),
            (0, 0o041_777, false),
            (1000, 0o100_644, false),
            (1000, 0o100_600, false),
        ];
        for (uid, mode, expected) in table {
            assert_eq!(is_closed(uid, mode), expected, "{uid} {mode:o}");
        }
        // Whoever runs this: a folder that everybody can write to lies above.
        let folder = tempfile::Builder::new().tempdir_in(std::env::temp_dir()).unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, "level = \"code\"").unwrap();
        assert!(matches!(read(&path, is_roots), Err(PolicyError::Open(_))));
        assert_eq!(read(&path, |_| true).unwrap().level, Some(Level::Code));
        assert_eq!(read(&folder.path().join("none"), is_roots).unwrap(), Policy::default());
    }

    #[test]
    fn a_second_policy_only_tightens_and_the_first_does_not_move() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        let os = crate::sys::paths::Os::current();
        let moved = Paths::of(os, &[("MCPWATCH_HOME".to_owned(), home.clone())].into()).unwrap();
        let plain = Paths::of(os, &[("HOME".to_owned(), home)].into()).unwrap();
        assert_eq!(moved.policy, plain.policy);
        assert_eq!(plain.own_policy(), None, "without MCPWATCH_HOME there is one policy");
        let own = moved.own_policy().unwrap();
        std::fs::create_dir_all(own.parent().unwrap()).unwrap();
        std::fs::write(&own, "level = \"code\"").unwrap();
        assert!(floor(&moved).unwrap() >= Some(Level::Code));
        std::fs::write(&own, "level = \"nothing\"").unwrap();
        assert!(load(&moved).is_err(), "one that cannot be read is no missing one");
    }
}
