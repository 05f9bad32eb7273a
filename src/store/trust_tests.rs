//! Tests of the trust store: what counts, what outranks it, and how it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::json::Value;
use crate::engine::launchpin::LaunchPin;
use crate::engine::lockfile::{Condition, ServerPin};
use crate::engine::surface::Kind;
use crate::store::log;
use std::fs;

fn paths() -> (tempfile::TempDir, Paths) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap().to_owned();
    let variables = [("MCPWATCH_HOME".to_owned(), home)].into();
    let paths = Paths::of(crate::sys::paths::Os::current(), &variables).unwrap();
    (folder, paths)
}

fn write(file: &Path, trust: &Trust) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    crate::sys::files::write(file, &file::render(trust).unwrap(), crate::sys::files::Access::Private)
        .unwrap();
}

fn digest(text: &str) -> Digest {
    Digest::of_bytes(Tag::Lock, text.as_bytes())
}

fn definition(text: &str) -> Definition {
    Definition::new(Kind::Prompt, None, Object::from_iter([("name", "p"), ("description", text)]).into())
}

fn key() -> ItemKey {
    ItemKey::new(Kind::Prompt, "p")
}

fn lock() -> &'static Path {
    Path::new("/p/mcp.lock")
}

fn lockfile() -> Lockfile {
    let launch = LaunchPin::Url { url: "https://a.example/".into(), sse: false, headers: Default::default() };
    let mut server = ServerPin::new(launch, "2025-11-25");
    server.items.insert(key(), Pin { definitions: vec![definition("one")] });
    Lockfile { servers: [("s".to_owned(), server)].into(), ..Lockfile::default() }
}

fn granted(lifetime: Lifetime) -> Grant {
    let (lock, server, definition) = (lock().to_owned(), "s".to_owned(), definition("two"));
    Grant { lock, server, key: key(), definition, lifetime, session: None, at: 5 }
}

fn denied(text: &str) -> Denial {
    let digest = definition(text).digest;
    Denial { server: "s".into(), subject: Subject::Item(key()), digest, how: Denied::Rejected, at: 5 }
}

/// What counts for the item, in one word.
fn effective(trust: &Trust, today: &str, session: Option<&str>) -> Option<String> {
    let lockfile = trust.effective(lock(), lockfile(), &Moment { today, session });
    let pin = lockfile.servers["s"].items.get(&key())?;
    let words: Vec<&str> =
        pin.definitions.iter().map(|d| d.value.get("description").unwrap().as_str().unwrap()).collect();
    Some(words.join("+"))
}

#[test]
fn only_the_newest_content_counts() {
    let mut trust = Trust::with_key([1; 32]);
    let (one, two, three) = (digest("1"), digest("2"), digest("3"));
    assert_eq!(trust.standing(lock(), &one), Standing::Never);
    trust.trust(lock(), one, None, Level::Terminal, 1);
    assert_eq!(trust.standing(lock(), &one), Standing::Trusted);
    assert_eq!(trust.standing(lock(), &two), Standing::Changed { trusted: one });
    assert_eq!(trust.standing(Path::new("/q/mcp.lock"), &one), Standing::Never);
    // While the new lock is being written both count, so that a crash leaves neither blocked.
    trust.trust(lock(), two, Some(one), Level::Terminal, 2);
    assert_eq!(trust.standing(lock(), &one), Standing::Trusted);
    assert_eq!(trust.standing(lock(), &two), Standing::Trusted);
    assert_eq!(trust.standing(lock(), &three), Standing::Changed { trusted: two });
    let mut killed = trust.clone();
    killed.settle(lock(), Some(&one));
    assert_eq!(killed.standing(lock(), &one), Standing::Trusted, "the lock was never written");
    assert_eq!(killed.standing(lock(), &two), Standing::Changed { trusted: one });
    trust.settle(lock(), Some(&two));
    assert_eq!(trust.standing(lock(), &one), Standing::Changed { trusted: two });
    trust.distrust(lock());
    assert_eq!(trust.standing(lock(), &two), Standing::Never);
}

#[test]
fn refusals_outrank_and_approvals_end() {
    let until = Lifetime::Until("2026-11-30".into());
    let check = |grants: &[Grant], denials: &[Denial], today, session, expected: Option<&str>| {
        let mut trust = Trust::with_key([1; 32]);
        grants.iter().for_each(|grant| trust.grant(grant.clone()));
        trust.denials.extend_from_slice(denials);
        assert_eq!(effective(&trust, today, session).as_deref(), expected, "{grants:?} {denials:?}");
    };
    let (day, later, s) = ("2026-11-30", "2026-12-01", Some("a"));
    check(&[], &[], day, None, Some("one"));
    check(&[], &[denied("one")], day, None, None);
    check(&[], &[denied("two")], day, None, Some("one"));
    check(&[granted(until.clone())], &[], day, None, Some("two"));
    check(&[granted(until.clone())], &[], later, None, Some("one"));
    check(&[granted(until.clone())], &[denied("two")], day, None, None);
    check(&[granted(Lifetime::Once)], &[], day, None, Some("one"));
    check(&[granted(Lifetime::Once)], &[], day, s, Some("two"));
    check(&[Grant { session: Some("a".into()), ..granted(Lifetime::Once) }], &[], day, s, Some("two"));
    check(&[Grant { session: Some("b".into()), ..granted(Lifetime::Once) }], &[], day, s, Some("one"));
    check(&[Grant { lock: "/q/mcp.lock".into(), ..granted(until.clone()) }], &[], day, s, Some("one"));
    // A broken clock ends an approval, it does not lengthen it.
    check(&[granted(until)], &[], "", None, Some("one"));
}

#[test]
fn an_approval_for_one_session_is_taken_up_once() {
    let mut trust = Trust::with_key([1; 32]);
    trust.grant(granted(Lifetime::Once));
    trust.claim(lock(), "other", "a");
    trust.claim(lock(), "s", "a");
    trust.claim(lock(), "s", "b");
    assert_eq!(effective(&trust, "", Some("a")).as_deref(), Some("two"));
    assert_eq!(effective(&trust, "", Some("b")).as_deref(), Some("one"));
    trust.prune(lock(), &lockfile(), "2026-11-30", 6);
    assert_eq!(trust.grants().len(), 1);
    trust.prune(lock(), &lockfile(), "2026-11-30", 6 + change::ONCE_LASTS);
    assert!(trust.grants().is_empty());
}

#[test]
fn a_refusal_ends_an_approval_of_the_same_and_is_lifted_by_a_new_one() {
    let mut trust = Trust::with_key([1; 32]);
    trust.grant(granted(Lifetime::Until("2026-11-30".into())));
    trust.deny(denied("two"));
    assert!(trust.grants().is_empty());
    trust.deny(denied("two"));
    assert_eq!(trust.denials().len(), 1);
    let subject = Subject::Item(key());
    assert!(trust.denial("s", &subject, &definition("two").digest).is_some());
    assert!(trust.denial("s", &subject, &definition("one").digest).is_none());
    assert!(trust.denial("t", &subject, &definition("two").digest).is_none());
    trust.lift("s", &subject, &definition("two").digest);
    assert!(trust.denials().is_empty());
}

#[test]
fn masked_values_compare_under_the_key_only() {
    let raw = |value: &str| ["env.TOKEN", "env.B"].map(|place| (place.to_owned(), value.to_owned()));
    let (one, other) = (Trust::with_key([1; 32]), Trust::with_key([2; 32]));
    let values = one.keyed_values(&raw("hunter2"));
    assert_eq!(values, one.keyed_values(&raw("hunter2")));
    assert_ne!(values, one.keyed_values(&raw("hunter3")));
    assert_ne!(values, other.keyed_values(&raw("hunter2")));
    assert_ne!(values["env.TOKEN"], values["env.B"], "equal values must not show");
}

fn full() -> Trust {
    let mut trust = Trust::with_key([7; 32]);
    trust.level = Level::Code;
    trust.allows_brought = true;
    trust.trust(lock(), digest("1"), Some(digest("0")), Level::Code, 1);
    trust.deny(denied("three"));
    trust.deny(Denial { subject: Subject::Launch, how: Denied::Revoked, ..denied("x") });
    trust.deny(Denial { subject: Subject::Artifact("any".into()), ..denied("x") });
    trust.grant(granted(Lifetime::Until("2026-11-30".into())));
    let mut once = Grant { session: Some("a".into()), ..granted(Lifetime::Once) };
    once.definition.when = Some(Condition::FullClient);
    trust.grant(once);
    trust.set_values(lock(), "s", trust.keyed_values(&[("env.T".to_owned(), "v".to_owned())]));
    trust.accept("settings", digest("settings"));
    trust.unknown.insert("later", Value::from("kept"));
    trust
}

#[test]
fn the_file_reads_back_and_looks_like_this() {
    let (_folder, paths) = paths();
    let file = paths.trust_file();
    write(&file, &full());
    assert!(file::load(&file).unwrap().unwrap() == full());
    insta::assert_snapshot!(fs::read_to_string(&file).unwrap());
}

#[test]
fn a_store_that_cannot_be_read_is_an_error_and_stays() {
    let (_folder, paths) = paths();
    let file = paths.trust_file();
    assert!(load(&paths).unwrap().is_none());
    write(&file, &full());
    let good = fs::read_to_string(&file).unwrap();
    let damages = [
        (good[..good.len() / 2].to_owned(), "not JSON"),
        (String::new(), "not JSON"),
        (good.replace("\"version\": 1", "\"version\": 2"), "format version 2"),
        (good.replace("\"level\": \"code\"", "\"level\": \"none\""), "a level"),
        (good.replace("0707", "07"), "64 hexadecimal digits"),
        (good.replace("\"description\": \"two\"", "\"description\": \"2\""), "the digest of the definition"),
        (good.replace("\"how\": \"revoked\"", "\"how\": \"allowed\""), "$.denials[1].how"),
        (good.replace("\"key\":", "\"keys\":"), "$.key"),
    ];
    for (text, expected) in damages {
        fs::write(&file, &text).unwrap();
        let error = load(&paths).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.hint().is_empty());
        assert!(update(&paths, |_| ()).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "a damaged store must not be replaced");
    }
}

#[cfg(unix)]
#[test]
fn a_store_that_others_can_write_is_not_believed() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, paths) = paths();
    update(&paths, |_| ()).unwrap();
    for (path, mode) in [(paths.trust_file(), 0o666), (paths.trust_dir(), 0o777)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = load(&paths).unwrap_err();
        assert!(error.to_string().contains("others can write to it"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(load(&paths).unwrap().is_some());
    }
}

#[test]
fn a_lock_brings_its_own_trust_only_where_nobody_has_a_store() {
    let (_folder, paths) = paths();
    assert!(may_be_brought(&paths).unwrap());
    update(&paths, |_| ()).unwrap();
    assert!(!may_be_brought(&paths).unwrap());
    update(&paths, |trust| trust.allows_brought = true).unwrap();
    assert!(may_be_brought(&paths).unwrap());
    fs::write(paths.trust_file(), "{").unwrap();
    assert!(may_be_brought(&paths).is_err());
}

#[test]
fn a_repository_does_not_bring_its_own_directories() {
    let (_account, account) = paths();
    let (_other, other) = paths();
    // Without a store of this person there is nothing to go around (CI, a fresh machine).
    let is_obeyed = |system: &Paths, account: &Paths| -> Result<bool, StoreError> {
        Ok(is_own(system, account)? || may_be_brought(account)?)
    };
    assert!(is_obeyed(&account, &account).unwrap() && is_obeyed(&other, &account).unwrap());
    update(&other, |_| ()).unwrap();
    assert!(is_obeyed(&other, &account).unwrap());
    // The account's store is elsewhere by a variable: only that one is obeyed.
    file::note_elsewhere(&account, &other).unwrap();
    let (_brought, brought) = paths();
    assert!(is_obeyed(&other, &account).unwrap());
    assert!(!is_obeyed(&brought, &account).unwrap() && !may_be_brought(&account).unwrap());
    update(&other, |trust| trust.allows_brought = true).unwrap();
    assert!(is_obeyed(&brought, &account).unwrap());
    // The account has one where it belongs.
    update(&account, |_| ()).unwrap();
    assert!(is_obeyed(&account, &account).unwrap() && !is_obeyed(&brought, &account).unwrap());
    file::note_elsewhere(&account, &brought).unwrap();
    assert!(!is_obeyed(&brought, &account).unwrap(), "a note does not move a store that is there");
}

#[test]
fn the_key_is_random_and_stays() {
    let (_folder, paths) = paths();
    let raw = [("a".to_owned(), "b".to_owned())];
    let first = update(&paths, |trust| trust.keyed_values(&raw)).unwrap();
    let second = update(&paths, |trust| trust.keyed_values(&raw)).unwrap();
    assert_eq!(first, second);
    assert_ne!(first, Trust::new().unwrap().keyed_values(&raw));
    assert!(!format!("{:?}", full()).contains("07, 07"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]

    /// One byte changed or the end cut off: an error or another store, never a panic.
    #[test]
    fn a_damaged_store_never_panics(at in proptest::prelude::any::<proptest::sample::Index>(), byte: u8, cut: bool) {
        let (_folder, paths) = paths();
        let file = paths.trust_file();
        write(&file, &full());
        let mut bytes = fs::read(&file).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        fs::write(&file, &bytes).unwrap();
        if let Ok(Some(trust)) = load(&paths) {
            write(&file, &trust);
            assert!(load(&paths).unwrap().unwrap() == trust);
        }
    }
}

#[test]
fn a_store_that_was_edited_or_put_back_is_noticed() {
    let (_folder, paths) = paths();
    let file = paths.trust_file();
    assert!(is_as_written(&paths), "nobody has one");
    update(&paths, |trust| trust.level = Level::Terminal).unwrap();
    let old = fs::read(&file).unwrap();
    assert!(is_as_written(&paths));
    update(&paths, |trust| trust.level = Level::Code).unwrap();
    let new = fs::read_to_string(&file).unwrap();
    assert!(is_as_written(&paths));
    let edits = [
        ("an older one", old.clone()),
        ("another level", new.replace("\"code\"", "\"terminal\"").into_bytes()),
        (
            "trust that may be brought",
            new.replace("\"allowsBrought\": false", "\"allowsBrought\": true").into_bytes(),
        ),
        ("a space", format!("{new} ").into_bytes()),
    ];
    for (name, bytes) in edits {
        fs::write(&file, bytes).unwrap();
        assert!(!is_as_written(&paths), "{name}");
    }
    // A decision on top of it does not make it ours in between, and ends that afterwards.
    fs::write(&file, &old).unwrap();
    witness::announce(&paths, new.as_bytes()).unwrap();
    assert!(!is_as_written(&paths));
    // A crash before or after the write accuses nobody.
    fs::write(&file, &new).unwrap();
    assert!(is_as_written(&paths));
    witness::announce(&paths, b"next").unwrap();
    assert!(is_as_written(&paths));
    fs::write(&file, "next").unwrap();
    assert!(is_as_written(&paths));
    fs::write(&file, &new).unwrap();
    fs::remove_file(paths.trust_note()).unwrap();
    assert!(is_as_written(&paths), "nothing to compare it with");
    update(&paths, |trust| trust.level = Level::Terminal).unwrap();
    assert!(is_as_written(&paths));
    fs::write(&file, &new).unwrap();
    assert!(!is_as_written(&paths));
    // The next decision makes it ours again, and the log says that it was not.
    update(&paths, |trust| trust.allows_brought = true).unwrap();
    assert!(is_as_written(&paths));
    let records = log::Log::of(&paths).records().unwrap();
    assert!(format!("{records:?}").contains("was not as mcpwatch wrote it"), "{records:?}");
}
