//! Log lines and the chain that ties them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::event::{Decision, Outcome, View};
use super::*;
use crate::engine::approval::{Level, Lifetime};
use crate::engine::surface::{ItemKey, Kind};

fn digest(text: &str) -> Digest {
    Digest::of_bytes(Tag::File, text.as_bytes())
}

fn decision() -> Decision {
    Decision {
        server: "github".to_owned(),
        verb: "approve".to_owned(),
        offer: Some(digest("offer")),
        items: 2,
        level: Level::Code,
        lifetime: Some(Lifetime::Until("2027-01-31".to_owned())),
        user: "ada".to_owned(),
        terminal: "pts/4".to_owned(),
        pid: 4711,
        refused: None,
    }
}

/// One event of each kind.
fn events() -> Vec<Event> {
    let server = || "github".to_owned();
    let item = ItemKey::new(Kind::Tool, "create issue\n");
    let mut newer = Object::new();
    newer.insert("event", "weather");
    newer.insert("server", "github");
    newer.insert("rain", true);
    vec![
        Event::Session {
            server: server(),
            view: View::Gate,
            client: Some("claude-code".to_owned()),
            protocol: "2025-11-25".to_owned(),
        },
        Event::Session {
            server: server(),
            view: View::Daemon,
            client: None,
            protocol: "2026-07-28".to_owned(),
        },
        Event::Closed { server: server(), view: View::Command, reason: "the server ended".to_owned() },
        Event::Listed { server: server(), view: View::Daemon, surface: digest("surface"), items: 26 },
        Event::Change {
            server: server(),
            view: View::Gate,
            offer: digest("offer"),
            cause: "same artifact".to_owned(),
            items: vec![item.clone(), ItemKey::single(Kind::Instructions)],
        },
        Event::Finding {
            server: server(),
            code: "hidden-text".to_owned(),
            severity: "high".to_owned(),
            place: "$.description".to_owned(),
        },
        Event::Block { server: server(), item: Some(item.clone()), reason: "changed".to_owned() },
        Event::Block { server: server(), item: None, reason: "a duplicate key".to_owned() },
        Event::Call {
            server: server(),
            item,
            arguments: digest("arguments"),
            size: 512,
            outcome: Outcome::Result,
            duration: 31,
            contents: Some(Value::from(vec![Value::from(1), Value::Null])),
        },
        Event::Decision(decision()),
        Event::Decision(Decision {
            server: String::new(),
            verb: "level".to_owned(),
            offer: None,
            lifetime: None,
            refused: Some("no terminal".to_owned()),
            ..decision()
        }),
        Event::Alert { server: server(), text: "2 tools changed".to_owned(), shown: true },
        Event::Configuration {
            client: "cursor".to_owned(),
            server: server(),
            what: "taken out of the gate".to_owned(),
        },
        Event::Daemon { what: "started".to_owned(), version: "0.1.0".to_owned() },
        Event::Trouble { what: "the disk was full".to_owned() },
        Event::Missing { after: 12, last: Some(20), from: None },
        Event::Missing { after: 12, last: None, from: None },
        Event::Other(newer),
    ]
}

/// A log of every event, one line each.
fn log() -> Vec<Vec<u8>> {
    let mut chain = Chain::default();
    events().iter().zip(1_700_000_000_000..).map(|(event, at)| chain.line(at, event)).collect()
}

/// The number of the first broken line, counted from 1, and its damage; `None` if all are sound.
fn first_break(lines: &[Vec<u8>]) -> Option<(usize, Damage)> {
    let mut verifier = Verifier::new();
    let results = lines.iter().enumerate().map(|(index, line)| (index + 1, verifier.line(line)));
    results.into_iter().find_map(|(number, result)| result.err().map(|damage| (number, damage)))
}

#[test]
fn every_event_reads_back() {
    for (line, event) in log().iter().zip(events()) {
        let record = Record::read(line).unwrap();
        assert_eq!(record.event, event);
        assert!(!line.contains(&b'\n'), "a line is one line: {}", event.name());
    }
}

#[test]
fn the_shape_of_lines() {
    let lines: Vec<String> = log().into_iter().map(|line| String::from_utf8(line).unwrap()).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_sound_log_verifies() {
    assert_eq!(first_break(&log()), None);
    assert_eq!(first_break(&[]), None);
}

#[test]
fn any_change_is_found_at_its_line() {
    let sound = log();
    for at in 0..sound.len() {
        let mut edited = sound.clone();
        let text = String::from_utf8(edited[at].clone()).unwrap();
        edited[at] = text.replacen("\"at\":17000", "\"at\":17001", 1).into_bytes();
        assert_eq!(first_break(&edited), Some((at + 1, Damage::Link)), "edited line {at}");

        let mut dropped = sound.clone();
        dropped.remove(at);
        let expected = (at + 1 < sound.len()).then_some(at + 1);
        assert_eq!(first_break(&dropped).map(|(line, _)| line), expected, "dropped line {at}");

        let mut doubled = sound.clone();
        doubled.insert(at, sound[at].clone());
        assert_eq!(first_break(&doubled).map(|(line, _)| line), Some(at + 2), "doubled line {at}");
    }
}

#[test]
fn a_line_recomputed_alone_breaks_the_next() {
    let mut lines = log();
    let mut chain = Chain::after(&lines[1]).unwrap();
    lines[2] = chain.line(1, &Event::Trouble { what: "nothing to see".to_owned() });
    assert_eq!(first_break(&lines), Some((4, Damage::Link)));
}

#[test]
fn a_chain_goes_on_after_a_line() {
    let mut lines = log();
    let mut chain = Chain::after(lines.last().unwrap()).unwrap();
    lines.push(chain.line(5, &Event::Trouble { what: "later".to_owned() }));
    assert_eq!(first_break(&lines), None);
}

#[test]
fn a_chain_goes_on_from_a_note_where_nothing_is_left() {
    let link = digest("line 20");
    let mut chain = Chain::after_line(20, link);
    let missing = Event::Missing { after: 0, last: Some(20), from: Some(link) };
    let lines = [chain.line(1, &missing), chain.line(2, &Event::Trouble { what: "later".to_owned() })];
    assert_eq!(Record::read(&lines[0]).unwrap(), Record { seq: 21, at: 1, event: missing.clone() });
    assert_eq!(first_break(&lines), None);
    let mut after_others = log();
    after_others.push(Chain::after(after_others.last().unwrap()).unwrap().line(1, &missing));
    let at = after_others.len();
    assert_eq!(first_break(&after_others), Some((at, Damage::Continuation)), "lines are still there");
}

#[test]
fn a_new_file_carries_the_chain() {
    let first = log();
    let mut chain = Chain::after(first.last().unwrap()).unwrap();
    let from = chain.last().unwrap();
    let second = [
        chain.line(9, &Event::Continued { from, file: "log.1.jsonl".to_owned() }),
        chain.line(10, &Event::Trouble { what: "later".to_owned() }),
    ];
    let verify = |files: &[&[Vec<u8>]]| {
        let mut verifier = Verifier::new();
        for file in files {
            verifier.next_file();
            for line in *file {
                verifier.line(line)?;
            }
        }
        Ok::<u64, Damage>(verifier.lines())
    };
    let cut = &first[..first.len() - 1];
    type Case<'a> = (&'a [&'a [Vec<u8>]], Result<u64, Damage>);
    let table: [Case<'_>; 5] = [
        (&[&first, &second], Ok(first.len() as u64 + 2)),
        (&[&second], Ok(2)),
        (&[cut, &second], Err(Damage::Continuation)),
        (&[&first, &second[1..]], Err(Damage::Continuation)),
        (&[&second[1..]], Err(Damage::Order { expected: 1, found: second_seq(&second[1]) })),
    ];
    for (files, expected) in table {
        assert_eq!(verify(files), expected);
    }
}

fn second_seq(line: &[u8]) -> u64 {
    Record::read(line).unwrap().seq
}

#[test]
fn lines_that_nobody_wrote_are_told_apart() {
    let sound = String::from_utf8(log()[0].clone()).unwrap();
    let table = [
        ("{", "not JSON"),
        ("[]", "without a valid `event`"),
        ("{}", "without a valid `link`"),
        (&sound.replace("{\"at\"", "{ \"at\""), "not in canonical form"),
        (&sound.replace("\"seq\":1", "\"seq\":0"), "without a valid `seq`"),
        (&sound.replace("\"gate\"", "\"gat\""), "`view` is missing"),
        (&sound.replace("blake3:", "sha256:"), "without a valid `link`"),
    ];
    for (line, expected) in table {
        let damage = Verifier::new().line(line.as_bytes()).unwrap_err().to_string();
        assert!(damage.contains(expected), "{line}: {damage}");
    }
}

proptest::proptest! {
    #[test]
    fn reading_never_panics(line in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = Verifier::new().line(&line);
    }
}
