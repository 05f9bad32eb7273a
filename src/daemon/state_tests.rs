//! Events into the daemon's loop, and what it is told to do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::alert::text::{Cause, What};
use crate::daemon::event::{Configured, Item, Sighted};
use crate::daemon::memory::Remembered;
use crate::engine::digest::Tag;
use crate::engine::surface::{ItemKey, Kind};
use crate::ipc::message::{self, Decided, GateNews, ItemNews, Reply, Request};

const MINUTE: u64 = 60_000;

/// A daemon with its clock; what it does is kept as words.
struct Daemon {
    state: State,
    now: Now,
    ticket: u64,
    remembers: bool,
}

impl Daemon {
    fn new() -> Self {
        Self::with(Memory::default())
    }

    fn with(memory: Memory) -> Self {
        let now = Now { steady: 0, wall: 1_700_000_000_000, minute: 12 * 60 + 3 };
        let mut daemon =
            Self { state: State::new(Rules::default(), memory), now, ticket: 0, remembers: false };
        daemon.hear(Event::Desktop(Ok(())));
        daemon
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now.steady += milliseconds;
        self.now.wall += milliseconds;
    }

    /// What it is told to do; that it is to remember goes by itself.
    fn hear(&mut self, event: Event) -> Vec<String> {
        let effects = self.state.step(self.now, event);
        assert!(effects.iter().filter(|effect| **effect == Effect::Remember).count() <= 1, "{effects:?}");
        self.remembers = effects.contains(&Effect::Remember);
        effects.iter().filter(|effect| **effect != Effect::Remember).map(words).collect()
    }

    /// Another daemon, with what this one has written down.
    fn restarted(&self, remote: bool) -> Self {
        let mut next = Self::with(Memory::parse(&self.state.memory().render()));
        next.now = self.now;
        next.hear(configured(vec![Known { remote, ..known("github") }]));
        next
    }

    fn missed(&mut self) -> Vec<(u64, String)> {
        let effects = self.state.step(self.now, Event::Asked(99, 0, Request::Status));
        let Some(Effect::Reply(_, Reply::Status(status))) = effects.first() else { panic!("{effects:?}") };
        status.missed.iter().map(|missed| (missed.at, missed.text.clone())).collect()
    }

    fn ask(&mut self, peer: PeerId, request: Request) -> Vec<String> {
        self.ticket += 1;
        self.hear(Event::Asked(peer, self.ticket, request))
    }

    /// A server that was agreed to and read as approved.
    fn watching(name: &str, remote: bool) -> Self {
        let mut daemon = Self::new();
        daemon.hear(configured(vec![Known { remote, ..known(name) }]));
        daemon.hear(as_pinned(name));
        daemon
    }

    fn gate(&mut self, peer: PeerId, name: &str) -> Vec<String> {
        self.hear(Event::Opened(peer));
        let gate = message::Gate { server: id(name), ..message::Gate::default() };
        self.ask(peer, Request::Run(GateNews::Attached(gate)))
    }

    fn status(&mut self, name: &str) -> message::ServerStatus {
        self.ticket += 1;
        let effects = self.state.step(self.now, Event::Asked(99, self.ticket, Request::Status));
        let Some(Effect::Reply(_, Reply::Status(status))) = effects.first() else { panic!("{effects:?}") };
        status.servers.iter().find(|server| server.server == id(name)).cloned().unwrap()
    }
}

fn words(effect: &Effect) -> String {
    match effect {
        Effect::Reply(_, reply) => format!("reply {reply:?}"),
        Effect::Push(peer, push) => format!("push {peer} {push:?}"),
        Effect::LookUp => "look up".to_owned(),
        Effect::Read(id, stay) => format!("read {} {stay:?}", id.name),
        Effect::Close(id) => format!("close {}", id.name),
        Effect::Show(_, _, text, replaces) => format!("show {replaces} {}", text.summary),
        Effect::Unshow(number) => format!("unshow {number}"),
        Effect::Review(id) => format!("review {}", id.name),
        Effect::OpenDesktop => "open desktop".to_owned(),
        Effect::Log(event) => format!("log {}", event.name()),
        Effect::Remember => "remember".to_owned(),
        Effect::Stop => "stop".to_owned(),
    }
}

fn id(name: &str) -> ServerId {
    ServerId { scope: "/p/mcp.lock".to_owned(), name: name.to_owned() }
}

fn digest(text: &str) -> Digest {
    Digest::of_bytes(Tag::Offer, text.as_bytes())
}

fn known(name: &str) -> Known {
    Known {
        id: id(name),
        client: "cursor".to_owned(),
        mode: Watch::Resident,
        times: Times::default(),
        remote: false,
        launch: digest("launch"),
        pin: Some(digest("pin")),
        standing: Standing::Agreed,
        wrapped: true,
        should_be_wrapped: true,
    }
}

fn configured(servers: Vec<Known>) -> Event {
    Event::Configured(Configured { servers, ..Configured::default() })
}

fn as_pinned(name: &str) -> Event {
    let outcome = Outcome::AsPinned { surface: digest("pinned"), items: 3, life: None, connected: true };
    Event::Read(id(name), outcome)
}

fn change(offer: &str) -> Change {
    let item = Item { what: What::Changed, key: ItemKey::new(Kind::Tool, "issue"), digest: digest(offer) };
    Change { offer: digest(offer), items: vec![item], cause: Cause::SameArtifact, findings: Vec::new() }
}

fn changed(name: &str, offer: &str) -> Event {
    Event::Read(id(name), Outcome::Changed { change: change(offer), connected: true })
}

fn offered(offer: &str) -> Request {
    let item = ItemNews {
        what: message::What::Changed,
        kind: "tools".to_owned(),
        name: "issue".to_owned(),
        digest: digest(offer).to_string(),
    };
    let cause = message::Cause::SameArtifact;
    Request::Run(GateNews::Offered { offer: digest(offer).to_string(), items: vec![item], cause })
}

fn decided(name: &str) -> Request {
    let terminal = "pts/4".to_owned();
    Request::Approve(Decided { server: id(name), verb: "approve".to_owned(), items: 2, terminal })
}

#[test]
fn a_change_is_told_once_and_settled_by_a_decision() {
    let mut daemon = Daemon::watching("github", true);
    assert_eq!(
        daemon.hear(changed("github", "a")),
        ["log change", "show 0 github changed 1 tool", "log alert"]
    );
    assert_eq!(daemon.hear(Event::Shown(id("github"), digest("a"), 7)), [""; 0]);
    assert_eq!(daemon.status("github").waiting, 1);
    daemon.pass(2 * MINUTE);
    assert_eq!(daemon.hear(changed("github", "a")), [""; 0], "the same again");
    assert_eq!(
        daemon.hear(changed("github", "b")),
        ["log change", "show 7 github changed 1 tool", "log alert"],
        "replaced, not stacked"
    );
    assert_eq!(
        daemon.ask(1, decided("github")),
        ["reply Done", "unshow 7", "look up", "show 0 Approved 2 items of github"]
    );
    // It is judged again once the new pins are known.
    let approved = Known { remote: true, pin: Some(digest("new pin")), ..known("github") };
    assert_eq!(daemon.hear(configured(vec![approved])), ["read github Open"]);
    assert_eq!(daemon.status("github").waiting, 0);
    assert_eq!(daemon.hear(as_pinned("github")), ["log listed"]);
}

#[test]
fn a_decision_wakes_the_gates_first() {
    let mut daemon = Daemon::watching("github", false);
    assert_eq!(daemon.gate(5, "github"), ["reply Askable(Yes)", "close github"]);
    daemon.gate(6, "other");
    let effects = daemon.ask(1, decided("github"));
    let push = |peer| format!("push {peer} PinsChanged([{:?}])", id("github"));
    assert_eq!(effects[..3], ["reply Done".to_owned(), push(5), push(6)]);
}

#[test]
fn a_stdio_server_behind_a_gate_is_not_started_twice() {
    let mut daemon = Daemon::new();
    daemon.gate(5, "github");
    // Only what it would run is looked at.
    assert_eq!(daemon.hear(configured(vec![known("github")])), ["read github Never"]);
    assert_eq!(daemon.hear(Event::Read(id("github"), Outcome::SameProgram)), [""; 0]);
    daemon.pass(60 * MINUTE);
    assert_eq!(daemon.hear(Event::Due), [""; 0]);
    assert_eq!(daemon.status("github").state, "watched through its gate");
    assert_eq!(daemon.status("github").gates, 1);
    assert_eq!(daemon.hear(Event::Closed(5)), ["read github Open"]);
}

#[test]
fn what_would_run_next_behind_a_gate_is_told() {
    let mut daemon = Daemon::watching("github", false);
    daemon.gate(5, "github");
    assert_eq!(daemon.hear(Event::ProgramChanged(id("github"))), ["read github Never"]);
    let artifact = Digest::of_bytes(Tag::Artifact, b"other");
    let told = daemon.hear(Event::Read(id("github"), Outcome::Program { artifact }));
    assert!(told.iter().any(|effect| effect.starts_with("show ")), "{told:?}");
}

#[test]
fn what_a_gate_sees_is_told_too() {
    let mut daemon = Daemon::watching("github", false);
    daemon.gate(5, "github");
    assert_eq!(
        daemon.ask(5, offered("a")),
        ["reply Done", "show 0 github changed 1 tool", "log alert"],
        "the gate wrote it down itself"
    );
    daemon.ask(5, Request::Run(GateNews::Holding { waiting: 2, refused: 0 }));
    assert_eq!(daemon.status("github").held, 2);
    assert_eq!(daemon.ask(5, Request::Run(GateNews::Clear)), ["reply Done"]);
    assert_eq!(daemon.status("github").waiting, 0);
    let nonsense = GateNews::Offered { offer: "x".to_owned(), items: vec![], cause: message::Cause::Unknown };
    assert_eq!(daemon.ask(5, Request::Run(nonsense)), ["reply Failed(\"that offer is not one\")"]);
    assert_eq!(
        daemon.ask(77, Request::Run(GateNews::Clear)),
        ["reply Failed(\"this gate did not say which server it stands before\")"]
    );
}

const SPLIT: &str = "show 0 github shows different lists to different readers";

fn sighted(offer: &str, split: bool) -> Event {
    Event::Sighted(id("github"), Some(Sighted { change: change(offer), split }))
}

#[test]
fn two_lists_for_two_readers_are_a_split_view() {
    let mut daemon = Daemon::watching("github", true);
    daemon.gate(5, "github");
    let told = daemon.ask(5, offered("a"));
    assert_eq!(
        told[1..],
        ["show 0 github changed 1 tool", "log alert", "read github Open"],
        "compared at once"
    );
    // What the gate kept is what it said, and is not told twice.
    assert_eq!(daemon.hear(sighted("a", false)), [""; 0]);
    assert_eq!(daemon.hear(as_pinned("github")), [""; 0]);
    assert_eq!(daemon.status("github").waiting, 1);
    daemon.pass(MINUTE);
    assert_eq!(daemon.hear(sighted("a", true)), [SPLIT, "log alert"]);
    assert_eq!(daemon.hear(sighted("a", true)), [""; 0], "said once");
    // Nor by the daemon that comes after this one.
    let mut next = daemon.restarted(true);
    assert_eq!(next.hear(sighted("a", true)), [""; 0]);
    assert_eq!(next.status("github").waiting, 1);
    assert_eq!(next.missed().len(), 2, "the change, and that it is a split view");
    // With no gate alive, what is kept is what counts.
    assert_eq!(next.hear(Event::Sighted(id("github"), None)), [""; 0]);
    assert_eq!((next.status("github").waiting, next.missed().len()), (0, 0));
}

#[test]
fn what_is_shown_to_us_alone_is_a_split_view_too() {
    let full = |full| Request::Run(GateNews::Listed { surface: String::new(), full });
    let look = format!("push 5 Look([{:?}])", id("github"));
    let mut daemon = Daemon::watching("github", true);
    daemon.gate(5, "github");
    daemon.gate(6, "other");
    let told = daemon.hear(changed("github", "a"));
    assert_eq!(told, ["log change", "show 0 github changed 1 tool", "log alert", look.as_str()]);
    // A client that declares less may be shown something else for that alone.
    assert_eq!(daemon.ask(5, full(false)), ["reply Done"]);
    daemon.pass(MINUTE);
    assert_eq!(daemon.hear(Event::Due), ["read github Open"], "we look again all the same");
    assert_eq!(daemon.hear(changed("github", "a")), [""; 0]);
    // One like us is shown what is approved, and then we are not again.
    assert_eq!(daemon.ask(5, full(true)), ["reply Done"]);
    daemon.pass(500);
    assert_eq!(daemon.hear(Event::Due), ["read github Open"]);
    assert_eq!(daemon.hear(changed("github", "a")), ["log finding", SPLIT, "log alert"]);
    assert_eq!(daemon.hear(changed("github", "a")), [""; 0], "said once");

    // A gate that is shown the change too is no contradiction.
    let mut daemon = Daemon::watching("github", true);
    daemon.gate(5, "github");
    daemon.hear(changed("github", "a"));
    assert_eq!(daemon.ask(5, offered("a")), ["reply Done"]);
    daemon.pass(MINUTE);
    assert_eq!(daemon.hear(changed("github", "a")), [""; 0]);
    // Nor is a server that went back for everybody.
    let mut daemon = Daemon::watching("github", true);
    daemon.gate(5, "github");
    daemon.hear(changed("github", "a"));
    daemon.ask(5, full(true));
    assert_eq!(daemon.hear(as_pinned("github")), ["log listed"]);
    assert_eq!(daemon.status("github").waiting, 0);
}

#[test]
fn what_waits_is_told_once_over_restarts() {
    let mut daemon = Daemon::watching("github", true);
    daemon.hear(changed("github", "a"));
    assert!(daemon.remembers);
    let at = daemon.now.wall;
    for _ in 0..3 {
        daemon.pass(60 * MINUTE);
        daemon = daemon.restarted(true);
        assert_eq!(daemon.hear(changed("github", "a")), [""; 0]);
        assert_eq!(daemon.status("github").waiting, 1);
        assert_eq!(daemon.missed(), [(at, "github changed 1 tool".to_owned())], "listed, since when");
    }
    assert_eq!(
        daemon.hear(changed("github", "b")),
        ["log change", "show 0 github changed 1 tool", "log alert"]
    );
    // What was settled and comes again is new.
    daemon.hear(as_pinned("github"));
    assert!(daemon.remembers);
    daemon = daemon.restarted(true);
    let told = daemon.hear(changed("github", "b"));
    assert_eq!(told, ["log change", "show 0 github changed 1 tool", "log alert"]);
}

#[test]
fn what_nobody_could_be_shown_is_shown_when_somebody_can() {
    let gone = || Event::Desktop(Err("no desktop".to_owned()));
    let mut daemon = Daemon::watching("github", true);
    daemon.hear(gone());
    assert_eq!(daemon.hear(changed("github", "a")), ["log change", "log alert"]);
    daemon = daemon.restarted(true);
    daemon.hear(gone());
    assert_eq!(daemon.hear(changed("github", "a")), [""; 0], "logged once");
    assert_eq!(daemon.missed().len(), 1);
    assert_eq!(daemon.hear(Event::Desktop(Ok(()))), ["show 0 github changed 1 tool", "log alert"]);
    assert_eq!(daemon.hear(Event::Desktop(Ok(()))), [""; 0]);
}

#[test]
fn a_newer_version_waits_while_the_server_is_as_approved() {
    let newer = |at: Option<&str>| Event::Newer(id("github"), at.map(digest));
    let mut daemon = Daemon::watching("github", false);
    let shown = ["show 0 A newer version of github is at hand", "log alert"];
    assert_eq!(daemon.hear(newer(Some("1.1"))), shown);
    daemon.hear(Event::Shown(id("github"), digest("1.1"), 7));
    for _ in 0..2 {
        assert_eq!(daemon.hear(as_pinned("github")), [""; 0], "it stays on the screen");
        assert_eq!(daemon.hear(newer(Some("1.1"))), [""; 0]);
        assert_eq!(daemon.missed().len(), 1);
    }
    daemon = daemon.restarted(false);
    assert_eq!(daemon.hear(newer(Some("1.1"))), [""; 0]);
    assert_eq!(daemon.hear(newer(None)), [""; 0]);
    daemon.hear(as_pinned("github"));
    assert_eq!(daemon.missed().len(), 0);
    assert_eq!(daemon.hear(newer(Some("1.1"))), shown);
}

#[test]
fn nothing_is_started_that_nobody_agreed_to() {
    for standing in [Standing::New, Standing::OtherLaunch, Standing::Untrusted, Standing::Disabled] {
        for remote in [false, true] {
            let mut daemon = Daemon::new();
            let effects = daemon.hear(configured(vec![Known { standing, remote, ..known("github") }]));
            let started = |effects: &[String]| effects.iter().any(|word| word.starts_with("read"));
            assert!(!started(&effects), "{standing:?}: {effects:?}");
            daemon.hear(Event::Woke);
            daemon.pass(60 * MINUTE);
            daemon.ask(1, Request::Scan { server: None });
            daemon.hear(Event::ProgramChanged(id("github")));
            assert!(!started(&daemon.hear(Event::Due)), "{standing:?}");
        }
    }
}

#[test]
fn edits_of_configurations_are_announced() {
    let mut daemon = Daemon::new();
    let first = daemon.hear(configured(vec![Known { standing: Standing::New, ..known("old") }]));
    assert!(first.is_empty() && daemon.remembers, "what is there at first is the measure");
    let agreed = known("github");
    assert_eq!(
        daemon.hear(configured(vec![Known { standing: Standing::New, ..known("sandworm") }, agreed.clone()])),
        [
            "log configuration",
            "show 0 sandworm is new in cursor",
            "log alert",
            "log configuration",
            "read github Open"
        ]
    );
    daemon.hear(as_pinned("github"));
    let poisoned = Known { launch: digest("evil"), standing: Standing::OtherLaunch, ..agreed.clone() };
    let new = Known { standing: Standing::New, ..known("sandworm") };
    assert_eq!(
        daemon.hear(configured(vec![new.clone(), poisoned.clone()])),
        ["log configuration", "show 0 github changed", "log alert", "close github"]
    );
    assert_eq!(daemon.hear(configured(vec![new.clone(), poisoned])), [""; 0], "said once");
    daemon.pass(2 * MINUTE);
    let unwrapped = Known { wrapped: false, ..agreed.clone() };
    let effects = daemon.hear(configured(vec![new.clone(), unwrapped]));
    assert!(effects.contains(&"show 0 github was taken out of the gate".to_owned()), "{effects:?}");
    // Our own `unwrap` leaves no record behind, and is no alarm.
    let mut daemon = Daemon::new();
    daemon.hear(configured(vec![agreed.clone()]));
    let ours = Known { wrapped: false, should_be_wrapped: false, ..agreed };
    let effects = daemon.hear(configured(vec![ours]));
    assert!(!effects.iter().any(|word| word.contains("gate")), "{effects:?}");
}

#[test]
fn an_edit_made_while_no_daemon_ran_is_noticed() {
    let mut memory = Memory::default();
    memory.looked();
    memory.put(&id("github"), Remembered { launch: digest("launch"), wrapped: true });
    let mut daemon = Daemon::with(memory);
    let unwrapped = Known { wrapped: false, ..known("github") };
    let effects = daemon.hear(configured(vec![unwrapped]));
    assert!(effects.contains(&"show 0 github was taken out of the gate".to_owned()), "{effects:?}");
}

#[test]
fn a_program_that_was_edited_is_not_started_and_told() {
    let mut daemon = Daemon::watching("github", false);
    let artifact = digest("program");
    let anew = ["close github", "read github Open"];
    assert_eq!(daemon.hear(Event::ProgramChanged(id("github"))), anew, "what runs is the old one");
    assert_eq!(
        daemon.hear(Event::Read(id("github"), Outcome::Program { artifact })),
        ["show 0 The program of github was edited", "log alert"]
    );
    assert_eq!(daemon.status("github").state, "its program is not the approved one; it was not started");
    daemon.pass(2 * MINUTE);
    daemon.hear(Event::ProgramChanged(id("github")));
    assert_eq!(daemon.hear(Event::Read(id("github"), Outcome::Program { artifact })), [""; 0]);
    let effects = daemon.hear(Event::Newer(id("github"), Some(digest("newer"))));
    assert_eq!(effects, ["show 0 A newer version of github is at hand", "log alert"]);
}

#[test]
fn at_most_one_notification_a_minute_and_none_for_what_flaps() {
    let mut daemon = Daemon::watching("github", true);
    daemon.hear(changed("github", "a"));
    daemon.hear(Event::Shown(id("github"), digest("a"), 7));
    daemon.pass(1000);
    assert_eq!(daemon.hear(changed("github", "b")), ["log change"], "waits for its minute");
    assert_eq!(daemon.state.due(), Some(daemon.now.steady + 59_000));
    daemon.pass(59_000);
    assert_eq!(daemon.hear(Event::Due), ["show 7 github changed 1 tool", "log alert"]);
    daemon.pass(2 * MINUTE);
    assert_eq!(
        daemon.hear(changed("github", "c")),
        ["log change", "log alert"],
        "the third version is silent"
    );
    assert!(daemon.status("github").flapping);
    for number in 0..1000 {
        daemon.hear(changed("github", &number.to_string()));
    }
    assert!(daemon.state.missed.len() <= MISSED);
}

#[test]
fn what_quiet_hours_kept_silent_is_blocked_listed_and_shown_when_they_are_over() {
    let mut daemon = Daemon::watching("github", true);
    daemon.state.set_rules(Rules { off: vec![], quiet: Some((22 * 60, 7 * 60)) });
    daemon.now.minute = 23 * 60;
    daemon.hear(Event::Due);
    assert_eq!(daemon.hear(changed("github", "a")), ["log change", "log alert"]);
    let status = daemon.status("github");
    assert_eq!((status.waiting, status.flapping), (1, false));
    assert_eq!(daemon.state.missed.len(), 1);
    // Looked at again and again, said once.
    for minute in [23 * 60 + 30, 0, 6 * 60 + 59] {
        daemon.pass(31 * MINUTE);
        daemon.now.minute = minute;
        let said = daemon.hear(Event::Due);
        assert!(
            said.iter().all(|effect| !effect.starts_with("show") && !effect.starts_with("log")),
            "{said:?}"
        );
    }
    // An hour that the clock was moved by, or a night that the machine slept, moves nothing.
    daemon.now.minute = 7 * 60;
    let said = daemon.hear(Event::Woke);
    assert!(said.contains(&"show 0 github changed 1 tool".to_owned()), "{said:?}");
    assert_eq!(daemon.state.missed.len(), 1, "listed once");
}

#[test]
fn a_switched_off_severity_is_blocked_and_listed() {
    let mut daemon = Daemon::watching("github", true);
    daemon.state.set_rules(Rules { off: vec![crate::alert::text::Severity::Alarm], quiet: None });
    assert_eq!(daemon.hear(changed("github", "a")), ["log change", "log alert"]);
    assert_eq!(daemon.status("github").waiting, 1);
    assert_eq!(daemon.state.missed.len(), 1);
}

#[test]
fn a_server_that_goes_back_and_forth_is_silent_after_a_while_and_told_again_after_a_day() {
    const DAY: u64 = 24 * 60 * MINUTE;
    let mut daemon = Daemon::watching("github", true);
    let mut shown = 0;
    let count = |effects: Vec<String>| effects.iter().filter(|effect| effect.starts_with("show")).count();
    for _ in 0..200 {
        shown += count(daemon.hear(changed("github", "a")));
        daemon.pass(1000);
        shown += count(daemon.hear(as_pinned("github")));
        daemon.pass(1000);
    }
    assert_eq!(shown, 1, "at most one a minute, and none once it flaps");
    daemon.hear(changed("github", "a"));
    let status = daemon.status("github");
    assert!(status.flapping && status.waiting == 1, "blocked and listed");
    // It stays as it is: the silence ends with the day.
    daemon.pass(DAY);
    let said = daemon.hear(Event::Due);
    assert!(said.contains(&"show 0 github changed 1 tool".to_owned()), "{said:?}");
    assert!(!daemon.status("github").flapping);
}

#[test]
fn an_alarm_that_waits_is_not_pushed_out_by_less() {
    let mut daemon = Daemon::watching("github", true);
    daemon.hear(changed("github", "a"));
    daemon.pass(1000);
    assert_eq!(daemon.hear(changed("github", "b")), ["log change"], "waits for its minute");
    assert_eq!(daemon.hear(Event::Newer(id("github"), Some(digest("newer")))), ["log alert"]);
    daemon.pass(MINUTE);
    assert_eq!(daemon.hear(Event::Due), ["show 0 github changed 1 tool", "log alert"]);
}

#[test]
fn what_waits_is_told_once_somebody_can_be_told() {
    let mut daemon = Daemon::watching("github", true);
    daemon.hear(Event::Desktop(Err("gone".to_owned())));
    assert_eq!(daemon.hear(changed("github", "a")), ["log change", "log alert"]);
    let back = daemon.hear(Event::Desktop(Ok(())));
    assert!(back.contains(&"show 0 github changed 1 tool".to_owned()), "{back:?}");
    daemon.hear(Event::Desktop(Err("gone".to_owned())));
    let again = daemon.hear(Event::Desktop(Ok(())));
    assert!(!again.iter().any(|effect| effect.starts_with("show")), "{again:?}");
}

#[test]
fn without_a_desktop_it_is_said_once_and_gates_know() {
    let mut daemon = Daemon::watching("github", true);
    daemon.gate(5, "github");
    let gone = || Event::Desktop(Err("no notification service runs on this desktop".to_owned()));
    let push = "push 5 Askable(No(\"no notification service runs on this desktop\"))";
    assert_eq!(daemon.hear(Event::Heard(Heard::Gone)), ["open desktop"]);
    assert_eq!(daemon.hear(gone()), ["log daemon", push]);
    assert_eq!(daemon.hear(gone()), [""; 0], "said once");
    assert_eq!(daemon.hear(changed("github", "a"))[..2], ["log change", "log alert"]);
    let status = daemon.state.step(daemon.now, Event::Asked(1, 1, Request::Status));
    let Some(Effect::Reply(_, Reply::Status(status))) = status.first() else { panic!("{status:?}") };
    assert_eq!(status.missed.len(), 1);
    assert!(status.no_notifications.is_some());
    daemon.pass(DESKTOP_RETRY);
    assert!(daemon.hear(Event::Due).contains(&"open desktop".to_owned()));
    let told = daemon.hear(Event::Desktop(Ok(())));
    assert_eq!(told, ["show 0 github changed 1 tool", "log alert", "push 5 Askable(Yes)"], "not too late");
}

#[test]
fn a_log_that_cannot_be_written_is_told_while_that_lasts() {
    let mut daemon = Daemon::watching("github", true);
    let told = |daemon: &mut Daemon, written| {
        assert_eq!(daemon.hear(Event::Logged(written)), [""; 0]);
        let effects = daemon.state.step(daemon.now, Event::Asked(1, 1, Request::Status));
        let Some(Effect::Reply(_, Reply::Status(status))) = effects.first() else { panic!("{effects:?}") };
        status.no_log.clone()
    };
    assert_eq!(told(&mut daemon, Err("the disk is full".to_owned())).as_deref(), Some("the disk is full"));
    assert_eq!(told(&mut daemon, Ok(())), None);
}

#[test]
fn a_click_opens_the_review_and_decides_nothing() {
    let mut daemon = Daemon::watching("github", true);
    daemon.hear(changed("github", "a"));
    daemon.hear(Event::Shown(id("github"), digest("a"), 7));
    let click = |id, action| Event::Heard(Heard::Clicked { id, action });
    assert_eq!(daemon.hear(click(8, Action::Review)), [""; 0], "no notification of ours");
    assert_eq!(daemon.hear(click(7, Action::Review)), ["review github", "unshow 7"]);
    assert_eq!(daemon.hear(click(7, Action::KeepBlocked)), ["unshow 7"]);
    assert_eq!(daemon.status("github").waiting, 1, "still blocked");
}

#[test]
fn signals_sleep_and_failures() {
    let mut daemon = Daemon::watching("github", true);
    for _ in 0..1000 {
        assert_eq!(daemon.hear(Event::Signalled(id("github"))), [""; 0]);
    }
    daemon.pass(500);
    assert_eq!(daemon.hear(Event::Due), ["read github Open"]);
    assert_eq!(daemon.hear(as_pinned("github")), [""; 0]);
    assert_eq!(daemon.hear(Event::Woke), ["read github Open"]);
    assert_eq!(daemon.hear(Event::Read(id("github"), Outcome::Failed("no answer".to_owned()))), [""; 0]);
    assert_eq!(daemon.status("github").state, "no answer");
    daemon.pass(1200);
    assert_eq!(daemon.hear(Event::Due), ["read github Open"]);
    daemon.hear(as_pinned("github"));
    assert_eq!(daemon.hear(Event::Ended(id("github"), 1, "gone".to_owned())), [""; 0]);
    assert_eq!(daemon.status("github").state, "gone");
    daemon.pass(1200);
    assert_eq!(daemon.hear(Event::Due), [""; 0], "it stood for no time: the second failure in a row");
    daemon.pass(1200);
    assert_eq!(daemon.hear(Event::Due), ["read github Open"]);
    daemon.hear(as_pinned("github"));
    assert_eq!(daemon.status("github").state, "connected");
    daemon.hear(Event::Deaf(id("github")));
    assert_eq!(daemon.status("github").state, "read now and then", "nobody would say that it went");
    assert_eq!(daemon.hear(Event::Stop), ["stop"]);
    assert_eq!(daemon.ask(1, Request::Stop), ["reply Done", "stop"]);
}

#[test]
fn servers_that_are_gone_are_forgotten() {
    let mut daemon = Daemon::watching("github", true);
    assert_eq!(daemon.hear(configured(vec![])), ["log configuration", "close github"]);
    assert!(daemon.state.servers.is_empty() && daemon.state.memory.ids().count() == 0);
    daemon.gate(5, "files");
    assert_eq!(daemon.status("files").state, "known through its gate only");
    daemon.hear(Event::Closed(5));
    assert!(daemon.state.servers.is_empty() && daemon.state.peers.is_empty());
}

#[test]
fn servers_that_find_no_room_are_read_in_turn() {
    let mut daemon = Daemon::new();
    daemon.state.set_room(2);
    let servers = ["a", "b", "c"].map(|name| Known { remote: true, ..known(name) });
    assert_eq!(daemon.hear(configured(servers.to_vec())), ["read a Open", "read b Open", "read c Close"]);
    ["a", "b"].iter().for_each(|name| drop(daemon.hear(as_pinned(name))));
    let apart = Outcome::AsPinned { surface: digest("pinned"), items: 3, life: None, connected: false };
    daemon.hear(Event::Read(id("c"), apart));
    assert_eq!(daemon.status("a").state, "connected");
    assert!(daemon.status("c").state.starts_with("read now and then: "), "{}", daemon.status("c").state);
    // A place that is given up is taken at the next reading; those who have one keep it.
    daemon.hear(Event::Ended(id("a"), 1, "gone".to_owned()));
    assert_eq!(daemon.ask(1, Request::Scan { server: Some(id("c")) })[2..], ["read c Open"]);
    assert_eq!(daemon.ask(1, Request::Scan { server: Some(id("b")) })[2..], ["read b Open"]);
}
