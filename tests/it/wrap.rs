//! `wrap`, `unwrap` and `uninstall` as a person meets them.

use crate::cli::bench::{Bench, slashed};
use crate::gate::Session;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A home folder with two clients, a project, and nothing else of this machine.
struct Home(tempfile::TempDir);

const CURSOR: &str = "{\n  // mine\n  \"mcpServers\": {\n    \"one\": {\"command\": \"npx\", \"args\": [\"-y\", \"one\"]},\n    \"web\": {\"url\": \"https://web.example.test/mcp\", \"auth\": {}},\n  },\n}\n";
const CODEX: &str = "# mine\n[mcp_servers.two]\ncommand = 'two'\n";
const PROJECT: &str = "{\"mcpServers\": {\"three\": {\"command\": \"three\"}}}\n";

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for (file, text) in [
            (".cursor/mcp.json", CURSOR),
            (".codex/config.toml", CODEX),
            ("p/.mcp.json", PROJECT),
            ("p/.git/HEAD", "x"),
        ] {
            let file = home.path(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        home
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.path("p")).stdin(Stdio::null()).env("MCPWATCH_HOME", self.path("ours"));
        // No mcpwatch of this machine's.
        #[cfg(unix)]
        command.env("PATH", "/usr/bin:/bin");
        for name in ["HOME", "USERPROFILE"] {
            command.env(name, self.0.path());
        }
        for name in
            ["XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "NO_COLOR"]
        {
            command.env_remove(name);
        }
        command
    }

    /// Runs without a terminal: standard error and standard output as one text, and the exit code.
    fn run(&self, args: &[&str]) -> (String, Option<i32>) {
        let program = crate::fixture::command();
        // A session of its own has no controlling terminal.
        #[cfg(unix)]
        let mut command = self.command("setsid");
        #[cfg(unix)]
        command.arg("--wait").arg(program);
        #[cfg(not(unix))]
        let mut command = self.command(program);
        self.shown(command.args(args).output().unwrap())
    }

    /// Runs at a terminal, on which `typed` is typed.
    #[cfg(target_os = "linux")]
    fn run_at_terminal(&self, args: &str, typed: &str) -> (String, Option<i32>) {
        use std::io::Write as _;
        let line = format!("'{}' {args}", env!("CARGO_BIN_EXE_mcpwatch"));
        let mut command = self.command("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // The question discards what was typed before it.
        std::thread::sleep(std::time::Duration::from_millis(700));
        stdin.write_all(typed.as_bytes()).unwrap();
        self.shown(child.wait_with_output().unwrap())
    }

    fn shown(&self, output: Output) -> (String, Option<i32>) {
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        let (program, home) = (crate::fixture::command(), self.0.path());
        let path = |path: &Path| slashed(path.to_str().unwrap());
        let text = slashed(&text).replace('\r', "");
        (text.replace(&path(&program), "MCPWATCH").replace(&path(home), "~"), output.status.code())
    }
}

#[test]
fn a_dry_run_shows_the_difference_and_changes_nothing() {
    let home = Home::new();
    let (text, code) = home.run(&["wrap", "--dry-run", "one", "two"]);
    assert_eq!(code, Some(0), "{text}");
    insta::assert_snapshot!(text);
    assert_eq!(
        (home.read(".cursor/mcp.json"), home.read(".codex/config.toml")),
        (CURSOR.into(), CODEX.into())
    );
    assert!(!home.path("ours/data/wraps").exists());
}

#[test]
fn servers_are_wrapped_by_name_and_left_with_reasons() {
    let home = Home::new();
    let (text, code) = home.run(&["wrap"]);
    assert_eq!(code, Some(0), "{text}");
    insta::assert_snapshot!("nothing_is_pinned", text);
    assert_eq!(home.read(".cursor/mcp.json"), CURSOR);
    let (text, code) = home.run(&["wrap", "one", "web"]);
    assert_eq!(code, Some(0), "{text}");
    insta::assert_snapshot!("wrapped_by_name", text);
    assert!(home.read(".cursor/mcp.json").contains(r#""run", "--server", "one", "--", "npx", "-y", "one""#));
    let wrapped = home.read(".cursor/mcp.json");
    let (text, _) = home.run(&["wrap", "one"]);
    assert!(text.contains("wrapped already"), "{text}");
    assert_eq!(home.read(".cursor/mcp.json"), wrapped);
    let (text, _) = home.run(&["wrap", "--project"]);
    assert!(home.read("p/.mcp.json").contains("--lock"), "{text}");
    fs::write(home.path(".cursor/mcp.json"), wrapped.replace("\"-y\"", "\"-n\"")).unwrap();
    insta::assert_snapshot!("how_it_stands", home.run(&["status"]).0);
    let (text, code) = home.run(&["wrap", "nobody"]);
    assert_eq!(code, Some(2), "{text}");
}

#[cfg(unix)]
#[test]
fn a_gate_that_would_look_elsewhere_is_told_with_what_helps() {
    let home = Home::new();
    let server = crate::fixture::path();
    let entry = format!("[mcp_servers.two]\ncommand = '{}'\n", server.display());
    fs::write(home.path(".codex/config.toml"), entry).unwrap();
    let (text, code) = home.run(&["init", "--yes", "two"]);
    assert_eq!(code, Some(0), "{text}");
    // Codex hands on no MCPWATCH_HOME, which is set here.
    let (text, _) = home.run(&["wrap", "two"]);
    let ours = home.path("ours");
    let remedy = format!("env = {{ MCPWATCH_HOME = {:?} }}", ours.to_str().unwrap());
    let shown = remedy.replace(home.0.path().to_str().unwrap(), "~");
    assert!(text.contains("MCPWATCH_HOME is set here, and what Codex starts may not get that."), "{text}");
    assert!(text.contains(&shown), "{text}");
    let (json, _) = home.run(&["wrap", "two", "--format", "json", "--quiet"]);
    assert!(json.contains(r#""unreached""#) && json.contains(r#""client": "codex""#), "{json}");
    // Once it is there, nobody is told anything: the variable is for the gate, and leads it here.
    let wrapped = home.read(".codex/config.toml");
    fs::write(home.path(".codex/config.toml"), format!("{wrapped}{remedy}\n")).unwrap();
    let (text, _) = home.run(&["wrap", "two"]);
    assert!(text.contains("wrapped already") && !text.contains("MCPWATCH_HOME"), "{text}");
    let (text, code) = home.run(&["check", "two"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!home.run(&["status"]).0.contains("sent to other approvals"));
    // Another store is another trust: that is told by all.
    let other = remedy.replace("ours", "theirs");
    fs::write(home.path(".codex/config.toml"), format!("{wrapped}{other}\n")).unwrap();
    let (text, code) = home.run(&["check", "two"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("MCPWATCH_HOME"), "{text}");
    let (text, _) = home.run(&["status"]);
    assert!(text.contains("wrapped, and sent to other approvals than these"), "{text}");
}

/// A file that goes to other machines says nothing of this one, and works where the project is.
#[test]
fn a_shared_file_names_nothing_of_this_machine() {
    let bench = Bench::new();
    let entry = serde_json::json!({ "command": crate::fixture::path(), "args": [] });
    bench.write(".mcp.json", &serde_json::json!({ "mcpServers": { "notes": entry } }).to_string());
    let Some(run) = bench.at_terminal(&["init"], &["yes", "y", "n", "n"]) else { return };
    assert!(run.stdout.contains("Pinned"), "{}", run.all());
    let run = bench.run(&["wrap", "--project"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let file: serde_json::Value = serde_json::from_str(&bench.read(".mcp.json")).unwrap();
    let entry = &file["mcpServers"]["notes"];
    assert_eq!(entry["command"], "mcpwatch");
    let args: Vec<&str> =
        entry["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(args[..6], ["run", "--lock", "mcp.lock", "--server", "notes", "--"]);

    let program = crate::fixture::command();
    let folder = program.parent().unwrap();
    let known = std::env::var_os("PATH").unwrap();
    let folders = [folder.to_owned()].into_iter().chain(std::env::split_paths(&known));
    let path = std::env::join_paths(folders).unwrap();
    let mut command = Command::new("mcpwatch");
    command.args(&args).current_dir(bench.work()).env("PATH", &path);
    command.env("MCPWATCH_HOME", bench.home().join("mcpwatch"));
    let mut session = Session::start(command);
    session.open();
    assert_eq!(session.tools().len(), 8);
    let mut status = bench.command();
    let status = status.arg("status").current_dir(bench.work()).env("PATH", &path).output().unwrap();
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("notes  wrapped  .mcp.json"), "{status}");
    assert!(bench.run(&["status"]).stdout.contains("notes  wrapped, and mcpwatch is not on the PATH"));
    let again = bench.run(&["wrap", "--project"]);
    assert!(again.all().contains("wrapped already"), "{}", again.all());
}

#[test]
fn unwrapping_needs_a_terminal() {
    let home = Home::new();
    home.run(&["wrap", "one", "two"]);
    let wrapped = home.read(".cursor/mcp.json");
    for command in ["unwrap", "uninstall"] {
        let (text, code) = home.run(&[command]);
        assert_eq!(code, Some(3), "{text}");
        assert!(text.contains("there is no terminal"), "{text}");
    }
    assert_eq!(home.read(".cursor/mcp.json"), wrapped);
    assert_eq!(home.run(&["unwrap", "--dry-run"]).1, Some(0));
    assert_eq!(home.read(".cursor/mcp.json"), wrapped);
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_unwraps_and_uninstalls() {
    if Command::new("script").arg("--version").output().is_err() {
        return;
    }
    let home = Home::new();
    home.run(&["wrap", "one", "two"]);
    let (text, code) = home.run_at_terminal("unwrap", "no\n");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Nothing was changed"), "{text}");
    assert_ne!(home.read(".cursor/mcp.json"), CURSOR);
    let (text, code) = home.run_at_terminal("unwrap one", "yes\n");
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(home.read(".cursor/mcp.json"), CURSOR);
    assert_ne!(home.read(".codex/config.toml"), CODEX);
    let (text, code) = home.run_at_terminal("uninstall --data", "yes\n");
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(home.read(".codex/config.toml"), CODEX, "{text}");
    assert_eq!(fs::read_dir(home.path("ours")).map(|entries| entries.count()).unwrap_or(0), 0, "{text}");
}
