//! Opens the user's terminal with a review in it.
//!
//! Promises: building the commands is pure, for every system; nothing in them comes from a server, and
//! a name that is not plain is left out (`mcpwatch approve` then asks about all that waits). No shell
//! reads any of it, except on macOS, where Terminal wants a script, whose words are quoted.

use super::text::Name;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The families of systems, as far as terminals go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    /// Linux and other free desktops.
    Free,
    /// macOS.
    Mac,
    /// Windows.
    Windows,
}

/// Terminals of free desktops in the order they are tried: the program, and what stands before the command.
const TERMINALS: &[(&str, &[&str])] = &[
    ("xdg-terminal-exec", &[]),
    ("x-terminal-emulator", &["-e"]),
    ("gnome-terminal", &["--"]),
    ("ptyxis", &["--"]),
    ("kgx", &["--"]),
    ("konsole", &["-e"]),
    ("xfce4-terminal", &["-x"]),
    ("mate-terminal", &["-x"]),
    ("kitty", &[]),
    ("alacritty", &["-e"]),
    ("foot", &[]),
    ("wezterm", &["start", "--"]),
    ("xterm", &["-e"]),
];

/// Stands before the terminal where systemd started us: it then runs beside our service and not in
/// it, so that it shares neither its confinement nor its end.
const OUTSIDE: &[&str] = &["systemd-run", "--user", "--quiet", "--collect", "--"];

impl Desk {
    /// This system's.
    pub fn own() -> Self {
        if cfg!(target_os = "macos") {
            Desk::Mac
        } else if cfg!(windows) {
            Desk::Windows
        } else {
            Desk::Free
        }
    }
}

/// The commands that open a review, best first; the first that starts is the one.
///
/// `program` is our own path, `variables` the environment, `script` the file that [`script`] was
/// written to (macOS).
pub fn commands(
    desk: Desk,
    program: &str,
    server: &Name,
    variables: &BTreeMap<String, String>,
    script: &str,
) -> Vec<Vec<String>> {
    let review = review(program, server);
    let with = |before: &[&str]| -> Vec<String> {
        before.iter().map(|word| (*word).to_owned()).chain(review.iter().cloned()).collect()
    };
    match desk {
        Desk::Mac => vec![["open", "-a", "Terminal", script].map(str::to_owned).to_vec()],
        Desk::Windows => {
            // Windows Terminal splits its own command line at semicolons.
            let escaped = review.iter().map(|word| word.replace(';', "\\;"));
            let terminal = ["wt.exe", "new-tab", "--title", "mcpwatch"].map(str::to_owned);
            let mut commands = vec![terminal.into_iter().chain(escaped).collect()];
            // cmd expands variables and reads carets even between quotes, so only a plain path goes there.
            if !program.contains(['%', '^', '!', '"', '&', '|', '<', '>']) {
                commands.push(with(&["cmd.exe", "/d", "/c", "start", "mcpwatch"]));
            }
            commands
        }
        Desk::Free => {
            let mut commands = Vec::new();
            let chosen = variables.get("TERMINAL").map(String::as_str).unwrap_or_default();
            if is_program(chosen) {
                let file = chosen.rsplit('/').next().unwrap_or(chosen);
                let known = TERMINALS.iter().find(|(name, _)| *name == file);
                let before = known.map_or(&["-e"][..], |(_, before)| before);
                commands.push(with(&[&[chosen], before].concat()));
            }
            commands.extend(TERMINALS.iter().map(|(name, before)| with(&[&[*name], *before].concat())));
            if variables.contains_key("INVOCATION_ID") {
                for command in &mut commands {
                    command.splice(0..0, OUTSIDE.iter().map(|word| (*word).to_owned()));
                }
            }
            commands
        }
    }
}

/// The script that macOS' Terminal runs.
pub fn script(program: &str, server: &Name) -> String {
    let words: Vec<String> = review(program, server).iter().map(|word| quoted(word)).collect();
    format!("#!/bin/sh\nclear\nexec {}\n", words.join(" "))
}

/// Opens a review in the user's terminal; the error says what was tried.
pub fn open(folder: &Path, server: &Name) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| format!("our own path is not known: {error}"))?;
    let program = program.to_string_lossy();
    let desk = Desk::own();
    let file = folder.join("review.command");
    if desk == Desk::Mac {
        write_script(&file, &script(&program, server))
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let tried = commands(desk, &program, server, &variables, &file.to_string_lossy());
    for words in &tried {
        let Some((first, rest)) = words.split_first() else { continue };
        let terminal = words.get(if first == OUTSIDE[0] { OUTSIDE.len() } else { 0 });
        if !found(first) || !terminal.is_some_and(|terminal| found(terminal)) {
            continue;
        }
        let mut command = Command::new(first);
        command.args(rest).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        if let Ok(mut child) = command.spawn() {
            // Collected when it ends, so that no dead process stays behind.
            std::thread::spawn(move || child.wait());
            return Ok(());
        }
    }
    Err("no terminal was found".to_owned())
}

/// Our own command line.
fn review(program: &str, server: &Name) -> Vec<String> {
    let mut words = vec![program.to_owned(), "approve".to_owned()];
    if server.is_plain() {
        words.push(server.spelled.clone());
    }
    words
}

/// Whether `$TERMINAL` is one word that can be a program, not a command line.
fn is_program(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '-' | '+');
    !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn found(program: &str) -> bool {
    if cfg!(windows) || program.contains('/') {
        return true;
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder: PathBuf| folder.join(program).is_file())
}

fn write_script(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let _ = std::fs::remove_file(path);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o700);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
#[path = "terminal_tests.rs"]
mod tests;
