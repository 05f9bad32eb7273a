//! The words of a wrapped launch: how they are written into a client's file, and how they are known
//! again. `edit/` writes them, `discover/` looks through them.
//!
//! `--server NAME` says that the entry had arguments of its own, `--server=NAME` that it had none, not
//! even an empty list: the one thing about the original that its text could not tell otherwise, and a
//! spelling that survives a client that formats its file anew.

/// The variable that carries a remote entry's own text.
pub const ENTRY_VARIABLE: &str = "MCPWATCH_ENTRY";

/// How an entry is wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The program before the server.
    pub exe: String,
    /// The server's name for the lock.
    pub name: String,
    /// Whether the original is a remote server.
    pub remote: bool,
    /// How many arguments are ours. Of a command, the last of them is the original command itself.
    pub ours: usize,
    /// Whether the original had no list of arguments.
    pub bare: bool,
}

/// The arguments before the original command.
pub fn before_command(name: &str, bare: bool) -> Vec<String> {
    let mut words = vec!["run".to_owned()];
    if bare {
        words.push(format!("--server={name}"));
    } else {
        words.extend(["--server".to_owned(), name.to_owned()]);
    }
    words.push("--".to_owned());
    words
}

/// The arguments that stand for a remote entry of a client.
pub fn for_remote(client: &str, name: &str) -> Vec<String> {
    vec!["run".to_owned(), "--id".to_owned(), format!("{client}:{name}")]
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
    if let ["--id", id, ..] = args[1..] {
        let name = split_id(id).map_or(id, |(_, name)| name).to_owned();
        return Some(Wrapped { exe, name, remote: true, ours: args.len(), bare: false });
    }
    let end = args.iter().position(|word| *word == "--")?;
    args.get(end + 1)?;
    let options = &args[1..end];
    let at = options.iter().position(|word| *word == "--server" || word.starts_with("--server="))?;
    let (name, bare) = match options[at].strip_prefix("--server=") {
        Some(name) => (name, true),
        None => (*options.get(at + 1)?, false),
    };
    Some(Wrapped { exe, name: name.to_owned(), remote: false, ours: end + 2, bare })
}
