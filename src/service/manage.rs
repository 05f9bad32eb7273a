//! Installs, starts, stops and removes the service through the system's own manager.
//!
//! Promises: refuses root; writes one file, and removes the one it wrote, also where the installation
//! fails; a manager that is missing is an error that says how to run the daemon without one.

use super::text::{self, Confinement, Program};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Why the service could not be managed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Root has no desktop and must not run what users configured.
    #[error("the service belongs to a user, and this is root")]
    Root,
    /// The path of our program, or the home folder, is not known.
    #[error("{0}")]
    Unknown(&'static str),
    /// A file could not be written or removed.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manager is not there or not running.
    #[error("`{command}` cannot be run: {source}")]
    NoManager {
        /// What was run.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// The manager refused.
    #[error("`{command}` failed: {words}")]
    Refused {
        /// What was run.
        command: String,
        /// The last line of what it said.
        words: String,
    },
}

/// What an installation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The file that was written, or the task.
    pub place: String,
    /// Whether the unit had to do without namespaces.
    pub unconfined: bool,
}

/// The service manager of this system, for this user.
#[derive(Clone, Debug)]
pub struct Manager {
    kind: Kind,
    program: Program,
    run: Run,
}

/// Which manager, and where the service's file stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// systemd's, and the unit's file.
    Systemd(PathBuf),
    /// launchd's, and the agent's file.
    Launchd(PathBuf),
    /// The Task Scheduler, and the account that logs on.
    Tasks(String),
}

/// Runs a command of the system's manager. Tests put a recorder in its place.
type Run = fn(&[&str]) -> Result<(), ServiceError>;

impl ServiceError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            ServiceError::Root => {
                "Run it as the user whose servers are to be watched, without sudo.".to_owned()
            }
            ServiceError::Unknown(_) => String::new(),
            ServiceError::File { path, .. } => format!("Check who owns {}.", path.display()),
            ServiceError::NoManager { .. } | ServiceError::Refused { .. } => {
                "Without a service manager, run `mcpwatch daemon` from your session's autostart.".to_owned()
            }
        }
    }
}

impl Manager {
    /// The manager of this system.
    pub fn of_this_system() -> Result<Self, ServiceError> {
        refuse_root()?;
        let base =
            directories::BaseDirs::new().ok_or(ServiceError::Unknown("this account has no home folder"))?;
        let kind = if cfg!(windows) {
            let name = |variable| std::env::var(variable).unwrap_or_default();
            Kind::Tasks(format!("{}\\{}", name("USERDOMAIN"), name("USERNAME")))
        } else if cfg!(target_os = "macos") {
            let folder = base.home_dir().join("Library/LaunchAgents");
            Kind::Launchd(folder.join(format!("{}.plist", text::LABEL)))
        } else {
            Kind::Systemd(base.config_dir().join("systemd/user").join(text::UNIT))
        };
        Ok(Self { kind, program: program()?, run })
    }

    /// Whether our file is there. The Task Scheduler is asked.
    pub fn is_installed(&self) -> bool {
        match &self.kind {
            Kind::Systemd(file) | Kind::Launchd(file) => file.is_file(),
            Kind::Tasks(_) => (self.run)(&["schtasks", "/Query", "/TN", text::TASK]).is_ok(),
        }
    }

    /// Whether the manager answers, so that an installation can be offered.
    pub fn answers(&self) -> bool {
        match &self.kind {
            Kind::Systemd(_) => (self.run)(&["systemctl", "--user", "show-environment"]).is_ok(),
            Kind::Launchd(_) => (self.run)(&["launchctl", "print", &domain()]).is_ok(),
            Kind::Tasks(_) => (self.run)(&["schtasks", "/Query", "/?"]).is_ok(),
        }
    }

    /// Writes the service's file, and starts it now and at every logon.
    pub fn install(&self) -> Result<Installed, ServiceError> {
        let file = match &self.kind {
            Kind::Systemd(file) | Kind::Launchd(file) => file,
            Kind::Tasks(user) => return self.install_task(user),
        };
        let is_new = !file.exists();
        let unit = matches!(self.kind, Kind::Systemd(_));
        let installed = if unit { self.install_unit(file) } else { self.install_agent(file) };
        if installed.is_err() && is_new {
            // What was never started must not look installed.
            self.uninstall()?;
        }
        installed
    }

    /// Stops the service and removes its file; one that is not there is no error.
    pub fn uninstall(&self) -> Result<(), ServiceError> {
        match &self.kind {
            Kind::Systemd(file) => {
                if file.exists() {
                    let _ = (self.run)(&["systemctl", "--user", "disable", "--now", text::UNIT]);
                    remove(file)?;
                    let _ = (self.run)(&["systemctl", "--user", "daemon-reload"]);
                }
                Ok(())
            }
            Kind::Launchd(file) => {
                let _ = (self.run)(&["launchctl", "bootout", &domain(), &file.to_string_lossy()]);
                remove(file)
            }
            Kind::Tasks(_) => {
                let _ = (self.run)(&["schtasks", "/End", "/TN", text::TASK]);
                if self.is_installed() {
                    (self.run)(&["schtasks", "/Delete", "/F", "/TN", text::TASK])?;
                }
                Ok(())
            }
        }
    }

    /// Starts the service.
    pub fn start(&self) -> Result<(), ServiceError> {
        match &self.kind {
            Kind::Systemd(_) => (self.run)(&["systemctl", "--user", "start", text::UNIT]),
            Kind::Launchd(_) => (self.run)(&["launchctl", "kickstart", &agent()]),
            Kind::Tasks(_) => (self.run)(&["schtasks", "/Run", "/TN", text::TASK]),
        }
    }

    /// Stops the service until the next logon or start.
    pub fn stop(&self) -> Result<(), ServiceError> {
        match &self.kind {
            Kind::Systemd(_) => (self.run)(&["systemctl", "--user", "stop", text::UNIT]),
            Kind::Launchd(_) => (self.run)(&["launchctl", "kill", "SIGTERM", &agent()]),
            Kind::Tasks(_) => (self.run)(&["schtasks", "/End", "/TN", text::TASK]),
        }
    }

    fn install_unit(&self, file: &Path) -> Result<Installed, ServiceError> {
        let place = file.display().to_string();
        for confinement in [Confinement::Namespaces, Confinement::Plain] {
            write(file, text::unit(&self.program, confinement).as_bytes())?;
            (self.run)(&["systemctl", "--user", "daemon-reload"])?;
            let started = (self.run)(&["systemctl", "--user", "enable", text::UNIT])
                .and_then(|()| (self.run)(&["systemctl", "--user", "restart", text::UNIT]));
            let unconfined = confinement == Confinement::Plain;
            match started {
                Ok(()) => return Ok(Installed { place, unconfined }),
                // The system denies namespaces to users: tried once more without.
                Err(_) if !unconfined => {
                    let _ = (self.run)(&["systemctl", "--user", "reset-failed", text::UNIT]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Installed { place, unconfined: true })
    }

    fn install_agent(&self, file: &Path) -> Result<Installed, ServiceError> {
        write(file, text::agent(&self.program).as_bytes())?;
        let _ = (self.run)(&["launchctl", "bootout", &domain(), &file.to_string_lossy()]);
        (self.run)(&["launchctl", "bootstrap", &domain(), &file.to_string_lossy()])?;
        Ok(Installed { place: file.display().to_string(), unconfined: false })
    }

    fn install_task(&self, user: &str) -> Result<Installed, ServiceError> {
        let file = std::env::temp_dir().join(format!("mcpwatch-task-{}.xml", std::process::id()));
        write(&file, &text::utf16(&text::task(&self.program, user)))?;
        let created =
            (self.run)(&["schtasks", "/Create", "/F", "/TN", text::TASK, "/XML", &file.to_string_lossy()]);
        remove(&file)?;
        created?;
        (self.run)(&["schtasks", "/Run", "/TN", text::TASK])?;
        Ok(Installed { place: format!("the task {}", text::TASK), unconfined: false })
    }
}

fn program() -> Result<Program, ServiceError> {
    let path = std::env::current_exe().and_then(fs::canonicalize);
    let path = path.map_err(|_| ServiceError::Unknown("the path of this program is not known"))?;
    let path = path.into_os_string().into_string();
    let path = path.map_err(|_| ServiceError::Unknown("the path of this program is not Unicode"))?;
    // Windows spells canonical paths in a way that its own tools do not read.
    let path = path.strip_prefix(r"\\?\").map(str::to_owned).unwrap_or(path);
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    Ok(Program { path, home: variable("MCPWATCH_HOME"), search: variable("PATH") })
}

fn refuse_root() -> Result<(), ServiceError> {
    #[cfg(unix)]
    if nix::unistd::Uid::effective().is_root() {
        return Err(ServiceError::Root);
    }
    Ok(())
}

#[cfg(unix)]
fn domain() -> String {
    format!("gui/{}", nix::unistd::Uid::effective())
}

#[cfg(not(unix))]
fn domain() -> String {
    String::new()
}

fn agent() -> String {
    format!("{}/{}", domain(), text::LABEL)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ServiceError> {
    let error = |source| ServiceError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(error)?;
    }
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes).map_err(error)?;
    fs::rename(&fresh, path).map_err(error)
}

fn remove(path: &Path) -> Result<(), ServiceError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ServiceError::File { path: path.to_owned(), source: error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn run(words: &[&str]) -> Result<(), ServiceError> {
    let command = words.join(" ");
    let Some((first, rest)) = words.split_first() else { return Ok(()) };
    let output = Command::new(first).args(rest).stdin(Stdio::null()).output();
    let Output { status, stderr, .. } =
        output.map_err(|source| ServiceError::NoManager { command: command.clone(), source })?;
    if status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&stderr);
    let words = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason was given");
    Err(ServiceError::Refused { command, words: words.trim().to_owned() })
}

#[cfg(test)]
#[path = "manage_tests.rs"]
mod tests;
