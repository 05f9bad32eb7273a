//! The files of the log: which there are, how they are opened, and where their whole lines end.
//!
//! Promises: a file of ours is private from its first moment; links and anything but plain files are
//! refused. Does not know what the lines say.

use super::{LINE_LIMIT, Lines, LogError};
use crate::engine::record::Chain;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Tells a file from another one that took its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    /// Windows shows no number of a file to stable Rust; its creation time tells it apart well enough.
    #[cfg(not(unix))]
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        let since = metadata.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        since.map_or(Self(0, 0), |since| Self(since.as_secs(), u64::from(since.subsec_nanos())))
    }
}

/// The chain after the last line of a closed file.
pub(super) fn end_of(path: &Path) -> Result<Chain, LogError> {
    let unusable = |source| LogError::Unusable { path: path.to_owned(), source };
    let mut file = open(path, OpenOptions::new().read(true)).map_err(unusable)?;
    let length = file.metadata().map_err(unusable)?.len();
    let (_, last) = last_line(&mut file, length).map_err(unusable)?;
    Ok(last.and_then(|line| Chain::after(&line).ok()).unwrap_or_default())
}

/// The number of the first line of a file.
pub(super) fn first_of(path: &Path) -> Option<u64> {
    let line = Lines::of(path).ok()?.next()?.ok()?;
    Some(Chain::after(&line).ok()?.seq())
}

/// The closed files of a folder with their numbers, oldest first.
pub(super) fn closed(folder: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let name = entry.file_name();
        let digits = name.to_str()?.strip_prefix("log.")?.strip_suffix(".jsonl")?;
        Some((digits.parse().ok()?, entry.path()))
    });
    let mut files: Vec<(u64, PathBuf)> = numbered.collect();
    files.sort();
    files
}

/// Where the last line feed ends the file's whole lines, and the last whole line.
pub(super) fn last_line(file: &mut File, length: u64) -> io::Result<(u64, Option<Vec<u8>>)> {
    let mut window = 4096;
    loop {
        let start = length.saturating_sub(window);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(length - start).read_to_end(&mut bytes)?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let begin = end.and_then(|end| bytes[..end].iter().rposition(|byte| *byte == b'\n'));
        match (end, begin) {
            (Some(end), Some(begin)) => {
                return Ok((start + end as u64 + 1, Some(bytes[begin + 1..end].to_vec())));
            }
            (Some(end), None) if start == 0 => return Ok((end as u64 + 1, Some(bytes[..end].to_vec()))),
            (None, _) if start == 0 => return Ok((0, None)),
            _ if window > LINE_LIMIT => return Err(io::Error::other("a line longer than any of ours")),
            _ => window *= 8,
        }
    }
}

/// Makes the folder with its final mode; one that exists is left as it is.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file of ours: private from its first moment, no link followed, nothing but a plain file.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a plain file")) }
}
