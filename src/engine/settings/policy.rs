//! `policy.toml`: floors that an administrator sets, below which no decision and no setting goes.
//!
//! Promises: a policy only ever tightens; of two, the stricter word counts for each key; a key that is
//! not known is refused. [`KEYS`] documents every key and `docs/config.md` is written from it. Does not
//! read the file or ask whose it is.

use super::{Settings, SettingsError, units};
use crate::engine::approval::Level;
use crate::engine::gate::Mode;
use toml::{Table, Value};

/// Everything that a policy says; what it does not say is left to each person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The least level of a decision.
    pub level: Option<Level>,
    /// Whether the mode `observe` never holds.
    pub enforces: bool,
    /// The longest `verify`, in milliseconds.
    pub verify: Option<u64>,
    /// Whether nobody may bring their own trust: `--trust-lock`, a moved `MCPWATCH_HOME`.
    pub refuses_brought: bool,
    /// Whether nobody may take mcpwatch out of the clients' files.
    pub refuses_unwrap: bool,
    /// Whether lists that a lock declares open are compared like any other.
    pub refuses_open: bool,
}

/// One key: its name, what it takes, what it does.
pub type Key = (&'static str, &'static str, &'static str);

/// Every key.
pub const KEYS: [Key; 6] = [
    ("level", "\"terminal\", \"code\" or \"signed\"", "The least level at which decisions are answered."),
    ("mode", "\"enforce\"", "Nobody's `observe` holds."),
    ("verify", "a duration like \"1m\"", "The longest `verify` that holds."),
    ("brought", "\"refuse\"", "`--trust-lock` and a moved `MCPWATCH_HOME` are refused."),
    ("unwrap", "\"refuse\"", "`unwrap` and `uninstall` are refused."),
    ("open_lists", "\"refuse\"", "Resource lists that a lock declares open are compared like any other."),
];

/// Reads the text of a `policy.toml`.
pub fn parse(text: &str) -> Result<Policy, SettingsError> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
        SettingsError::Syntax { line, message: error.message().to_owned() }
    })?;
    let mut policy = Policy::default();
    for (key, value) in &table {
        let known = KEYS.iter().find(|(name, ..)| name == key);
        let Some((name, takes, _)) = known else {
            return Err(SettingsError::Unknown { key: key.clone(), nearest: None });
        };
        let wrong = || SettingsError::Value { key: (*name).to_owned(), expected: (*takes).to_owned() };
        let word = value.as_str().ok_or_else(wrong)?;
        let is = |expected: &str| if word == expected { Ok(true) } else { Err(wrong()) };
        match *name {
            "level" => policy.level = Some(word.parse().map_err(|_| wrong())?),
            "mode" => policy.enforces = is("enforce")?,
            "verify" => {
                let verify = Value::as_str(value).and_then(units::read_duration);
                policy.verify = Some(verify.filter(|verify| *verify > 0).ok_or_else(wrong)?);
            }
            "brought" => policy.refuses_brought = is("refuse")?,
            "unwrap" => policy.refuses_unwrap = is("refuse")?,
            _ => policy.refuses_open = is("refuse")?,
        }
    }
    Ok(policy)
}

impl Policy {
    /// The stricter of two, key by key.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            level: self.level.max(other.level),
            enforces: self.enforces || other.enforces,
            verify: self.verify.into_iter().chain(other.verify).min(),
            refuses_brought: self.refuses_brought || other.refuses_brought,
            refuses_unwrap: self.refuses_unwrap || other.refuses_unwrap,
            refuses_open: self.refuses_open || other.refuses_open,
        }
    }

    /// Settings within these floors.
    #[must_use]
    pub fn bound(&self, mut settings: Settings) -> Settings {
        for server in settings.servers.values_mut().chain([&mut settings.all]) {
            if self.enforces {
                server.mode = Mode::Enforce;
            }
            server.verify = self.verify.map_or(server.verify, |longest| server.verify.min(longest));
        }
        settings
    }

    /// What it sets, as it would be written.
    pub fn floors(&self) -> Vec<String> {
        let word = |is: bool, text: &str| is.then(|| text.to_owned());
        let level = self.level.map(|level| format!("level = \"{level}\""));
        let verify = self.verify.map(|verify| format!("verify = \"{}\"", units::duration(verify)));
        let words = [
            level,
            word(self.enforces, "mode = \"enforce\""),
            verify,
            word(self.refuses_brought, "brought = \"refuse\""),
            word(self.refuses_unwrap, "unwrap = \"refuse\""),
            word(self.refuses_open, "open_lists = \"refuse\""),
        ];
        words.into_iter().flatten().collect()
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
