//! What a notification says. Pure: the same notice gives the same words.
//!
//! Promises: no word of a server, a configuration or a peer appears, except names of servers, clients
//! and terminals that consist of plain characters; any other name is replaced by our number for it.
//! Nothing here can be read as markup by a notification service that renders some.

use crate::engine::surface::Kind;

/// How urgently a person should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something waits for an answer.
    Review,
    /// It has the shape of an attack.
    Alarm,
}

/// A name from elsewhere, and our number for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As it is spelled there.
    pub spelled: String,
    /// The number to use if it is not plain.
    pub number: u32,
}

/// What happened to items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Another definition than the approved one.
    Changed,
    /// Never approved.
    New,
    /// No longer there.
    Removed,
}

/// Why a surface changed, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The program is the approved one, the surface is not: the shape of an attack.
    SameArtifact,
    /// Another version of the package.
    Upgrade,
    /// Another command or address under the approved name.
    Launch,
    /// A remote server: what it runs cannot be seen.
    Remote,
    /// Not known.
    Unknown,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A server offers what is not approved.
    Change {
        /// The server.
        server: Name,
        /// What changed, by kind.
        items: Vec<(What, Kind, u32)>,
        /// Why.
        cause: Cause,
        /// Since when, as a time of day.
        since: String,
        /// Calls that wait for the answer.
        held: u32,
    },
    /// Gate and daemon see different lists of one server.
    SplitView {
        /// The server.
        server: Name,
        /// Since when, as a time of day.
        since: String,
    },
    /// A server appeared in a client's configuration.
    Appeared {
        /// The server.
        server: Name,
        /// The client.
        client: Name,
    },
    /// Someone's edit took a server out of the gate.
    Unwrapped {
        /// The server.
        server: Name,
        /// The client.
        client: Name,
    },
    /// A newer version of a floating package is at hand, or a script or binary was edited.
    Artifact {
        /// The server.
        server: Name,
        /// Whether it is a newer version of a package.
        newer: bool,
    },
    /// A decision was taken.
    Decided {
        /// The server.
        server: Name,
        /// The command.
        verb: Verb,
        /// How many items.
        items: u32,
        /// On which terminal.
        terminal: Name,
        /// When, as a time of day.
        at: String,
    },
    /// Wrong codes dropped a request.
    WrongCodes {
        /// The server.
        server: Name,
        /// On which terminal.
        terminal: Name,
    },
    /// The code that confirms a decision.
    Code {
        /// The server.
        server: Name,
        /// How many items.
        items: u32,
        /// The six characters.
        code: String,
    },
}

/// A decision, as the announcement words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Items were approved.
    Approved,
    /// Items were rejected.
    Rejected,
    /// Approvals were taken back.
    Revoked,
    /// A lock was trusted.
    Trusted,
    /// The level of decisions was raised.
    Raised,
    /// What was weakened before holds again.
    Tightened,
    /// Something was weakened: a level, a mode, the gate itself.
    Weakened,
}

/// A button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens the review in a terminal.
    Review,
    /// Closes the notification; what is blocked stays blocked.
    KeepBlocked,
}

/// A notification, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub summary: String,
    /// A few lines.
    pub body: String,
    /// How urgent.
    pub severity: Severity,
    /// The buttons.
    pub actions: Vec<Action>,
    /// Whether it stays until it is answered.
    pub stays: bool,
    /// Whether the service should forget it once it is gone.
    pub transient: bool,
}

impl Notice {
    /// The notification's words.
    pub fn text(&self) -> Text {
        let review = || vec![Action::Review, Action::KeepBlocked];
        match self {
            Notice::Change { server, items, cause, since, held } => {
                let mut body = format!("{} {}", cause.sentence(), blocked_since(since));
                if *held > 0 {
                    body.push_str(&format!(" {} waiting.", count(*held, "call is", "calls are")));
                }
                body.push_str(&format!("\n{}", server.review()));
                Text {
                    summary: format!("{} {}", server.shown("server"), changes(items)),
                    body,
                    severity: cause.severity(),
                    actions: review(),
                    stays: true,
                    transient: false,
                }
            }
            Notice::SplitView { server, since } => Text {
                summary: format!("{} shows different lists to different readers", server.shown("server")),
                body: format!(
                    "What the gate sees is not what mcpwatch sees when it asks. {}\n{}",
                    blocked_since(since),
                    server.review()
                ),
                severity: Severity::Alarm,
                actions: review(),
                stays: true,
                transient: false,
            },
            Notice::Appeared { server, client } => Text {
                summary: format!("{} is new in {}", server.shown("server"), client.shown("client")),
                body: format!(
                    "mcpwatch has not started it. Was it you? Then approve it.\n{}",
                    server.review()
                ),
                severity: Severity::Review,
                actions: review(),
                stays: true,
                transient: false,
            },
            Notice::Unwrapped { server, client } => Text {
                summary: format!("{} was taken out of the gate", server.shown("server")),
                body: format!(
                    "An edit of the configuration of {} starts it directly: nothing it shows is checked.\nRun \
                     mcpwatch wrap to put it back, or mcpwatch unwrap if it was you.",
                    client.shown("client")
                ),
                severity: Severity::Alarm,
                actions: review(),
                stays: true,
                transient: false,
            },
            Notice::Artifact { server, newer: true } => Text {
                summary: format!("A newer version of {} is at hand", server.shown("server")),
                body: format!(
                    "The gate goes on with the approved one.\nTo look at it: mcpwatch upgrade{}",
                    server.argument()
                ),
                severity: Severity::Info,
                actions: Vec::new(),
                stays: false,
                transient: false,
            },
            Notice::Artifact { server, newer: false } => Text {
                summary: format!("The program of {} was edited", server.shown("server")),
                body: format!("Its next start is blocked until you review it.\n{}", server.review()),
                severity: Severity::Review,
                actions: review(),
                stays: true,
                transient: false,
            },
            Notice::Decided { server, verb, items, terminal, at } => Text {
                summary: format!("{} {}", verb.word(), decided(*verb, server, *items)),
                body: format!(
                    "{}{}. Not you? {}",
                    plain_time(at).map(|at| format!("At {at}, ")).unwrap_or_default(),
                    place(terminal),
                    verb.undone_by(server)
                ),
                severity: if *verb == Verb::Weakened { Severity::Review } else { Severity::Info },
                actions: Vec::new(),
                stays: false,
                transient: false,
            },
            Notice::WrongCodes { server, terminal } => Text {
                summary: format!("Three wrong codes for {}", server.shown("server")),
                body: format!(
                    "Someone tried to approve it, {}. Nothing was approved, and the request was dropped.",
                    place(terminal)
                ),
                severity: Severity::Alarm,
                actions: vec![Action::Review],
                stays: true,
                transient: false,
            },
            Notice::Code { server, items: 0, code } => Text {
                summary: format!("Code {code}"),
                body: format!(
                    "It confirms a decision about {}, as the terminal shows. Type it there within two minutes.\n\
                     Not you? Do nothing, and tell nobody the code.",
                    server.shown("server")
                ),
                severity: Severity::Review,
                actions: Vec::new(),
                stays: true,
                transient: true,
            },
            Notice::Code { server, items, code } => Text {
                summary: format!("Code {code}"),
                body: format!(
                    "It approves {} of {}, as the terminal shows. Type it there within two minutes.\nNot you? \
                     Do nothing, and tell nobody the code.",
                    count(*items, "item", "items"),
                    server.shown("server")
                ),
                severity: Severity::Review,
                actions: Vec::new(),
                stays: true,
                transient: true,
            },
        }
    }

    /// The server it is about.
    pub fn server(&self) -> &Name {
        match self {
            Notice::Change { server, .. }
            | Notice::SplitView { server, .. }
            | Notice::Appeared { server, .. }
            | Notice::Unwrapped { server, .. }
            | Notice::Artifact { server, .. }
            | Notice::Decided { server, .. }
            | Notice::WrongCodes { server, .. }
            | Notice::Code { server, .. } => server,
        }
    }
}

impl Name {
    /// A name with our number for it.
    pub fn new(spelled: impl Into<String>, number: u32) -> Self {
        Self { spelled: spelled.into(), number }
    }

    /// Whether it may appear as it is spelled: `[A-Za-z0-9_.-]{1,64}`, and no option.
    pub fn is_plain(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        (1..=64).contains(&self.spelled.len())
            && self.spelled.chars().all(plain)
            && !self.spelled.starts_with('-')
    }

    fn shown(&self, noun: &str) -> String {
        if self.is_plain() { self.spelled.clone() } else { format!("{noun} {}", self.number) }
    }

    /// The name as an argument of a command, with its space; nothing if it is not plain.
    fn argument(&self) -> String {
        if self.is_plain() { format!(" {}", self.spelled) } else { String::new() }
    }

    fn review(&self) -> String {
        format!("To review: mcpwatch approve{}", self.argument())
    }
}

impl Cause {
    fn sentence(&self) -> &'static str {
        match self {
            Cause::SameArtifact => "Its program is the approved one, what it shows is not.",
            Cause::Upgrade => "It is another version.",
            Cause::Launch => "It starts by another command or address than the approved one.",
            Cause::Remote => "It is a remote server: what it runs cannot be seen.",
            Cause::Unknown => "The cause is not known.",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Cause::SameArtifact | Cause::Launch => Severity::Alarm,
            Cause::Upgrade | Cause::Remote | Cause::Unknown => Severity::Review,
        }
    }
}

impl Verb {
    /// The verb that a command's name stands for; what is not known weakens something.
    pub fn of_command(command: &str) -> Self {
        match command.strip_suffix(" by a script").unwrap_or(command) {
            "approve" | "pin" | "upgrade" => Verb::Approved,
            "reject" => Verb::Rejected,
            "revoke" | "remove" | "distrust" => Verb::Revoked,
            "trust" => Verb::Trusted,
            "raise" => Verb::Raised,
            "brought no more" => Verb::Tightened,
            _ => Verb::Weakened,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Verb::Approved => "Approved",
            Verb::Rejected => "Rejected",
            Verb::Revoked => "Revoked",
            Verb::Trusted => "Trusted",
            Verb::Raised => "Raised",
            Verb::Tightened => "Tightened",
            Verb::Weakened => "Weakened",
        }
    }

    /// What whoever did not decide that can do about it.
    fn undone_by(self, server: &Name) -> String {
        match self {
            Verb::Approved => format!("mcpwatch revoke{}", server.argument()),
            Verb::Rejected | Verb::Revoked => format!("mcpwatch approve{}", server.argument()),
            Verb::Trusted => "mcpwatch trust --revoke".to_owned(),
            Verb::Raised | Verb::Tightened | Verb::Weakened => {
                "mcpwatch status tells what holds now.".to_owned()
            }
        }
    }
}

impl Action {
    /// What the notification service calls it.
    pub fn key(self) -> &'static str {
        match self {
            Action::Review => "review",
            Action::KeepBlocked => "keep-blocked",
        }
    }

    /// What the button says.
    pub fn label(self) -> &'static str {
        match self {
            Action::Review => "Review",
            Action::KeepBlocked => "Keep blocked",
        }
    }

    /// The action of that key; a click on the notification itself is a review.
    pub fn of_key(key: &str) -> Option<Self> {
        match key {
            "review" | "default" => Some(Action::Review),
            "keep-blocked" => Some(Action::KeepBlocked),
            _ => None,
        }
    }
}

/// "changed 2 tools, added 1 prompt".
fn changes(items: &[(What, Kind, u32)]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for what in [What::Changed, What::New, What::Removed] {
        let verb = match what {
            What::Changed => "changed",
            What::New => "added",
            What::Removed => "removed",
        };
        let of_what = items.iter().filter(|(is, _, number)| *is == what && *number > 0);
        let nouns: Vec<String> = of_what
            .map(|(_, kind, number)| {
                if kind.is_single() {
                    format!("its {}", kind.singular())
                } else {
                    count(*number, kind.singular(), kind.plural())
                }
            })
            .collect();
        if !nouns.is_empty() {
            parts.push(format!("{verb} {}", nouns.join(" and ")));
        }
    }
    if parts.is_empty() { "changed".to_owned() } else { parts.join(", ") }
}

fn decided(verb: Verb, server: &Name, items: u32) -> String {
    let server = server.shown("server");
    match verb {
        Verb::Approved | Verb::Rejected | Verb::Revoked if items > 0 => {
            format!("{} of {server}", count(items, "item", "items"))
        }
        Verb::Raised => format!("the level of decisions in {server}"),
        Verb::Weakened | Verb::Tightened => format!("the watch over {server}"),
        Verb::Approved | Verb::Rejected | Verb::Revoked | Verb::Trusted => server,
    }
}

fn place(terminal: &Name) -> String {
    let spelled = terminal.spelled.strip_prefix("/dev/").unwrap_or(&terminal.spelled);
    let plain = Name::new(spelled.replace('/', "."), terminal.number).is_plain();
    if plain { format!("on terminal {spelled}") } else { "without a terminal".to_owned() }
}

fn blocked_since(since: &str) -> String {
    plain_time(since).map_or("Blocked.".to_owned(), |since| format!("Blocked since {since}."))
}

/// A time of day as we write it, or nothing that anybody else wrote.
fn plain_time(time: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_digit() || c == ':' || c == '-' || c == ' ';
    if !time.is_empty() && time.len() <= 16 && time.chars().all(plain) { Some(time) } else { None }
}

fn count(number: u32, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
