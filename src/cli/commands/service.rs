//! `mcpwatch service …`: keeps the daemon running from one logon to the next.

use crate::cli::app::App;
use crate::cli::error::{Error, sentence};
use crate::cli::exit::Exit;
use crate::cli::prompt::{Choice, Terminal};
use crate::cli::render::guard;
use crate::ipc::IpcError;
use crate::ipc::client::ask_once;
use crate::ipc::message::{Reply, Request};
use crate::service::{Manager, words};
use crate::survey::{machine, settings};
use crate::sys::paths::Paths;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to do with the service.
#[derive(clap::Subcommand, Clone, Copy, Debug)]
pub enum What {
    /// Start it now and at every logon of this user
    Install,
    /// Stop it and remove it
    Uninstall,
    /// Start it
    Start,
    /// Stop it until the next logon or start
    Stop,
    /// Tell how it is
    Status,
}

/// Manages the service.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    match args.what {
        What::Install => install(&Manager::of_this_system()?, app)?,
        What::Uninstall => {
            Manager::of_this_system()?.uninstall()?;
            app.out.say("The service is gone. Gates go on without it.");
        }
        What::Start => {
            Manager::of_this_system()?.start()?;
            app.out.say("Started.");
        }
        What::Stop => {
            // One that was started by hand is ended as well, by asking it.
            let paths = Paths::system().map_err(crate::survey::SurveyError::from)?;
            let asked = ask_once(&paths.runtime, &Request::Stop);
            match Manager::of_this_system() {
                Ok(manager) if manager.is_installed() => manager.stop()?,
                Ok(_) => {
                    asked?;
                }
                Err(error) => {
                    asked.map_err(|_| error)?;
                }
            }
            app.out.say("Stopped. Gates go on without it.");
        }
        What::Status => return status(app),
    }
    Ok(Exit::Done)
}

/// Offers to install it where that can be done and was not. No answer is a no.
pub(super) fn offer(app: &App, terminal: &mut Terminal) -> Result<(), Error> {
    let manager = Manager::of_this_system().ok();
    let Some(manager) = manager.filter(|manager| !manager.is_installed() && manager.answers()) else {
        return Ok(());
    };
    let question = "\nKeep watching these servers in the background, and be told when one changes?";
    let choices = [Choice { key: 'y', label: "install the service" }, Choice { key: 'n', label: "not now" }];
    match terminal.ask(question, &choices) {
        Ok('y') => install(&manager, app),
        Ok(_) | Err(_) => {
            app.out.say("`mcpwatch service install` does it later.");
            Ok(())
        }
    }
}

fn install(manager: &Manager, app: &App) -> Result<(), Error> {
    let installed = manager.install()?;
    app.out.say(&format!("Installed {} and started it.", installed.place));
    if installed.unconfined {
        app.out.say("This system denies users namespaces of their own, so it runs without them.");
    }
    Ok(())
}

fn status(app: &App) -> Result<Exit, Error> {
    let paths = Paths::system().map_err(crate::survey::SurveyError::from)?;
    // Whether arguments are kept needs nobody's acceptance, so no trust store is asked.
    let settings = settings::in_force(&paths, None).ok();
    let contents = settings.and_then(|found| guard::contents(&found.settings, &paths.config_file()));
    if let Some(words) = contents {
        app.out.warn(&sentence(&words));
    }
    match ask_once(&paths.runtime, &Request::Status) {
        Ok((daemon, Reply::Status(status))) => {
            app.out.data(&format!("{}\n", words::sentence(&daemon, &status, machine::now())))?;
            let waiting = status.servers.iter().any(|server| server.waiting > 0);
            Ok(if waiting { Exit::ChangeWaits } else { Exit::Done })
        }
        Ok(_) => Err(IpcError::Refused("not with its status".to_owned()).into()),
        Err(IpcError::NoDaemon) => {
            let installed = Manager::of_this_system().is_ok_and(|manager| manager.is_installed());
            app.out.data(if installed {
                "Installed, and not running: `mcpwatch service start`.\n"
            } else {
                "Not installed: `mcpwatch service install`. Gates go on without it.\n"
            })?;
            Ok(Exit::Failed)
        }
        Err(error) => Err(error.into()),
    }
}
