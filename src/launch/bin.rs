//! Executables: found as the system finds them, followed to what they really are.

use super::Context;
use crate::sys::program::{ENDINGS, with_ending};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most of a file that is read to see whether it is a launcher.
const HEAD: usize = 8 * 1024;

impl Context {
    /// The file that a program's name means: as a path, or looked up in `PATH`.
    pub(super) fn find_program(&self, program: &str) -> Option<PathBuf> {
        if program.contains('/') || (self.is_windows() && program.contains('\\')) {
            return self.executable(&self.cwd.join(program));
        }
        let separator = if self.is_windows() { ';' } else { ':' };
        let path = self.var("PATH").unwrap_or_default();
        // Windows looks into the working folder first.
        let here = self.is_windows().then(|| self.cwd.clone());
        let folders =
            path.split(separator).filter(|folder| !folder.is_empty()).map(|folder| self.cwd.join(folder));
        here.into_iter().chain(folders).find_map(|folder| self.executable(&folder.join(program)))
    }

    /// The file itself, or with one of the endings that Windows adds.
    pub(super) fn executable(&self, file: &Path) -> Option<PathBuf> {
        if !self.is_windows() {
            return is_executable(file).then(|| file.to_owned());
        }
        with_ending(file, self.var("PATHEXT").unwrap_or(ENDINGS))
    }

    /// The executable of that name in the `node_modules/.bin` of this folder or one above.
    pub(super) fn node_bin_above(&self, folder: &Path, name: &str) -> Option<PathBuf> {
        folder.ancestors().find_map(|folder| self.executable(&folder.join("node_modules/.bin").join(name)))
    }
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// The file behind symlinks and the launchers that npm, pnpm and bun write in their place.
pub(super) fn target(file: &Path) -> PathBuf {
    let mut real = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    for _ in 0..4 {
        let Some(next) = launched(&real) else { break };
        real = next;
    }
    real
}

/// What a launcher of `node_modules/.bin` starts, from its text.
fn launched(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    let text = head(file)?;
    let script = text.starts_with("#!") || text.starts_with("@") || text.contains("%~dp0");
    // In a folder named `.bin` only: elsewhere a script is what it is.
    if !script || folder.file_name()? != ".bin" && !text.contains("%~dp0") {
        return None;
    }
    ["$basedir/", "${basedir}/", "%dp0%\\", "%~dp0\\", "%~dp0"].iter().find_map(|base| {
        text.match_indices(base).find_map(|(at, base)| {
            let rest = &text[at + base.len()..];
            let end = rest.find(['"', '\'', '\n', '\r'])?;
            let relative = rest[..end].trim().replace('\\', "/");
            let target = folder.join(&relative).canonicalize().ok()?;
            let is_node = target.file_stem().is_some_and(|stem| stem == "node");
            (!is_node && target.is_file() && target != file).then_some(target)
        })
    })
}

/// The start of a file, if it is text.
pub(super) fn head(file: &Path) -> Option<String> {
    // With room for one byte more, the end is seen without asking for it in small pieces.
    let mut bytes = Vec::with_capacity(HEAD + 1);
    fs::File::open(file).ok()?.take(HEAD as u64).read_to_end(&mut bytes).ok()?;
    if bytes.contains(&0) {
        return None;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
