//! The service from outside: as a user who is not root, with a manager that only notes what it is told,
//! and with a real systemd that starts it, starts it again, and stops it.

use crate::cli::bench::{config, text};
use crate::fixture;
use crate::pty::{self, eventually};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// An account without a desktop, that every system has.
const NOBODY: &str = "nobody";

/// A folder that belongs to a user who is not root, with the command in it.
struct User {
    folder: tempfile::TempDir,
    is_root: bool,
}

impl User {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let is_root = nix::unistd::Uid::effective().is_root();
        let user = Self { folder, is_root };
        // Where the tests run as root, the user may not read what they were built into.
        std::fs::copy(env!("CARGO_BIN_EXE_mcpwatch"), user.binary()).unwrap();
        for name in ["home", "run"] {
            let path = user.path(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
            if is_root {
                assert!(Command::new("chown").args([NOBODY]).arg(&path).status().unwrap().success());
            }
        }
        user
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn binary(&self) -> PathBuf {
        self.path("mcpwatch")
    }

    fn unit(&self) -> PathBuf {
        self.path("home/.config/systemd/user/mcpwatch.service")
    }

    /// A program as this user, with nothing of our own environment.
    fn command(&self, program: &Path, path: &str) -> Command {
        let mut command = if self.is_root {
            let mut command = Command::new("/usr/bin/setpriv");
            command.args(["--reuid", NOBODY, "--regid", "65534", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.env_clear().env("HOME", self.path("home")).env("XDG_RUNTIME_DIR", self.path("run"));
        // The account's own home is nowhere.
        command.env("MCPWATCH_HOME", self.path("home/ours"));
        command.env("PATH", path).current_dir(self.path("home")).stdin(Stdio::null());
        command
    }

    fn service(&self, what: &str, path: &str) -> Output {
        self.command(&self.binary(), path).args(["service", what]).output().unwrap()
    }
}

/// Writes a program that notes how it is called.
fn write_noting(folder: &Path, name: &str, exit: i32) -> PathBuf {
    let (program, notes) = (folder.join(name), folder.join("notes"));
    std::fs::write(&notes, "").unwrap();
    std::fs::set_permissions(&notes, PermissionsExt::from_mode(0o666)).unwrap();
    let script = format!("#!/bin/sh\necho \"{name} $*\" >> {}\nexit {exit}\n", notes.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    notes
}

#[test]
fn a_manager_that_notes_what_it_is_told() {
    let user = User::new();
    let managers = user.path("managers");
    std::fs::create_dir(&managers).unwrap();
    let notes = write_noting(&managers, "systemctl", 0);
    let path = format!("{}:/usr/bin:/bin", managers.display());
    let told = || {
        let told = std::fs::read_to_string(&notes).unwrap();
        std::fs::write(&notes, "").unwrap();
        told.replace("systemctl --user ", "").trim_end().replace('\n', ", ")
    };

    let before = user.service("status", &path);
    assert_eq!(before.status.code(), Some(3));
    assert!(text(&before.stdout).starts_with("Not installed: "), "{before:?}");
    let installed = user.service("install", &path);
    assert_eq!(installed.status.code(), Some(0), "{installed:?}");
    assert!(text(&installed.stderr).contains("mcpwatch.service and started it"), "{installed:?}");
    assert_eq!(told(), "daemon-reload, enable mcpwatch.service, restart mcpwatch.service");
    let unit = std::fs::read_to_string(user.unit()).unwrap();
    assert!(unit.contains(&format!("ExecStart=\"{}\" daemon\n", user.binary().display())), "{unit}");
    assert!(unit.contains(&format!("Environment=\"PATH={path}\"\n")), "{unit}");

    assert_eq!(user.service("start", &path).status.code(), Some(0));
    assert_eq!(user.service("stop", &path).status.code(), Some(0));
    assert_eq!(told(), "start mcpwatch.service, stop mcpwatch.service");
    let idle = user.service("status", &path);
    assert!(text(&idle.stdout).starts_with("Installed, and not running: "), "{idle:?}");
    assert_eq!(user.service("uninstall", &path).status.code(), Some(0));
    assert_eq!(told(), "disable --now mcpwatch.service, daemon-reload");
    assert!(!user.unit().exists());
    assert_eq!(user.service("uninstall", &path).status.code(), Some(0), "nothing is left to be removed");

    // One that refuses, and none at all: said, with what to do, and nothing looks installed.
    write_noting(&managers, "systemctl", 1);
    for (path, words) in
        [(path.as_str(), "`systemctl --user daemon-reload` failed"), ("/nowhere", "cannot be run")]
    {
        let refused = user.service("install", path);
        assert_eq!(refused.status.code(), Some(3), "{refused:?}");
        let said = text(&refused.stderr);
        assert!(said.contains(words) && said.contains("run `mcpwatch daemon` from your session"), "{said}");
        assert!(!user.unit().exists());
    }
}

#[test]
fn init_ends_by_offering_it() {
    let user = User::new();
    let managers = user.path("managers");
    std::fs::create_dir(&managers).unwrap();
    let notes = write_noting(&managers, "systemctl", 0);
    let path = format!("{}:/usr/bin:/bin", managers.display());
    // The user may not read what the tests were built into.
    let server = user.path("server");
    std::fs::copy(fixture::path(), &server).unwrap();
    let text = config(&[("notes", &["--tools", "1"])]);
    let text = text.replace(fixture::path().to_str().unwrap(), server.to_str().unwrap());
    std::fs::write(user.path("home/.claude.json"), text).unwrap();
    let init = |service: &'static str| {
        let mut script = user.command(Path::new("/usr/bin/script"), &path);
        script.args(["-qfec", &format!("{} init", user.binary().display()), "/dev/null"]).env("TERM", "dumb");
        let say = |letter: &'static str| move || letter.to_owned();
        let answers: [(&str, &dyn Fn() -> String); 3] =
            [("pin it", &say("y")), ("wrap them", &say("n")), ("in the background", &say(service))];
        let (exit, screen) = pty::type_at(script, &answers);
        assert_eq!(exit, 0, "{screen}");
        screen
    };
    assert!(init("n").contains("`mcpwatch service install` does it later."));
    assert!(!user.unit().exists());
    std::fs::remove_dir_all(user.path("home/ours")).unwrap();
    let screen = init("y");
    assert!(screen.contains("mcpwatch.service and started it"), "{screen}");
    assert!(user.unit().exists());
    assert!(std::fs::read_to_string(notes).unwrap().contains("restart mcpwatch.service"));
}

#[test]
fn never_as_root() {
    // Root of a namespace of its own counts as well.
    let inside = |arguments: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(arguments[0]);
        command
            .args(&arguments[1..])
            .env("HOME", folder.path())
            .env("MCPWATCH_HOME", folder.path().join("o"));
        let output = command.stdin(Stdio::null()).output().unwrap();
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        (output, files)
    };
    let binary = env!("CARGO_BIN_EXE_mcpwatch");
    let is_root = nix::unistd::Uid::effective().is_root();
    for verb in ["install", "start", "uninstall"] {
        let words = ["unshare", "--map-root-user", binary, "service", verb];
        let (output, files) = inside(if is_root { &words[2..] } else { &words });
        let said = text(&output.stderr);
        if said.starts_with("unshare: ") {
            return crate::servers::skipped(&format!("a namespace ({})", said.trim()));
        }
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains("belongs to a user, and this is root") && said.contains("without sudo"),
            "{said}"
        );
        assert_eq!(files, 0, "nothing is written");
    }
}

/// A user manager of systemd; ended with everything that it started.
struct Manager(Child);

impl Drop for Manager {
    fn drop(&mut self) {
        // SIGTERM lets it stop its units.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = eventually(5, || self.0.try_wait().unwrap());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_real_systemd_keeps_it_running() {
    let user = User::new();
    let path = "/usr/bin:/bin";
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/user-manager.sh");
    let mut manager = Command::new(script);
    let errors = user.path("errors");
    manager.arg(user.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
    let mut manager = Manager(manager.stderr(std::fs::File::create(&errors).unwrap()).spawn().unwrap());
    let systemctl = |words: &[&str]| {
        let output = user.command(Path::new("/usr/bin/systemctl"), path).arg("--user").args(words).output();
        output.map(|output| text(&output.stdout)).unwrap_or_default()
    };
    let up = || {
        let ended = manager.0.try_wait().unwrap().is_some();
        (ended || !systemctl(&["show", "-P", "Version"]).trim().is_empty()).then_some(ended)
    };
    if eventually(10, up) != Some(false) {
        let why = std::fs::read_to_string(&errors).unwrap_or_default();
        return crate::servers::skipped(&format!(
            "a user manager of systemd ({})",
            why.lines().last().unwrap_or("?")
        ));
    }

    let installed = user.service("install", path);
    assert_eq!(installed.status.code(), Some(0), "{installed:?}");
    let runs = || text(&user.service("status", path).stdout).starts_with("Running for ").then_some(());
    assert!(eventually(10, runs).is_some(), "{:?}", user.service("status", path));
    let pid = || {
        let pid: u32 = systemctl(&["show", "-P", "MainPID", "mcpwatch.service"]).trim().parse().unwrap();
        (pid != 0).then_some(pid)
    };
    let first = pid().unwrap();
    let process = std::fs::read_to_string(format!("/proc/{first}/status")).unwrap();
    assert!(process.contains("NoNewPrivs:\t1"), "{process}");
    let confined = !text(&installed.stderr).contains("without them");
    let shared = std::fs::read_link(format!("/proc/{first}/ns/mnt")).unwrap()
        == std::fs::read_link(format!("/proc/{}/ns/mnt", manager.0.id())).unwrap();
    assert_eq!(confined, !shared, "a file system of its own, unless the system denies it");

    // What kills it does not end the watch.
    user.command(Path::new("/bin/kill"), path).args(["-9", &first.to_string()]).status().unwrap();
    let another = || pid().filter(|pid| *pid != first);
    assert!(eventually(10, another).is_some(), "it is started again");
    assert!(eventually(10, runs).is_some(), "and takes its socket back");

    // Stopped, started, and gone.
    let told = Instant::now();
    assert_eq!(user.service("stop", path).status.code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(2), "it ends by itself when it is told to");
    assert_eq!(systemctl(&["is-failed", "mcpwatch.service"]).trim(), "inactive");
    assert_eq!(user.service("start", path).status.code(), Some(0));
    assert!(eventually(10, runs).is_some());
    assert!(systemctl(&["is-enabled", "mcpwatch.service"]).starts_with("enabled"), "it comes back at logon");
    assert_eq!(user.service("uninstall", path).status.code(), Some(0));
    assert!(!user.unit().exists());
    assert!(systemctl(&["list-units", "--all"]).lines().all(|line| !line.contains("mcpwatch")));
    assert_eq!(user.service("status", path).status.code(), Some(3));
}
