//! What stands around a command: `env`, `cmd /c`, one string instead of words. Pure.
//!
//! Promises: only what can be taken off without a shell's rules is; everything else is told as a reason.

use super::{Os, spec::base_name};
use crate::engine::launchpin::CommandLaunch;
use std::collections::BTreeMap;

/// A command without the wrappers around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// How many arguments of the launch stand before them.
    pub skipped: usize,
    /// Variables that a wrapper sets.
    pub env: BTreeMap<String, String>,
}

/// Takes `env`, `cmd /c` and the like off a command; the reason where what is inside is a shell's.
pub(super) fn unwrap(launch: &CommandLaunch, os: Os) -> Result<Line, String> {
    let mut line =
        Line { program: launch.command.clone(), args: launch.args.clone(), skipped: 0, env: BTreeMap::new() };
    if launch.args.is_empty() && launch.command.contains(' ') {
        // Some clients take one string; only a file of that very name can be meant otherwise.
        line = words(&launch.command).unwrap_or(line);
    }
    for _ in 0..4 {
        let name = base_name(&line.program);
        let taken = match name.as_str() {
            "env" => take_env(&mut line)?,
            "cmd" if os == Os::Windows => take_cmd(&mut line)?,
            "nice" | "nohup" | "exec" | "dotenvx" | "arch" | "caffeinate" | "stdbuf" | "timeout" => {
                return Err(format!("it is started through `{name}`"));
            }
            "sh" | "bash" | "zsh" | "fish" | "dash" | "powershell" | "pwsh" => {
                if line.args.iter().any(|arg| is_shell_command(arg)) {
                    return Err(format!("it is a command line for `{name}`"));
                }
                false
            }
            "docker" | "podman" | "nerdctl" => return Err("it runs in a container".to_owned()),
            "ssh" | "wsl" | "sudo" | "su" | "doas" => return Err(format!("it is started through `{name}`")),
            _ => false,
        };
        if !taken {
            break;
        }
    }
    Ok(line)
}

/// One string as words, if quotes and blanks are all it has of a shell's.
fn words(text: &str) -> Option<Line> {
    if text.contains(['$', '`', '|', '&', ';', '<', '>', '\\', '(', '*']) {
        return None;
    }
    let mut words: Vec<String> = Vec::new();
    let mut quote = None;
    let mut open = false;
    for c in text.chars() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => {
                open = false;
                continue;
            }
            (_, c) => {
                if !open {
                    words.push(String::new());
                }
                words.last_mut()?.push(c);
                open = true;
            }
        }
    }
    let mut words = words.into_iter();
    Some(Line { program: words.next()?, args: words.collect(), skipped: 0, env: BTreeMap::new() })
}

fn is_shell_command(arg: &str) -> bool {
    let lower = arg.to_ascii_lowercase();
    let letters = lower.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains('c'));
    letters || lower == "-command" || lower == "-encodedcommand"
}

/// `env A=b -u C command …`.
fn take_env(line: &mut Line) -> Result<bool, String> {
    let mut at = 0;
    while let Some(arg) = line.args.get(at) {
        match arg.split_once('=') {
            Some((name, value)) if !name.starts_with('-') => {
                line.env.insert(name.to_owned(), value.to_owned());
            }
            _ if arg == "--" => {}
            _ if arg.starts_with('-') => return Err(format!("it is started through `env {arg}`")),
            _ => {
                take(line, at);
                return Ok(true);
            }
        }
        at += 1;
    }
    Ok(false)
}

/// `cmd /c command …`.
fn take_cmd(line: &mut Line) -> Result<bool, String> {
    let at = line.args.iter().position(|arg| !arg.starts_with('/')).unwrap_or(line.args.len());
    let asks = line.args[..at].iter().any(|arg| arg.eq_ignore_ascii_case("/c"));
    let shell = |arg: &String| arg.contains(['&', '|', '<', '>', '^', '%']);
    if !asks || at == line.args.len() {
        return Ok(false);
    }
    if line.args[at..].iter().any(shell) {
        return Err("it is a command line for `cmd`".to_owned());
    }
    take(line, at);
    Ok(true)
}

/// Makes the argument at that place the program.
fn take(line: &mut Line, at: usize) {
    let rest = line.args.split_off(at + 1);
    line.program = line.args.pop().unwrap_or_default();
    line.args = rest;
    line.skipped += at + 1;
}
