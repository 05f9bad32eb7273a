//! Every message of the store and of the files below it, with what to do next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::decide::DecideError;
use super::locks::LocksError;
use super::offers::OffersError;
use super::{StoreError, locks};
use crate::engine::approval::Level;
use crate::engine::json::{self, Path as Place, Step};
use crate::engine::lockfile;
use crate::engine::secret::Known;
use crate::engine::surface::{ItemKey, Kind};
use crate::sys::files::FilesError;
use std::io;
use std::path::PathBuf;

fn path(name: &str) -> PathBuf {
    PathBuf::from(name)
}

fn denied() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "permission denied")
}

#[test]
fn messages() {
    let files = [
        FilesError::Read { path: path("f"), source: denied() },
        FilesError::Write { path: path("f"), source: denied() },
        FilesError::TooLarge { path: path("f"), limit: 10 },
        FilesError::Busy { path: path("f") },
        FilesError::Changed { path: path("f") },
        FilesError::NotPrivate { path: path("f"), reason: "others can write to it" },
    ];
    let refusal = json::parse(b"{").unwrap_err();
    let place = Place(vec![Step::Key("level".into())]);
    let store = [
        StoreError::NotJson { path: path("trust.json"), refusal: refusal.clone() },
        StoreError::NotJson { path: path("wraps.json"), refusal },
        StoreError::Damaged { path: path("trust.json"), place, expected: "a level" },
        StoreError::Newer { path: path("trust.json"), found: 2, known: 1 },
        StoreError::NoRandom("out of entropy".into()),
        StoreError::NotUnicode(path("f")),
    ];
    let offers =
        [OffersError::Damaged { path: path("f.offer") }, OffersError::Full { folder: path("offers") }];
    let lock = || Box::new(lockfile::parse("{}").unwrap_err());
    let locks = [
        LocksError::Lock { path: path("mcp.lock"), error: lock() },
        LocksError::Unreadable { path: path("mcp.lock"), error: lock() },
    ];
    let known = Known::new([("TOKEN".to_owned(), "s3cr3t-value".to_owned())]);
    let echoing = lockfile::parse("{\"note\": \"s3cr3t-value\", \"servers\": {}, \"version\": 1}").unwrap();
    let decide = [
        DecideError::Stale(path("mcp.lock")),
        DecideError::Untrusted(path("mcp.lock")),
        DecideError::Level { needed: Level::Code, given: Level::Terminal },
        DecideError::NeedsPerson("trust"),
        DecideError::NoLock(path("mcp.lock")),
        DecideError::NoServer(path("mcp.lock"), "s".into()),
        DecideError::NoItem(path("mcp.lock"), ItemKey::new(Kind::Tool, "t")),
        DecideError::NoOffer(locks::digest(b"")),
        DecideError::Secret {
            path: path("mcp.lock"),
            echo: Box::new(lockfile::find_secret(&echoing, &known).unwrap()),
        },
    ];
    let mut all: Vec<String> = Vec::new();
    all.extend(files.iter().map(|error| format!("{error}\n    {}", error.hint())));
    all.extend(store.iter().map(|error| format!("{error}\n    {}", error.hint())));
    all.extend(offers.iter().map(|error| format!("{error}\n    {}", error.hint())));
    all.extend(locks.iter().map(|error| format!("{error}\n    {}", error.hint())));
    all.extend(decide.iter().map(|error| format!("{error}\n    {}", error.hint())));
    insta::assert_snapshot!(all.join("\n"));
}
