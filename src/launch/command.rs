//! The command line of a launch: which runner it names and what that is asked to run. Pure.
//!
//! Promises: flags are read as the runner reads them, so that the package found here is the one that
//! runs; a command line that a shell would interpret is opaque, never guessed at.

use super::spec::base_name;
use super::wrapper::Line;
use std::collections::BTreeMap;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    /// `npx`, `npm exec`, `npm x`.
    Npm(Exec),
    /// `bunx`, `bun x`.
    Bunx(Exec),
    /// `pnpm dlx`, `pnpx`.
    Pnpm(Exec),
    /// `uvx`, `uv tool run`.
    Uvx(Exec),
    /// `uv run`.
    UvRun(UvRun),
    /// `pipx run`.
    Pipx(Exec),
    /// An interpreter with a script.
    Script(String),
    /// `python -m MODULE`.
    Module(String),
    /// Any other program.
    Program,
    /// Something that cannot be looked into; why.
    Opaque(String),
}

/// A package to be run by a package manager.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exec {
    /// The packages asked for; the first is the one that runs.
    pub specs: Vec<At>,
    /// The executable, where it is named apart from the package.
    pub command: Option<String>,
    /// Flags that move folders: `cache`, `prefix`, `python`, …, by their long name.
    pub options: BTreeMap<String, String>,
    /// `uvx --with`.
    pub with: Vec<String>,
}

/// A text within an argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct At {
    /// The argument, counted in the line.
    pub index: usize,
    /// Where in the argument it starts, in bytes.
    pub start: usize,
    /// The text.
    pub text: String,
}

/// `uv run`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UvRun {
    /// The project's folder, where one is given.
    pub project: Option<String>,
    /// The folder to change to first.
    pub directory: Option<String>,
    /// A module, for `-m`.
    pub module: Option<String>,
    /// The command and its arguments.
    pub command: Vec<String>,
}

/// Flags of `npx` and `npm exec` that take no value.
const NPM_SWITCHES: [&str; 34] = [
    "y",
    "yes",
    "q",
    "quiet",
    "no-install",
    "offline",
    "prefer-offline",
    "prefer-online",
    "s",
    "silent",
    "d",
    "dd",
    "ddd",
    "verbose",
    "json",
    "legacy-peer-deps",
    "strict-peer-deps",
    "force",
    "f",
    "ignore-scripts",
    "audit",
    "fund",
    "progress",
    "strict-ssl",
    "color",
    "workspaces",
    "ws",
    "include-workspace-root",
    "install-links",
    "always-spawn",
    "ignore-existing",
    "shell-auto-fallback",
    "foreground-scripts",
    "package-lock",
];

/// Flags of `uvx` that take a value.
const UV_VALUES: [&str; 36] = [
    "from",
    "with",
    "with-editable",
    "with-requirements",
    "python",
    "p",
    "index",
    "default-index",
    "index-url",
    "i",
    "extra-index-url",
    "find-links",
    "f",
    "upgrade-package",
    "P",
    "index-strategy",
    "keyring-provider",
    "resolution",
    "prerelease",
    "fork-strategy",
    "config-setting",
    "C",
    "exclude-newer",
    "link-mode",
    "refresh-package",
    "cache-dir",
    "color",
    "allow-insecure-host",
    "directory",
    "project",
    "config-file",
    "env-file",
    "w",
    "c",
    "b",
    "extra",
];

/// Flags of `bunx`, `pnpm` and `pipx` that take a value.
const OTHER_VALUES: [&str; 16] = [
    "p",
    "package",
    "dir",
    "C",
    "cwd",
    "config",
    "c",
    "allow-build",
    "registry",
    "spec",
    "python",
    "index-url",
    "pip-args",
    "i",
    "with",
    "backend",
];

/// Flags of `node`, `deno` and `python` before the script that take a value.
const INTERPRETER_VALUES: [&str; 22] = [
    "r",
    "require",
    "import",
    "loader",
    "experimental-loader",
    "C",
    "conditions",
    "env-file",
    "W",
    "X",
    "config",
    "c",
    "import-map",
    "lock",
    "preload",
    "tsconfig-override",
    "cert",
    "location",
    "seed",
    "inspect-port",
    "title",
    "cwd",
];

/// What an unwrapped line asks for.
pub(super) fn runner(line: &Line) -> Runner {
    let args = &line.args;
    let first = || args.iter().position(|arg| !arg.starts_with('-'));
    let sub = |at: usize| args.get(at).map(String::as_str);
    match base_name(&line.program).as_str() {
        "npx" => npm_exec(args, 0),
        "npm" => match first() {
            Some(at) if matches!(sub(at), Some("exec" | "x")) => npm_exec(args, at + 1),
            _ => Runner::Opaque("it runs a script of npm's".to_owned()),
        },
        "bunx" => exec(args, 0, &OTHER_VALUES, Runner::Bunx),
        "bun" => match first() {
            Some(at) if sub(at) == Some("x") => exec(args, at + 1, &OTHER_VALUES, Runner::Bunx),
            Some(at) if sub(at) == Some("run") => script(args, at + 1),
            _ => script(args, 0),
        },
        "pnpx" => exec(args, 0, &OTHER_VALUES, Runner::Pnpm),
        "pnpm" => match first() {
            Some(at) if sub(at) == Some("dlx") => exec(args, at + 1, &OTHER_VALUES, Runner::Pnpm),
            _ => Runner::Opaque("it runs a script of pnpm's".to_owned()),
        },
        "yarn" => Runner::Opaque("it runs a script of Yarn's".to_owned()),
        "uvx" => exec(args, 0, &UV_VALUES, Runner::Uvx),
        "uv" => uv(args),
        "pipx" => match first() {
            Some(at) if sub(at) == Some("run") => exec(args, at + 1, &OTHER_VALUES, Runner::Pipx),
            _ => Runner::Program,
        },
        "node" | "tsx" | "ts-node" => script(args, 0),
        "deno" => match first() {
            Some(at) if matches!(sub(at), Some("run" | "serve")) => script(args, at + 1),
            _ => script(args, 0),
        },
        name if is_python(name) => python(args),
        _ => Runner::Program,
    }
}

fn is_python(name: &str) -> bool {
    let rest = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    name == "py" || rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// A flag's name and its value where `=` gives one.
fn flag(arg: &str) -> Option<(&str, Option<&str>)> {
    let name = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?;
    match name.split_once('=') {
        Some((name, value)) => Some((name, Some(value))),
        None => Some((name, None)),
    }
}

/// `npx` and `npm exec`: as npm's `bin/npx-cli.js` splits its arguments.
fn npm_exec(args: &[String], from: usize) -> Runner {
    let mut exec = Exec::default();
    let mut at = from;
    while let Some(arg) = args.get(at) {
        if arg == "--" {
            at += 1;
            break;
        }
        let Some((name, value)) = flag(arg).filter(|(name, _)| !name.is_empty()) else { break };
        let name = if matches!(name, "p") { "package" } else { name };
        let plain = name.strip_prefix("no-").unwrap_or(name);
        let switch = NPM_SWITCHES.contains(&name) || NPM_SWITCHES.contains(&plain);
        let start = arg.len() - value.map_or(0, str::len);
        let (index, start, value) = match value {
            Some(value) => (at, start, Some(value.to_owned())),
            None if switch => (at, 0, None),
            None => {
                let known = matches!(
                    name,
                    "package" | "cache" | "userconfig" | "call" | "c" | "shell" | "n" | "node-arg"
                );
                let next = args.get(at + 1).filter(|next| known || !next.starts_with('-'));
                at += usize::from(next.is_some());
                (at, 0, next.cloned())
            }
        };
        match (name, value) {
            ("call" | "c", Some(_)) => {
                return Runner::Opaque("it is a command line for npx's shell".to_owned());
            }
            ("package", Some(text)) => exec.specs.push(At { index, start, text }),
            (name, Some(value)) => {
                exec.options.insert(name.to_owned(), value);
            }
            (_, None) => {}
        }
        at += 1;
    }
    let positional = args.get(at).cloned();
    match (exec.specs.is_empty(), positional) {
        (true, Some(text)) => exec.specs.push(At { index: at, start: 0, text }),
        (true, None) => return Runner::Opaque("it names no package".to_owned()),
        (false, command) => exec.command = command,
    }
    Runner::Npm(exec)
}

/// The other package managers: flags, the package, the rest.
fn exec(args: &[String], from: usize, values: &[&str], runner: fn(Exec) -> Runner) -> Runner {
    let mut exec = Exec::default();
    let mut at = from;
    while let Some(arg) = args.get(at) {
        if arg == "--" {
            at += 1;
            break;
        }
        let Some((name, value)) = flag(arg).filter(|(name, _)| !name.is_empty()) else { break };
        let start = arg.len() - value.map_or(0, str::len);
        let (index, start, value) = match value {
            Some(value) => (at, start, Some(value.to_owned())),
            None if values.contains(&name) => {
                at += 1;
                (at, 0, args.get(at).cloned())
            }
            None => (at, 0, Some(String::new())),
        };
        match (name, value) {
            ("from" | "spec" | "package" | "p", Some(text)) if name != "p" || !values.contains(&"from") => {
                exec.specs.push(At { index, start, text });
            }
            ("with" | "w", Some(value)) => exec.with.push(value),
            ("c" | "shell-mode", Some(_)) if !values.contains(&"from") => {
                return Runner::Opaque("it is a command line for a shell".to_owned());
            }
            (name, Some(value)) => {
                exec.options.insert(name.to_owned(), value);
            }
            (_, None) => {}
        }
        at += 1;
    }
    match (exec.specs.is_empty(), args.get(at).cloned()) {
        (true, Some(text)) => exec.specs.push(At { index: at, start: 0, text }),
        (true, None) => return Runner::Opaque("it names no package".to_owned()),
        (false, command) => exec.command = command,
    }
    runner(exec)
}

/// `uv tool run`, `uv run`.
fn uv(args: &[String]) -> Runner {
    let mut at = 0;
    let mut run = UvRun::default();
    while let Some((name, value)) = args.get(at).and_then(|arg| flag(arg)) {
        let mut value = value.map(str::to_owned);
        if value.is_none() && UV_VALUES.contains(&name) {
            at += 1;
            value = args.get(at).cloned();
        }
        match name {
            "directory" => run.directory = value,
            "project" => run.project = value,
            _ => {}
        }
        at += 1;
    }
    match (args.get(at).map(String::as_str), args.get(at + 1).map(String::as_str)) {
        (Some("tool"), Some("run")) => exec(args, at + 2, &UV_VALUES, Runner::Uvx),
        (Some("run"), _) => uv_run(args, at + 1, run),
        _ => Runner::Program,
    }
}

fn uv_run(args: &[String], from: usize, mut run: UvRun) -> Runner {
    let mut at = from;
    while let Some(arg) = args.get(at) {
        if arg == "--" {
            at += 1;
            break;
        }
        let Some((name, value)) = flag(arg).filter(|(name, _)| !name.is_empty()) else { break };
        let mut value = value.map(str::to_owned);
        let takes = UV_VALUES.contains(&name)
            || matches!(name, "m" | "module" | "group" | "package" | "no-group" | "only-group");
        if value.is_none() && takes {
            at += 1;
            value = args.get(at).cloned();
        }
        match name {
            "directory" => run.directory = value,
            "project" => run.project = value,
            "m" | "module" => run.module = value,
            "with" | "w" | "with-editable" | "with-requirements" => {
                return Runner::Opaque(format!("`uv run --{name}` builds an environment of its own"));
            }
            _ => {}
        }
        at += 1;
    }
    run.command = args[at.min(args.len())..].to_vec();
    Runner::UvRun(run)
}

/// `node x.js`, `deno run x.ts`, `bun x.ts`.
fn script(args: &[String], from: usize) -> Runner {
    let mut at = from;
    while let Some(arg) = args.get(at) {
        match flag(arg) {
            Some(("e" | "eval" | "p" | "print" | "pe", _)) => {
                return Runner::Opaque("its code stands in the command".to_owned());
            }
            Some((name, None)) if INTERPRETER_VALUES.contains(&name) => at += 2,
            Some(_) => at += 1,
            None => return script_at(arg),
        }
    }
    Runner::Program
}

fn script_at(path: &str) -> Runner {
    let remote =
        ["npm:", "jsr:", "http://", "https://", "data:"].iter().any(|scheme| path.starts_with(scheme));
    if remote {
        Runner::Opaque("its code comes from an address at every start".to_owned())
    } else {
        Runner::Script(path.to_owned())
    }
}

fn python(args: &[String]) -> Runner {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        match arg.as_str() {
            "-m" => {
                let module = args.get(at + 1).cloned();
                return module.map_or(Runner::Program, Runner::Module);
            }
            "-c" | "-" => return Runner::Opaque("its code stands in the command".to_owned()),
            "-W" | "-X" => at += 2,
            arg => match arg.strip_prefix('-') {
                // `-um module`, `-Im module`: letters, the last of which takes the rest.
                Some(letters) if !letters.starts_with('-') && letters.ends_with('m') => {
                    return args.get(at + 1).cloned().map_or(Runner::Program, Runner::Module);
                }
                Some(letters) if !letters.starts_with('-') && letters.contains('c') => {
                    return Runner::Opaque("its code stands in the command".to_owned());
                }
                Some(_) => at += 1,
                None => return script_at(arg),
            },
        }
    }
    Runner::Program
}
