//! `mcpwatch revoke NAME [ITEM…]`: takes an approval back. The pin leaves the lock, and the same
//! definition is refused from now on, whatever lock says otherwise.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::render::human::list;
use crate::engine::approval::Level;
use crate::engine::secret::Known;
use crate::engine::show;
use crate::engine::surface::ItemKey;
use crate::store::decide::Act;
use crate::survey::decide;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The server
    name: String,
    /// Only these tools, prompts or other items; the whole server without them
    items: Vec<String>,
}

/// Takes back.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let mut plan = app.plan(&app.ask(&[]), &ground)?;
    let mut found = false;
    for lock in 0..plan.locks.len() {
        let Some(pin) = plan.locks[lock].lockfile().and_then(|lock| lock.servers.get(&args.name)) else {
            continue;
        };
        let keys: Vec<ItemKey> =
            pin.items.keys().filter(|key| args.items.contains(&key.name)).cloned().collect();
        if let Some(name) = args.items.iter().find(|name| !keys.iter().any(|key| key.name == **name)) {
            return Err(Error::UnknownItem { server: args.name.clone(), name: name.clone() });
        }
        found = true;
        let server = || args.name.clone();
        let acts = match keys.is_empty() {
            true => vec![Act::Revoke { server: server(), key: None }],
            false => keys.into_iter().map(|key| Act::Revoke { server: server(), key: Some(key) }).collect(),
        };
        decide::carry_out(&mut plan, lock, acts, Some(Level::Terminal), &Known::default(), &ground)?;
    }
    if !found {
        return Err(Error::UnknownName { names: vec![args.name.clone()] });
    }
    let names: Vec<String> = args.items.iter().map(|name| show::name(name)).collect();
    app.out.say(&match names.is_empty() {
        true => format!("{} is approved no more.", show::name(&args.name)),
        false => format!("{} of {}: approved no more.", list(&names), show::name(&args.name)),
    });
    Ok(Exit::Done)
}
