//! The fixture server (`examples/fixture_server`) for whoever starts it, and folders for its state.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The built fixture server. `cargo test` builds examples; `cargo test --test it` alone does not, so it
/// is built here where it is missing.
pub fn path() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().unwrap().parent().unwrap().join("examples");
        let path = folder.join(format!("fixture_server{}", std::env::consts::EXE_SUFFIX));
        if !path.exists() {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let built =
                Command::new(cargo).args(["build", "--quiet", "--example", "fixture_server"]).status();
            assert!(built.unwrap().success() && path.exists(), "the fixture server does not build");
        }
        path
    })
    .clone()
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
