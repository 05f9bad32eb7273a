//! Reading `config.toml`.

use super::keys::{KEYS, Key, Takes};
use super::{Limits, Notify, ServerSettings, Settings, SettingsError, Severity, Watch, units};
use crate::engine::gate::Mode;
use toml::{Table, Value};

/// The tables that may stand at the top.
const TABLES: [&str; 3] = ["limits", "notify", "server"];

/// Reads the text of a `config.toml`.
pub fn parse(text: &str) -> Result<Settings, SettingsError> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
        SettingsError::Syntax { line, message: error.message().to_owned() }
    })?;
    let mut settings = Settings::default();
    for (name, value) in &table {
        match name.as_str() {
            "limits" | "notify" | "server" => {}
            _ => set_server(&mut settings.all, "", name, value)?,
        }
    }
    for (name, value) in members(&table, "limits")? {
        set_limit(&mut settings.limits, name, value)?;
    }
    for (name, value) in members(&table, "notify")? {
        set_notify(&mut settings.notify, name, value)?;
    }
    for (server, value) in members(&table, "server")? {
        let path = format!("server.{server}.");
        let keys = value.as_table().ok_or(SettingsError::Value {
            key: format!("server.{server}"),
            expected: "a table, like `[server.NAME]`".to_owned(),
        })?;
        let mut own = settings.all;
        for (name, value) in keys {
            set_server(&mut own, &path, name, value)?;
        }
        settings.servers.insert(server.clone(), own);
    }
    Ok(settings)
}

fn members<'a>(table: &'a Table, name: &str) -> Result<Vec<(&'a String, &'a Value)>, SettingsError> {
    match table.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Table(table)) => Ok(table.iter().collect()),
        Some(_) => {
            Err(SettingsError::Value { key: name.to_owned(), expected: format!("a table, like `[{name}]`") })
        }
    }
}

fn set_server(
    server: &mut ServerSettings,
    path: &str,
    name: &str,
    value: &Value,
) -> Result<(), SettingsError> {
    let read = Read::of("", path, name, value)?;
    match name {
        "mode" => server.mode = if read.word()? == "observe" { Mode::Observe } else { Mode::Enforce },
        "hold" => server.hold = read.number()?,
        "verify" => server.verify = read.number()?,
        "watch" => server.watch = Watch::of_name(read.word()?).unwrap_or_default(),
        "interval" => server.interval = read.number()?,
        "linger" => server.linger = read.number()?,
        "log_contents" => server.log_contents = read.word()? == "arguments",
        _ => return Err(read.unknown()),
    }
    Ok(())
}

fn set_limit(limits: &mut Limits, name: &str, value: &Value) -> Result<(), SettingsError> {
    let read = Read::of("limits", "limits.", name, value)?;
    let number = read.number()?;
    match name {
        "message" => limits.message = number,
        "answer" => limits.answer = number,
        "debounce" => limits.debounce = number,
        "page_items" => limits.page_items = number,
        "pages" => limits.pages = number,
        "open_requests" => limits.open_requests = number,
        "waiting" => limits.waiting = number,
        _ => return Err(read.unknown()),
    }
    Ok(())
}

fn set_notify(notify: &mut Notify, name: &str, value: &Value) -> Result<(), SettingsError> {
    let read = Read::of("notify", "notify.", name, value)?;
    match name {
        "quiet_hours" => {
            let hours = read.value.as_str().and_then(units::read_hours);
            notify.quiet_hours = Some(hours.ok_or_else(|| read.wrong())?);
        }
        "off" => notify.off = read.severities()?,
        _ => return Err(read.unknown()),
    }
    Ok(())
}

/// A key that is known, and the value given for it.
struct Read<'a> {
    key: &'static Key,
    path: String,
    value: &'a Value,
}

impl<'a> Read<'a> {
    fn of(table: &str, path: &str, name: &str, value: &'a Value) -> Result<Self, SettingsError> {
        let path = format!("{path}{name}");
        match KEYS.iter().find(|key| key.table == table && key.name == name) {
            Some(key) => Ok(Self { key, path, value }),
            None => Err(unknown(table, &path, name)),
        }
    }

    fn word(&self) -> Result<&'a str, SettingsError> {
        let Takes::Word(words) = self.key.takes else { return Err(self.wrong()) };
        self.value.as_str().filter(|word| words.contains(word)).ok_or_else(|| self.wrong())
    }

    fn number(&self) -> Result<u64, SettingsError> {
        let text = self.value.as_str();
        let whole = self.value.as_integer().and_then(|number| u64::try_from(number).ok());
        let (number, from, to) = match self.key.takes {
            Takes::Duration(from, to) => (text.and_then(units::read_duration), from, to),
            Takes::Size(from, to) => (text.and_then(units::read_size), from, to),
            Takes::Count(from, to) => (whole, from, to),
            Takes::Word(_) | Takes::Words(_) | Takes::Hours => return Err(self.wrong()),
        };
        number.filter(|number| (from..=to).contains(number)).ok_or_else(|| self.wrong())
    }

    fn severities(&self) -> Result<Vec<Severity>, SettingsError> {
        let severity = |value: &Value| match value.as_str() {
            Some("info") => Ok(Severity::Info),
            Some("warning") => Ok(Severity::Warning),
            Some("critical") => Ok(Severity::Critical),
            Some(_) | None => Err(self.wrong()),
        };
        self.value.as_array().ok_or_else(|| self.wrong())?.iter().map(severity).collect()
    }

    fn wrong(&self) -> SettingsError {
        SettingsError::Value { key: self.path.clone(), expected: self.key.takes.describe() }
    }

    fn unknown(&self) -> SettingsError {
        unknown(self.key.table, &self.path, self.key.name)
    }
}

/// An unknown key, with the nearest of the same table, or of any if none is near.
fn unknown(table: &str, path: &str, name: &str) -> SettingsError {
    let prefix = path.strip_suffix(name).unwrap_or("");
    let own = KEYS.iter().filter(|key| key.table == table).map(|key| format!("{prefix}{}", key.name));
    let other = KEYS.iter().filter(|key| key.table != table).map(|key| match key.table {
        "" => key.name.to_owned(),
        table => format!("{table}.{}", key.name),
    });
    let tables = TABLES.iter().filter(|_| table.is_empty()).map(|table| (*table).to_owned());
    let last = |candidate: &str| candidate.rsplit('.').next().unwrap_or("").to_owned();
    let far = |candidate: &String| distance(name, &last(candidate));
    // Of two that are as near, the one that begins alike.
    let order = |candidate: &String| (far(candidate), last(candidate).chars().next() != name.chars().next());
    let nearest =
        own.chain(other).chain(tables).min_by_key(order).filter(|near| far(near) <= name.len().max(3) / 2);
    SettingsError::Unknown { key: path.to_owned(), nearest }
}

/// How many letters must be changed, added or left out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let same = corner + usize::from(from != *to);
            corner = row[j + 1];
            row[j + 1] = same.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
