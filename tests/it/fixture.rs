//! The programs of `examples/`: the fixture server for whoever starts it, and folders for its state.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The built fixture server.
pub fn path() -> PathBuf {
    example("fixture_server")
}

/// The command itself. What cargo names is a path of the machine that built it, which is another
/// system's where the tests were built for Windows elsewhere; there it lies above the test.
pub fn command() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_mcpwatch"));
    if built.is_absolute() {
        return built;
    }
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join(built.file_name().unwrap())
}

/// A built example. `cargo test` builds examples; `cargo test --test it` alone does not, so it is built
/// here where it is missing.
pub fn example(name: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = BUILDING.lock().unwrap();
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--example", name]).status();
        assert!(built.unwrap().success() && path.exists(), "{name} does not build");
    }
    path
}

/// A fixture server on HTTP, killed when dropped.
pub struct Http {
    child: Child,
    /// Its address.
    pub url: String,
    state: tempfile::TempDir,
}

impl Http {
    /// Starts one on a free port of loopback.
    pub fn start(args: &[&str]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let child = Command::new(path())
            .args(["--http", "0", "--state"])
            .arg(state.path())
            .args(args)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let file = state.path().join("url");
        let until = Instant::now() + Duration::from_secs(10);
        while !file.exists() {
            assert!(Instant::now() < until, "the fixture server did not open its port");
            std::thread::sleep(Duration::from_millis(5));
        }
        let url = std::fs::read_to_string(file).unwrap();
        Self { child, url, state }
    }

    /// Its folder.
    pub fn state(&self) -> &std::path::Path {
        self.state.path()
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
