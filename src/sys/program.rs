//! Names on Windows: which file a program's name means, and how a path is spelled so that every program
//! takes it.
//!
//! Promises: one rule for whoever judges a program and for whoever starts it, so that the file that was
//! looked at is the one that runs.
//!
//! Does not: look anything up on systems that do so themselves when a program starts.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The endings that Windows tries where `PATHEXT` is not set.
pub const ENDINGS: &str = ".COM;.EXE;.BAT;.CMD";

/// What a program's name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This file: it was asked for as a path, or it is in a folder of `PATH`.
    File(PathBuf),
    /// A file of the working folder, which Windows would take before any of `PATH`.
    Beside(PathBuf),
    /// Nothing.
    Nowhere,
}

/// Looks for a program as Windows does from the folder `here`: `npx` is `npx.cmd`.
pub fn find(program: &Path, here: &Path, path: &OsStr, endings: &str) -> Found {
    let beside = with_ending(&here.join(program), endings);
    if program.components().count() > 1 {
        return beside.map_or(Found::Nowhere, Found::File);
    }
    let installed = std::env::split_paths(path)
        .filter(|folder| !folder.as_os_str().is_empty())
        .find_map(|folder| with_ending(&here.join(folder).join(program), endings));
    let real = |file: &PathBuf| file.canonicalize().ok();
    match (beside, installed) {
        (Some(file), other) if other.as_ref().and_then(real) != real(&file) => Found::Beside(file),
        (_, Some(file)) => Found::File(file),
        (_, None) => Found::Nowhere,
    }
}

/// The file itself if its name has an ending, or the file with one of the endings that Windows adds.
pub fn with_ending(file: &Path, endings: &str) -> Option<PathBuf> {
    if file.extension().is_some() && file.is_file() {
        return Some(file.to_owned());
    }
    let with = |ending: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending.to_ascii_lowercase());
        PathBuf::from(name)
    };
    endings.split(';').filter(|ending| !ending.is_empty()).map(with).find(|file| file.is_file())
}

/// A path as people write it: Windows resolves `C:\x` to `\\?\C:\x`, which `cmd` takes for no folder.
pub fn spelled(path: &Path) -> String {
    let text = path.to_string_lossy().into_owned();
    match text.strip_prefix(r"\\?\") {
        Some(rest) if rest.as_bytes().get(1) == Some(&b':') => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
#[path = "program_tests.rs"]
mod tests;
