//! The words of a wrapped launch: how they are written into a client's file, and how they are known
//! again. `edit/` writes them, `discover/` looks through them.
//!
//! `--server NAME` says that the entry had arguments of its own, `--server=NAME` that it had none, not
//! even an empty list: the one thing about the original that its text could not tell otherwise, and a
//! spelling that survives a client that formats its file anew.

use std::collections::BTreeMap;

/// The variables that put our settings and what we trust elsewhere, in an entry as in a shell.
pub const MOVING: [&str; 4] = ["MCPWATCH_HOME", "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"];

/// The variable that carries a remote entry's own text.
pub const ENTRY_VARIABLE: &str = "MCPWATCH_ENTRY";

/// How an entry is wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The program before the server.
    pub exe: String,
    /// The lock that it is told to use.
    pub lock: Option<String>,
    /// The server's name for the lock.
    pub name: String,
    /// Whether the original is a remote server.
    pub remote: bool,
    /// How many arguments are ours. Of a command, the last of them is the original command itself.
    pub ours: usize,
    /// Whether the original had no list of arguments.
    pub bare: bool,
    /// Those of [`MOVING`] that its entry sets: for the gate as for the server. Nothing where the words
    /// alone were looked at.
    pub moved: BTreeMap<String, String>,
}

/// The arguments before the original command.
pub fn before_command(lock: Option<&str>, name: &str, bare: bool) -> Vec<String> {
    let mut words = start(lock);
    if bare {
        words.push(format!("--server={name}"));
    } else {
        words.extend(["--server".to_owned(), name.to_owned()]);
    }
    words.push("--".to_owned());
    words
}

/// The arguments that stand for a remote entry of a client.
pub fn for_remote(lock: Option<&str>, client: &str, name: &str) -> Vec<String> {
    let mut words = start(lock);
    words.extend(["--id".to_owned(), format!("{client}:{name}")]);
    words
}

fn start(lock: Option<&str>) -> Vec<String> {
    let lock = lock.into_iter().flat_map(|lock| ["--lock".to_owned(), lock.to_owned()]);
    std::iter::once("run".to_owned()).chain(lock).collect()
}

/// The client and the name in the value of `--id`.
pub fn split_id(id: &str) -> Option<(&str, &str)> {
    id.split_once(':')
}

/// Knows a wrapped launch: a program of our name that runs a server.
pub fn recognise<S: AsRef<str>>(command: &str, args: &[S]) -> Option<Wrapped> {
    let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
    let file = command.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let stem = file.strip_suffix(".exe").unwrap_or(&file);
    if stem != "mcpwatch" || args.first() != Some(&"run") {
        return None;
    }
    let exe = command.to_owned();
    let end = args.iter().position(|word| *word == "--");
    let options = &args[1..end.unwrap_or(args.len())];
    let lock = option(options, "--lock").map(|(lock, _)| lock.to_owned());
    if let Some((id, _)) = option(options, "--id") {
        let name = split_id(id).map_or(id, |(_, name)| name).to_owned();
        return Some(Wrapped {
            exe,
            lock,
            name,
            remote: true,
            ours: args.len(),
            bare: false,
            moved: BTreeMap::new(),
        });
    }
    let end = end.filter(|end| args.len() > end + 1)?;
    let (name, bare) = option(options, "--server")?;
    let moved = BTreeMap::new();
    Some(Wrapped { exe, lock, name: name.to_owned(), remote: false, ours: end + 2, bare, moved })
}

/// An option's value, and whether it is written with `=`.
fn option<'a>(words: &[&'a str], name: &str) -> Option<(&'a str, bool)> {
    words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix(name)? {
        "" => Some((*words.get(at + 1)?, false)),
        rest => Some((rest.strip_prefix('=')?, true)),
    })
}
