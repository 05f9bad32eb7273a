//! What the fixture server is told to do, from its arguments.

use std::path::PathBuf;

/// How the server is used; `main.rs` lists the arguments.
#[derive(Clone, Default)]
pub struct Options {
    pub changes: Vec<String>,
    pub when: When,
    pub notify: bool,
    pub state: Option<PathBuf>,
    pub era: Era,
    pub page: usize,
    pub tools: usize,
    pub skills: bool,
    pub secret: String,
    pub log: Option<PathBuf>,
    pub script: Option<PathBuf>,
    pub stderr: Option<String>,
    pub exit: Option<i32>,
    pub start_ms: u64,
    pub answer_ms: u64,
    pub http: Option<u16>,
    pub sse: bool,
    pub legacy_sse: bool,
    pub refusal: Option<String>,
    pub token: Option<String>,
}

/// From when on the changes show.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    #[default]
    Always,
    Never,
    SecondStart,
    File,
    Call,
    Stranger,
    Watcher,
    List(usize),
}

/// Which openings the server knows.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Era {
    #[default]
    Session,
    Stateless,
    Both,
}

impl Options {
    /// Reads the arguments, or says which one it does not know.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { page: 3, ..Self::default() };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} wants a value"));
            match arg.as_str() {
                "--change" => options.changes.extend(value()?.split(',').map(str::to_owned)),
                "--when" => options.when = When::parse(&value()?)?,
                "--notify" => options.notify = true,
                "--state" => options.state = Some(value()?.into()),
                "--era" => {
                    options.era = match value()?.as_str() {
                        "session" => Era::Session,
                        "stateless" => Era::Stateless,
                        "both" => Era::Both,
                        other => return Err(format!("no era {other}")),
                    }
                }
                "--page" => options.page = number(&value()?)?,
                "--tools" => options.tools = number(&value()?)?,
                "--skills" => options.skills = true,
                "--secret" => options.secret = value()?,
                "--secret-env" => options.secret = std::env::var(value()?).unwrap_or_default(),
                "--log" => options.log = Some(value()?.into()),
                "--script" => options.script = Some(value()?.into()),
                "--stderr" => options.stderr = Some(value()?),
                "--exit" => options.exit = Some(number(&value()?)?),
                "--start-ms" => options.start_ms = number(&value()?)?,
                "--answer-ms" => options.answer_ms = number(&value()?)?,
                "--http" => options.http = Some(number(&value()?)?),
                "--sse" => options.sse = true,
                "--legacy-sse" => options.legacy_sse = true,
                "--refusal" => options.refusal = Some(value()?),
                "--token" => options.token = Some(value()?),
                other => return Err(format!("no option {other}")),
            }
        }
        Ok(options)
    }

    /// A file in the state folder.
    pub fn state_file(&self, name: &str) -> Option<PathBuf> {
        self.state.as_ref().map(|folder| folder.join(name))
    }
}

impl When {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "always" => When::Always,
            "never" => When::Never,
            "second-start" => When::SecondStart,
            "file" => When::File,
            "call" => When::Call,
            "stranger" => When::Stranger,
            "watcher" => When::Watcher,
            other => match other.strip_prefix("list=") {
                Some(count) => When::List(number(count)?),
                None => return Err(format!("no time {other}")),
            },
        })
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}
