//! Files that Python compiled, as far as they run without their source being looked at.
//!
//! In `__pycache__` Python takes a compiled file only if its header says that it is of the source beside
//! it: by time and size, or by a digest. Files of the third kind say that nothing is to be compared; they
//! run whatever the source says, so they are code of their own. A compiled file beside its package, where
//! no source is, needs no help from here: it is listed like any other.
//!
//! Does not: tell an honest compiled file from one whose header was made to fit. What it says is known to
//! Python alone, and differs from machine to machine.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Whether Python runs this file of `__pycache__` without a look at its source (PEP 552).
pub(super) fn is_unchecked(file: &Path) -> bool {
    let mut header = [0; 8];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut header));
    // The first four bytes are Python's version. Other flags than these two Python refuses.
    const HASHED_AND_NOT_COMPARED: [u8; 4] = 1_u32.to_le_bytes();
    read.is_ok() && header[4..] == HASHED_AND_NOT_COMPARED
}
