//! After a decision: the gates are woken, and it is announced.
//!
//! Promises: nothing here can undo or fail the decision, which is on disk by now. With a daemon, the
//! daemon tells gates and desktop; without one, gates watch the files and we show the notification.

use super::{Ground, machine, record};
use crate::alert::code::Desk;
use crate::alert::text::{Name, Notice, Verb};
use crate::engine::approval::Level;
use crate::engine::record::Event;
use crate::engine::record::event::Decision;
use crate::ipc::client::ask_once;
use crate::ipc::message::{Decided, Request, ServerId};
use crate::store::log::Log;
use std::path::Path;

/// Logs a decision that no lock is the subject of, or that was refused, and tells of it if it was taken.
pub fn say(lock: &Path, decision: Decision, ground: &Ground) {
    if decision.refused.is_none() {
        tell(lock, &decision, ground);
    }
    // What was decided stands; a full disk must not keep a person from deciding.
    let _ = Log::of(&ground.paths).append(machine::now(), &Event::Decision(decision));
}

/// A decision of this process at its terminal.
pub fn decision(server: &str, verb: &str, level: Level) -> Decision {
    Decision {
        server: server.to_owned(),
        verb: verb.to_owned(),
        offer: None,
        items: 0,
        level,
        lifetime: None,
        user: record::user(),
        terminal: terminal(),
        pid: std::process::id(),
        refused: None,
    }
}

/// Wakes the gates and announces a decision that was taken.
pub fn tell(lock: &Path, decision: &Decision, ground: &Ground) {
    let name = if decision.server.is_empty() { folder_of(lock) } else { decision.server.clone() };
    let server = ServerId { scope: lock.to_string_lossy().into_owned(), name: name.clone() };
    let items = u32::try_from(decision.items).unwrap_or(u32::MAX);
    let terminal = decision.terminal.clone();
    let decided = Decided { server, verb: decision.verb.clone(), items, terminal: terminal.clone() };
    let folder = ground.paths.runtime.clone();
    // On a thread of its own, since the caller may stand in a runtime.
    let told = std::thread::spawn(move || ask_once(&folder, &Request::Approve(decided)).is_ok()).join();
    if !told.unwrap_or(false) {
        let now = jiff::Zoned::now();
        let notice = Notice::Decided {
            server: Name::new(name, 0),
            verb: Verb::of_command(&decision.verb),
            items,
            terminal: Name::new(terminal, 0),
            at: format!("{:02}:{:02}", now.hour(), now.minute()),
        };
        let _ = Desk::open().and_then(|desk| desk.show(notice.text(), 0));
    }
}

fn folder_of(lock: &Path) -> String {
    let folder = lock.parent().and_then(Path::file_name);
    folder.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The controlling terminal's name, like `pts/4`; empty without one.
pub fn terminal() -> String {
    #[cfg(target_os = "linux")]
    {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let number = fields.into_iter().nth(4).and_then(|field| field.parse::<u32>().ok()).unwrap_or(0);
        let (major, minor) = ((number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xF_FF00));
        match major {
            136..=143 => format!("pts/{}", (major - 136) * 256 + minor),
            4 => format!("tty{minor}"),
            _ => String::new(),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        use std::io::IsTerminal;
        if std::io::stderr().is_terminal() { "console".to_owned() } else { String::new() }
    }
}
