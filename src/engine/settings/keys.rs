//! The keys of `config.toml`: what each takes, its default, and what it does.

use super::{Limits, ServerSettings, units};

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The table it stands in; empty for the top.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it does, in a sentence or two.
    pub does: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any of these words, in a list.
    Words(&'static [&'static str]),
    /// A duration between these, in milliseconds.
    Duration(u64, u64),
    /// A size between these, in bytes.
    Size(u64, u64),
    /// A whole number between these.
    Count(u64, u64),
    /// A time of day to another.
    Hours,
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Every key. Those of the top can also stand in `[server.NAME]`, for that server alone.
pub const KEYS: [Key; 16] = [
    Key {
        table: "",
        name: "mode",
        takes: Takes::Word(&["enforce", "observe"]),
        does: "`enforce` holds back what nobody approved. `observe` lets everything pass and records it; it loosens the gate, so it holds only once you accepted it.",
    },
    Key {
        table: "",
        name: "hold",
        takes: Takes::Duration(0, HOUR),
        does: "How long a call of a changed tool waits for your decision before it is refused. Clients have timeouts of their own, often a minute. `0s` refuses at once.",
    },
    Key {
        table: "",
        name: "verify",
        takes: Takes::Duration(SECOND, HOUR),
        does: "How old the gate's reading of a list may be when a call relies on it. Longer than the default loosens the gate, so it holds only once you accepted it.",
    },
    Key {
        table: "",
        name: "watch",
        takes: Takes::Word(&["resident", "probe", "gate-only", "off"]),
        does: "How the daemon watches: connected while it can be, only at each interval, only through gates that clients run, or not at all. `off` loosens the watch, so it holds only once you accepted it.",
    },
    Key {
        table: "",
        name: "interval",
        takes: Takes::Duration(MINUTE, 7 * 24 * HOUR),
        does: "How often the daemon reads a server again when nothing signals a change.",
    },
    Key {
        table: "",
        name: "linger",
        takes: Takes::Duration(0, 24 * HOUR),
        does: "How long the daemon keeps a server running that it started itself.",
    },
    Key {
        table: "",
        name: "log_contents",
        takes: Takes::Word(&["off", "arguments"]),
        does: "Whether the log keeps the arguments of calls beside their digest and size, at most 16 KiB of a call. They can hold secrets: values that mcpwatch knows or that look like secrets are masked, others are not. `mcpwatch status` and `mcpwatch service status` say that it is switched on.",
    },
    Key {
        table: "limits",
        name: "message",
        takes: Takes::Size(64 << 10, 1 << 30),
        does: "The largest message that passes. A request or an answer above it is answered with an error.",
    },
    Key {
        table: "limits",
        name: "answer",
        takes: Takes::Duration(100, 10 * MINUTE),
        does: "How long a server may take for one page of a list before calls that rely on it are refused.",
    },
    Key {
        table: "limits",
        name: "debounce",
        takes: Takes::Duration(50, MINUTE),
        does: "The shortest time between two readings that a server's signals cause.",
    },
    Key {
        table: "limits",
        name: "page_items",
        takes: Takes::Count(1, 100_000),
        does: "The most items on one page of a list that a client gets.",
    },
    Key {
        table: "limits",
        name: "pages",
        takes: Takes::Count(1, 100_000),
        does: "The most pages of a server's list that are read.",
    },
    Key {
        table: "limits",
        name: "open_requests",
        takes: Takes::Count(16, 1_000_000),
        does: "The most requests that may be unanswered in each direction.",
    },
    Key {
        table: "limits",
        name: "waiting",
        takes: Takes::Size(64 << 10, 1 << 30),
        does: "The most bytes of calls that wait for a list or for you.",
    },
    Key {
        table: "notify",
        name: "quiet_hours",
        takes: Takes::Hours,
        does: "Between these times, by the clock of the place, nothing is shown. Everything is blocked as ever, `mcpwatch status` lists it, and what still waits afterwards is shown then. More than twelve hours loosen the watch, so they hold only once you accepted them.",
    },
    Key {
        table: "notify",
        name: "off",
        takes: Takes::Words(&["info", "warning", "critical"]),
        does: "Severities for which nothing is shown. `critical` among them loosens the watch, so it holds only once you accepted it.",
    },
];

impl Takes {
    /// What it takes, in a sentence.
    pub fn describe(self) -> String {
        let words =
            |words: &[&str]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        match self {
            Takes::Word(all) => format!("one of {}", words(all)),
            Takes::Words(all) => format!("a list of any of {}", words(all)),
            Takes::Duration(from, to) => {
                let (from, to) = (units::duration(from), units::duration(to));
                format!("a duration like \"45s\" or \"30m\", from {from} to {to}")
            }
            Takes::Size(from, to) => {
                format!("a size like \"64MiB\", from {} to {}", units::size(from), units::size(to))
            }
            Takes::Count(from, to) => format!("a whole number from {from} to {to}"),
            Takes::Hours => "two times of day like \"22:00-07:00\"".to_owned(),
        }
    }
}

impl Key {
    /// The default, as it would be written; empty where there is none.
    pub fn default(&self) -> String {
        let (server, limits) = (ServerSettings::default(), Limits::default());
        let quoted = |text: String| format!("\"{text}\"");
        match (self.table, self.name) {
            ("", "mode") => quoted("enforce".to_owned()),
            ("", "hold") => quoted(units::duration(server.hold)),
            ("", "verify") => quoted(units::duration(server.verify)),
            ("", "watch") => quoted("resident".to_owned()),
            ("", "interval") => quoted(units::duration(server.interval)),
            ("", "linger") => quoted(units::duration(server.linger)),
            ("", "log_contents") => quoted("off".to_owned()),
            ("limits", "message") => quoted(units::size(limits.message)),
            ("limits", "answer") => quoted(units::duration(limits.answer)),
            ("limits", "debounce") => quoted(units::duration(limits.debounce)),
            ("limits", "page_items") => limits.page_items.to_string(),
            ("limits", "pages") => limits.pages.to_string(),
            ("limits", "open_requests") => limits.open_requests.to_string(),
            ("limits", "waiting") => quoted(units::size(limits.waiting)),
            ("notify", "off") => "[]".to_owned(),
            _ => String::new(),
        }
    }
}

/// The page `docs/config.md`.
pub fn reference() -> String {
    let mut page = "# Settings\n\n\
        `config.toml` in mcpwatch's configuration folder (`mcpwatch status` names it). No file is needed: \
        every key has a default. A key that is not listed here is refused. This page is written from the \
        program's own table, and a test holds that it is current.\n"
        .to_owned();
    for (table, title) in [
        ("", "For every server, or in `[server.NAME]` for one"),
        ("limits", "`[limits]`"),
        ("notify", "`[notify]`"),
    ] {
        page.push_str(&format!("\n## {title}\n\n| key | default | takes | |\n|---|---|---|---|\n"));
        for key in KEYS.iter().filter(|key| key.table == table) {
            let default = key.default();
            let default = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
            page.push_str(&format!(
                "| `{}` | {default} | {} | {} |\n",
                key.name,
                key.takes.describe(),
                key.does
            ));
        }
    }
    page.push_str(&loosening());
    page.push_str(&policy_reference());
    page.push_str(
        "\n## An example\n\n```toml\nhold = \"2m\"\n\n[server.github]\nwatch = \"probe\"\ninterval = \"2h\"\n\n\
         [notify]\nquiet_hours = \"22:00-07:00\"\n```\n",
    );
    page
}

fn loosening() -> String {
    "\n## What loosens\n\n\
     A setting that leaves you less protected than its default (the table says which) does not hold because it \
     stands in the file: an agent or an installer could have written it. It holds once you accepted exactly \
     these values with `mcpwatch trust --settings`, at the level that decisions need here; until then the default \
     does, and `mcpwatch status` says so. Another value asks again. So do lowering the level \
     (`mcpwatch trust --level`), letting an environment bring its own trust (`mcpwatch trust --brought allow`, \
     for `--trust-lock` and a moved `MCPWATCH_HOME`), and `mcpwatch unwrap`. A gate that runs is tightened at \
     once, and loosened only from its next session on.\n"
        .to_owned()
}

fn policy_reference() -> String {
    let mut page = "\n## The machine's policy\n\n\
        `/etc/mcpwatch/policy.toml` (on Windows `C:\\ProgramData\\mcpwatch\\policy.toml`) sets floors for every \
        account: gate, commands and daemon read it, and no decision of a person goes below it. It counts only if \
        root owns it and every folder above it and nobody else can write them; one that is there and cannot be used \
        closes the gate. No variable moves it. With `MCPWATCH_HOME`, a `config/policy.toml` in that folder counts \
        too; of two, the stricter word counts for each key.\n\n| key | takes | |\n|---|---|---|\n"
        .to_owned();
    for (name, takes, does) in super::policy::KEYS {
        page.push_str(&format!("| `{name}` | {takes} | {does} |\n"));
    }
    page
}
