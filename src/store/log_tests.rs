//! The log on disk: rotation, broken links, a full disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::approval::Level;
use crate::engine::record::Record;
use crate::engine::record::event::Decision;
use std::fs;

fn note(what: &str) -> Event {
    Event::Trouble { what: what.to_owned() }
}

fn decision() -> Event {
    Event::Decision(Decision {
        server: "github".to_owned(),
        verb: "approve".to_owned(),
        offer: None,
        items: 1,
        level: Level::Terminal,
        lifetime: None,
        user: "ada".to_owned(),
        terminal: "pts/4".to_owned(),
        pid: 1,
        refused: None,
    })
}

fn seqs(log: &Log) -> Vec<u64> {
    log.records().unwrap().into_iter().map(|record| record.unwrap().seq).collect()
}

fn whats(records: Vec<Record>) -> Vec<String> {
    let what = |record: Record| match record.event {
        Event::Trouble { what } => what,
        other => other.name().to_owned(),
    };
    records.into_iter().map(what).collect()
}

#[test]
fn lines_are_kept_and_verify() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::at(folder.path().join("log"));
    assert!(log.verify().unwrap().is_ok(), "no log is a sound log");
    log.append(1, &note("one")).unwrap();
    log.append(2, &decision()).unwrap();
    // Another process with its own idea of where the end is.
    Log::at(folder.path().join("log")).append(3, &note("three")).unwrap();
    log.append_all(&[(4, note("four")), (5, note("five"))]).unwrap();
    assert_eq!(seqs(&log), [1, 2, 3, 4, 5]);
    let sound = log.verify().unwrap().unwrap();
    assert_eq!(sound, Sound { lines: 5, files: 1, starts_late: false, gaps: vec![] });
}

#[test]
fn an_edit_is_named_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::at(folder.path());
    for at in 0..5 {
        log.append(at, &note("sound")).unwrap();
    }
    let text = fs::read_to_string(log.current()).unwrap();
    fs::write(log.current(), text.replacen("\"at\":2", "\"at\":9", 1)).unwrap();
    let broken = log.verify().unwrap().unwrap_err();
    assert_eq!((broken.line, broken.file.as_path()), (3, log.current().as_path()));
    assert!(broken.to_string().ends_with("log.jsonl:3: its link does not follow from the line before"));
}

#[test]
fn files_are_closed_by_size_and_the_chain_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::at(folder.path()).with_limit(600);
    for at in 0..100 {
        log.append(at, &note("a line of some length, so that files fill up")).unwrap();
    }
    let sound = log.verify().unwrap().unwrap();
    assert_eq!(sound.files, KEEP + 1, "older files are removed");
    assert!(sound.starts_late);
    let sequence = seqs(&log);
    assert!(sequence.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequence:?}");
    fs::remove_file(&log.files()[3]).unwrap();
    assert_eq!(log.verify().unwrap().unwrap_err().damage, crate::engine::record::Damage::Continuation);
}

#[test]
fn a_crash_between_two_files_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::at(folder.path());
    log.append(1, &note("before")).unwrap();
    fs::rename(log.current(), folder.path().join("log.000001.jsonl")).unwrap();
    log.append(2, &note("after")).unwrap();
    assert_eq!(
        log.verify().unwrap().unwrap(),
        Sound { lines: 3, files: 2, starts_late: false, gaps: vec![] }
    );
}

#[test]
fn a_half_written_line_is_cut_off_and_noted() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::at(folder.path());
    log.append(1, &note("whole")).unwrap();
    let mut text = fs::read(log.current()).unwrap();
    text.extend_from_slice(b"{\"at\":2,\"event\":\"trou");
    fs::write(log.current(), &text).unwrap();
    assert!(log.verify().unwrap().is_ok(), "a line that is being written is left alone");
    log.append(3, &note("later")).unwrap();
    let records = log.records().unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(whats(records), ["whole", "a half-written line of 21 bytes was cut off", "later"]);
    assert!(log.verify().unwrap().is_ok());
}

#[test]
fn many_writers_make_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = folder.path();
            scope.spawn(move || {
                let log = Log::at(path).with_limit(4000);
                let written = (0..50).filter(|at| log.append(*at, &note(&format!("{writer}"))).is_ok());
                assert_eq!(written.count(), 50);
            });
        }
    });
    let log = Log::at(folder.path());
    let sound = log.verify().unwrap().unwrap();
    assert!(sound.lines >= 200, "{sound:?}");
}

#[test]
fn following_goes_over_files() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::at(folder.path()).with_limit(300);
    let mut follower = log.follow(0);
    assert_eq!(follower.poll().unwrap(), []);
    let mut seen = Vec::new();
    for at in 0..12 {
        log.append(at, &note(&format!("{at}"))).unwrap();
        seen.extend(whats(follower.poll().unwrap()));
        assert_eq!(follower.poll().unwrap(), []);
    }
    seen.retain(|what| what != "continued");
    let expected: Vec<String> = (0..12).map(|at| at.to_string()).collect();
    assert_eq!(seen, expected);
    assert_eq!(log.follow(u64::MAX).poll().unwrap(), []);
}

#[test]
fn a_held_lock_is_an_error_to_go_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::at(folder.path());
    log.append(1, &note("one")).unwrap();
    let held = fs::File::open(folder.path().join("log.lock")).unwrap();
    held.lock().unwrap();
    assert!(matches!(log.append(2, &note("two")), Err(LogError::Busy { .. })));
    // Closing gives the lock back on every system; Wine refuses to unlock it by hand.
    drop(held);
    log.append(3, &note("three")).unwrap();
    assert_eq!(seqs(&log), [1, 2, 3], "the lost one is told of");
}

/// Directories of ours in a folder of a test's own.
fn paths(folder: &Path) -> Paths {
    let variables = [("MCPWATCH_HOME".to_owned(), folder.to_str().unwrap().to_owned())].into();
    Paths::of(crate::sys::paths::Os::current(), &variables).unwrap()
}

/// What `verify` says is gone: after which line, up to which, and whether a writer noticed.
fn gaps(log: &Log) -> Vec<(u64, Option<u64>, bool)> {
    let sound = log.verify().unwrap().unwrap();
    sound.gaps.iter().map(|gap| (gap.after, gap.last, gap.noticed.is_some())).collect()
}

fn cut(log: &Log, lines: usize) {
    let text = fs::read_to_string(log.current()).unwrap();
    let kept: Vec<&str> = text.split_inclusive('\n').take(lines).collect();
    fs::write(log.current(), kept.concat()).unwrap();
}

#[test]
fn a_log_that_is_cut_off_or_taken_away_is_noticed() {
    type Attack = fn(&Paths, &Log);
    type Gone = &'static [(u64, Option<u64>)];
    let nothing: Attack = |_, _| {};
    let end: Attack = |_, log| cut(log, 3);
    let file: Attack = |_, log| fs::remove_file(log.current()).unwrap();
    let state: Attack = |paths, _| fs::remove_dir_all(&paths.state).unwrap();
    let note: Attack = |paths, _| fs::remove_dir_all(paths.log_note().parent().unwrap()).unwrap();
    let both: Attack = |paths, log| {
        fs::remove_file(log.current()).unwrap();
        fs::remove_file(paths.log_note()).unwrap();
    };
    let damaged: Attack = |paths, _| fs::write(paths.log_note(), "{}").unwrap();
    // Five lines; the trust store was saved after the third.
    let table: [(&str, Attack, Gone); 7] = [
        ("nothing", nothing, &[]),
        ("the last lines", end, &[(3, Some(5))]),
        ("the file", file, &[(0, Some(5))]),
        ("the state folder", state, &[(0, Some(5))]),
        ("the note", note, &[(5, None)]),
        ("log and note", both, &[(0, Some(3))]),
        ("the note's words", damaged, &[(5, None)]),
    ];
    for (name, attack, expected) in table {
        for same_process in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let paths = paths(folder.path());
            let log = Log::of(&paths);
            assert_eq!(gaps(&log), []);
            for at in 1..=3 {
                log.append(at, &note_of(at)).unwrap();
            }
            crate::store::trust::update(&paths, |_| ()).unwrap();
            log.append(4, &decision()).unwrap();
            log.append(5, &note_of(5)).unwrap();
            assert_eq!(gaps(&log), [], "{name}");
            attack(&paths, &log);
            let told: Vec<_> = expected.iter().map(|(after, last)| (*after, *last, false)).collect();
            assert_eq!(gaps(&log), told, "{name}");
            // Whoever writes next says so in the log, for good.
            let next = if same_process { log } else { Log::of(&paths) };
            next.append(6, &note_of(6)).unwrap();
            next.append(7, &note_of(7)).unwrap();
            let told: Vec<_> = expected.iter().map(|(after, last)| (*after, *last, true)).collect();
            // Who remembers the end itself may pass over a note that is gone; systems differ in how surely
            // a file is known again.
            let may_be_unseen = same_process && expected.iter().any(|(_, last)| last.is_none());
            let after = gaps(&next);
            assert!(after == told || may_be_unseen && after.is_empty(), "{name}, next line: {after:?}");
            assert!(Log::of(&paths).append(8, &note_of(8)).is_ok());
            assert_eq!(gaps(&next), after, "{name}, told once");
        }
    }
}

fn note_of(at: u64) -> Event {
    note(&format!("line {at}"))
}

#[test]
fn a_closed_file_that_is_taken_away_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let paths = paths(folder.path());
    let log = Log::of(&paths).with_limit(600);
    for at in 0..100 {
        log.append(at, &note("a line of some length, so that files fill up")).unwrap();
    }
    assert_eq!(gaps(&log), [], "what we remove ourselves is nobody's attack");
    let sequence = seqs(&log);
    fs::remove_file(&log.files()[0]).unwrap();
    let left = seqs(&log);
    let gap = (sequence[0] - 1, Some(left[0] - 1));
    assert_eq!(gaps(&log), [(gap.0, gap.1, false)], "the oldest");
    Log::of(&paths).append(101, &note("later")).unwrap();
    assert_eq!(gaps(&log), [(gap.0, gap.1, true)]);
    let newest = log.files()[KEEP - 2].clone();
    fs::remove_file(newest).unwrap();
    let broken = log.verify().unwrap().unwrap_err();
    assert_eq!(broken.damage, crate::engine::record::Damage::Continuation, "one in the middle");
}

#[test]
fn decisions_without_a_log_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let paths = paths(folder.path());
    crate::store::trust::update(&paths, |_| ()).unwrap();
    assert_eq!(gaps(&Log::of(&paths)), [(0, None, false)]);
    Log::of(&paths).append(1, &decision()).unwrap();
    assert_eq!(gaps(&Log::of(&paths)), [], "the first decision is no gap");
}

#[test]
fn what_could_not_be_written_is_counted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::at(folder.path().join("log"));
    fs::write(folder.path().join("log"), "in the way").unwrap();
    assert!(log.append(1, &note_of(1)).is_err());
    assert!(log.append_all(&[(2, note_of(2)), (2, note_of(3))]).is_err());
    fs::remove_file(folder.path().join("log")).unwrap();
    log.append(4, &note_of(4)).unwrap();
    log.append(5, &note_of(5)).unwrap();
    let told = whats(log.records().unwrap().into_iter().map(Result::unwrap).collect());
    assert!(
        told[0].starts_with("3 lines before this one could not be written: cannot use the log"),
        "{told:?}"
    );
    assert_eq!(told[1..], ["line 4", "line 5"]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn files_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::at(folder.path().join("log"));
        log.append(1, &note("one")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join("log")), 0o700);
        assert_eq!(mode(&log.current()), 0o600);
    }

    #[test]
    fn links_and_other_things_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "").unwrap();
        let log = Log::at(folder.path().join("log"));
        log.append(1, &note("one")).unwrap();
        fs::remove_file(log.current()).unwrap();
        symlink(&elsewhere, log.current()).unwrap();
        assert!(matches!(log.append(2, &note("two")), Err(LogError::Unusable { .. })));
        assert_eq!(fs::read(&elsewhere).unwrap(), b"");
        fs::remove_file(log.current()).unwrap();
        fs::create_dir(log.current()).unwrap();
        assert!(matches!(log.append(2, &note("two")), Err(LogError::Unusable { .. })));
    }

    /// Mounts a file system of 64 KiB; needs root, which the test machine has.
    #[test]
    fn a_full_disk_is_an_error_to_go_on_from() {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(folder.path());
        if !mount.output().is_ok_and(|output| output.status.success()) {
            eprintln!("not run: a_full_disk_is_an_error_to_go_on_from (cannot mount)");
            return;
        }
        let log = Log::at(folder.path());
        let long = note(&"x".repeat(5000));
        let mut failed = None;
        for at in 0..40 {
            failed = log.append(at, &long).err();
            if failed.is_some() {
                break;
            }
        }
        let sound = log.verify();
        let filler = fs::remove_file(log.files().last().unwrap());
        std::process::Command::new("umount").arg(folder.path()).status().unwrap();
        assert!(matches!(failed, Some(LogError::Write { .. })), "{failed:?}");
        assert!(sound.unwrap().is_ok(), "what was accepted is whole");
        filler.unwrap();
    }
}
