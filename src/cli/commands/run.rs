//! `mcpwatch run --server NAME -- COMMAND ARGS…`: one gate between a client and a server, on stdio.
//!
//! `--url` stands in front of a remote server. `--sse` says what a client's entry says with its `type`:
//! the transport is a part of what is pinned. An address that speaks nothing else is found out without
//! it.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::discover::{self, Os, Places, Vars};
use crate::engine::launchpin::{CommandLaunch, Launch, UrlLaunch};
use crate::engine::wrapping::{self, ENTRY_VARIABLE};
use crate::proxy;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The server's name in its lock
    #[arg(long, value_name = "NAME", required_unless_present = "id")]
    server: Option<String>,
    /// Trust the lock as it is; for CI, where no person can
    #[arg(long)]
    trust_lock: bool,
    /// Gate the remote server at this address instead of a program
    #[arg(long, value_name = "URL", conflicts_with_all = ["id", "command"])]
    url: Option<String>,
    /// The server at the address speaks HTTP+SSE, the transport of 2024-11-05
    #[arg(long, requires = "url")]
    sse: bool,
    /// Gate a client's remote entry, as `mcpwatch wrap` wrote it
    #[arg(long, value_name = "CLIENT:NAME", conflicts_with = "command")]
    id: Option<String>,
    /// The server's own command and its arguments
    #[arg(last = true, value_name = "COMMAND", required_unless_present_any = ["url", "id"])]
    command: Vec<String>,
}

impl Args {
    /// Reads `--server NAME`, `--lock FILE` and `--trust-lock` before `-- COMMAND ARGS…` as the parser of
    /// all commands does; `None` for anything else.
    pub fn as_wrapped(words: &[OsString]) -> Option<(Self, Option<PathBuf>)> {
        let mut words = words.iter().map(|word| word.to_str());
        let (mut server, mut lock, mut trust_lock) = (None, None, false);
        loop {
            let place = match words.next()?? {
                "--server" => &mut server,
                "--lock" => &mut lock,
                "--trust-lock" if !trust_lock => {
                    trust_lock = true;
                    continue;
                }
                "--" => break,
                _ => return None,
            };
            let value = words.next()??;
            if value.is_empty() || value.starts_with('-') || place.replace(value.to_owned()).is_some() {
                return None;
            }
        }
        let command: Vec<String> = words.map(|word| word.map(str::to_owned)).collect::<Option<_>>()?;
        if server.is_none() || command.is_empty() {
            return None;
        }
        Some((Self { server, trust_lock, url: None, sse: false, id: None, command }, lock.map(PathBuf::from)))
    }
}

/// Runs until the client or the server is gone.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let (server, launch) = match (&args.id, &args.url) {
        (Some(id), _) => remote(id)?,
        (None, Some(url)) => (
            args.server.clone().unwrap_or_default(),
            Launch::Url(UrlLaunch { url: url.clone(), sse: args.sse, ..UrlLaunch::default() }),
        ),
        (None, None) => {
            // clap asks for at least one word.
            let (command, rest) =
                args.command.split_first().map_or((String::new(), &[][..]), |(c, rest)| (c.clone(), rest));
            let launch = CommandLaunch { command, args: rest.to_vec(), ..CommandLaunch::default() };
            (args.server.clone().unwrap_or_default(), Launch::Command(launch))
        }
    };
    let asked = proxy::Asked { server, lock: app.common.lock.clone(), trust_lock: args.trust_lock, launch };
    let code = app.block_on_stdin(proxy::run(asked))??;
    Ok(Exit::Server(code))
}

/// The name and the launch of a remote entry, which travels in a variable.
fn remote(id: &str) -> Result<(String, Launch), Error> {
    let places = Places::of_this_machine();
    let workspace = std::env::current_dir().map_err(Error::Folder)?;
    let vars = Vars { os: Os::this(), home: places.home, env: places.vars, file: BTreeMap::new(), workspace };
    let text = std::env::var(ENTRY_VARIABLE).unwrap_or_default();
    let launch = discover::carried(id, &text, &vars)?;
    let name = wrapping::split_id(id).map_or(id, |(_, name)| name);
    Ok((name.to_owned(), launch))
}
