//! The real servers that `tests/install-servers.sh` installs, for whoever starts them.

use mcpwatch::connect::{Remote, Target};
use mcpwatch::sys::process::Command;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A server that a test can start.
pub struct Server {
    /// What messages call it.
    pub name: &'static str,
    program: PathBuf,
    args: Vec<String>,
}

/// A server on a port of loopback, killed when dropped.
pub struct Http {
    child: Child,
    port: u16,
}

/// Where the servers are installed.
pub fn folder() -> PathBuf {
    let set = std::env::var_os("MCPWATCH_TEST_SERVERS").filter(|set| !set.is_empty()).map(PathBuf::from);
    set.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-servers"))
}

/// A server of npm, run by node without npx: `set` is `npm` or `npm-before`.
pub fn node(name: &'static str, set: &str, script: &str, args: &[&str]) -> Option<Server> {
    let script = folder().join(set).join(script);
    let args = [script.to_str().unwrap()].iter().chain(args).map(|arg| (*arg).to_owned()).collect();
    present(Server { name, program: "node".into(), args }, &script)
}

/// A server of PyPI, by the script that pip installed or by its own file.
pub fn python(name: &'static str, script: &str, args: &[&str]) -> Option<Server> {
    python_of(name, "python", script, args)
}

/// The same of another set: `python-before`, `python-sdk-before`.
pub fn python_of(name: &'static str, set: &str, script: &str, args: &[&str]) -> Option<Server> {
    let bin = folder().join(set).join("bin");
    let own = folder().join(set).join(script);
    let args = args.iter().map(|arg| (*arg).to_owned());
    if script.ends_with(".py") {
        let args = [own.to_str().unwrap().to_owned()].into_iter().chain(args).collect();
        return present(Server { name, program: bin.join("python"), args }, &own);
    }
    let program = bin.join(script);
    present(Server { name, program: program.clone(), args: args.collect() }, &program)
}

/// `.ci/run` takes this line for a failure.
fn present(server: Server, file: &Path) -> Option<Server> {
    if file.exists() {
        return Some(server);
    }
    skipped(server.name);
    None
}

/// Says that a test could not run without this.
pub fn skipped(name: &str) {
    // Not by the macro, which the test runner captures.
    #[allow(clippy::explicit_write)]
    writeln!(std::io::stderr(), "skipped: {name}").unwrap();
}

impl Server {
    /// The program, and its arguments as a configuration has them.
    pub fn words(&self) -> (&Path, &[String]) {
        (&self.program, &self.args)
    }

    /// The launch of this server on stdio.
    pub fn target(&self) -> Target {
        let args = self.args.iter().map(Into::into).collect();
        Target::Command(Command { program: self.program.clone().into(), args, ..Command::default() })
    }

    /// The program and its arguments.
    pub fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.args).stderr(Stdio::null());
        command
    }

    /// Starts it on a free port: `{port}` in its arguments and PORT in its environment name it.
    pub fn serve(&self) -> Http {
        // The listener has to be gone before the server opens the port.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        self.serve_at(port)
    }

    /// Starts it on this port.
    pub fn serve_at(&self, port: u16) -> Http {
        let mut command = std::process::Command::new(&self.program);
        command.args(self.args.iter().map(|arg| arg.replace("{port}", &port.to_string())));
        command
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let http = Http { child: command.spawn().unwrap(), port };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "{} did not open its port", self.name);
            std::thread::sleep(Duration::from_millis(20));
        }
        http
    }
}

impl Http {
    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The launch of this server at a path.
    pub fn target(&self, path: &str) -> Target {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        Target::Url(Remote { url, ..Remote::default() })
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
