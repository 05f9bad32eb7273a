//! The programs of `examples/`: the fixture server for whoever starts it, and folders for its state.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

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
/// here where it is missing or older than its sources.
pub fn example(name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut built = BUILT.lock().unwrap();
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let modified = |path: &Path| path.metadata().and_then(|about| about.modified()).ok();
    if built.insert(name.to_owned()) && modified(&path) < newest(&sources, &modified) {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--example", name]);
        if cfg!(not(debug_assertions)) {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "{name} does not build");
    }
    assert!(path.exists(), "{} is missing", path.display());
    path
}

/// The moment of the last change below a folder; none where there is no such folder.
fn newest(folder: &Path, modified: &dyn Fn(&Path) -> Option<SystemTime>) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .map(|path| if path.is_dir() { newest(&path, modified) } else { modified(&path) })
        .max()
        .flatten()
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
