//! A bench for the command: a home and a project folder of its own, a configuration, no terminal
//! unless one is asked for, and outputs without what differs from run to run.

pub use crate::terminal::CTRL_C;
use crate::{fixture, terminal};
use mcpwatch::sys::program::spelled;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The built command with a data directory of its own and no terminal.
pub fn mcpwatch(home: &Path, args: &[&str]) -> Output {
    command(home).args(args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap().replace("\r\n", "\n")
}

fn command(home: &Path) -> Command {
    command_of(fixture::command(), home)
}

fn command_of(program: impl AsRef<std::ffi::OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR"] {
        command.env_remove(name);
    }
    command.env("MCPWATCH_HOME", home.join("mcpwatch")).env("HOME", home).env("USERPROFILE", home);
    command.env("APPDATA", home.join("appdata")).env("LOCALAPPDATA", home.join("localappdata"));
    command.stdin(Stdio::null());
    command
}

/// What a run gave.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Everything, as one text for a snapshot.
    pub fn all(&self) -> String {
        let part = |name: &str, text: &str| match text.trim_end() {
            "" => String::new(),
            text => format!("--- {name}\n{text}\n"),
        };
        format!("exit {}\n{}{}", self.code, part("stdout", &self.stdout), part("stderr", &self.stderr))
    }
}

/// A person's machine.
pub struct Bench {
    folder: tempfile::TempDir,
    env: Vec<(String, OsString)>,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("home")).unwrap();
        std::fs::create_dir_all(folder.path().join("work")).unwrap();
        Self { folder, env: Vec::new() }
    }

    /// The same with a variable set for every run.
    pub fn with_env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    pub fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    pub fn work(&self) -> PathBuf {
        self.folder().join("work")
    }

    /// The folder around both, symlinks followed, as people write it.
    fn folder(&self) -> PathBuf {
        PathBuf::from(spelled(&self.folder.path().canonicalize().unwrap()))
    }

    /// Writes a file below the project folder.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.work().join(name)).unwrap()
    }

    /// A configuration `client.json` that starts the fixture server under these names with these
    /// arguments.
    pub fn servers(&self, servers: &[(&str, &[&str])]) {
        self.write("client.json", &config(servers));
    }

    /// Runs the command in the project folder, without a terminal.
    pub fn run(&self, args: &[&str]) -> Run {
        let run = self.run_whole(args);
        Run { stdout: self.plain(&run.stdout), stderr: self.plain(&run.stderr), ..run }
    }

    /// The same with digests and folders left in what it prints.
    fn run_whole(&self, args: &[&str]) -> Run {
        let output = self.command().current_dir(self.work()).args(args).output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The command itself, in the project folder.
    pub fn command(&self) -> Command {
        let mut command = command(&self.home());
        command.current_dir(self.work());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Another program with the same variables, in the project folder.
    pub fn command_of(&self, program: &str) -> Command {
        let mut command = command_of(program, &self.home());
        command.current_dir(self.work());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Like `with_config`, with digests and folders left in.
    pub fn raw(&self, args: &[&str]) -> Run {
        self.run_whole(&[args, &["--config", "client.json", "--lock", "mcp.lock"]].concat())
    }

    /// Runs it with this on its stdin, which then ends.
    pub fn with_input(&self, args: &[&str], input: &str) -> Run {
        let mut command = self.command();
        command.current_dir(self.work()).args(args).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Runs it with `--config client.json --lock mcp.lock`.
    pub fn with_config(&self, args: &[&str]) -> Run {
        self.run(&[args, &["--config", "client.json", "--lock", "mcp.lock"]].concat())
    }

    /// Runs it on a pseudo-terminal; each answer is typed after the next question. `None` where the
    /// system has no `script` command to make a terminal.
    pub fn at_terminal(&self, args: &[&str], answers: &[&str]) -> Option<Run> {
        let mut own = self.command();
        own.args(args).current_dir(self.work());
        let (seen, code) = terminal::answer(&own, answers)?;
        Some(Run { code, stdout: self.plain(&seen), stderr: String::new() })
    }

    /// A text without what differs from run to run.
    fn plain(&self, text: &str) -> String {
        let mut text = slashed(text);
        for (path, name) in [
            (fixture::path().as_path(), "fixture_server"),
            (&self.folder(), "[folder]"),
            (self.folder.path(), "[folder]"),
        ] {
            text = text.replace(&slashed(path.to_str().unwrap()), name);
        }
        for (from, length) in [("blake3:", 64), ("fixture_server (", 12)] {
            let mut at = 0;
            while let Some(found) = text[at..].find(from) {
                let start = at + found + from.len();
                let digits = text[start..].bytes().take_while(u8::is_ascii_hexdigit).count();
                if digits == length {
                    text.replace_range(start..start + length, "…");
                }
                at = start;
            }
        }
        text
    }
}

/// A text in which folders are set apart and ends are called as on Unix. What Windows writes between
/// folders is escaped within JSON and TOML.
pub fn slashed(text: &str) -> String {
    if cfg!(not(windows)) {
        return text.to_owned();
    }
    text.replace("\\\\", "/").replace('\\', "/").replace("(exit code: ", "(exit status: ")
}

/// A configuration of the commonest shape.
pub fn config(servers: &[(&str, &[&str])]) -> String {
    let entries: serde_json::Map<String, serde_json::Value> = servers
        .iter()
        .map(|(name, args)| {
            let entry = serde_json::json!({ "command": fixture::path(), "args": args });
            ((*name).to_owned(), entry)
        })
        .collect();
    serde_json::json!({ "mcpServers": entries }).to_string()
}
