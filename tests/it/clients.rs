//! Real clients, wrapped as a person wraps them, against a model on loopback that says what a script
//! tells it to. What a client sends to its model is the truth about what a model sees: approved text
//! in, changed text never, the refusal read, and after an approval the same session goes on.
//!
//! `docs/clients.md` says what each of them does besides. Those not installed are skipped by name.

use crate::{fixture, servers, terminal};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a client may take for a whole session on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A client that runs without a screen.
struct Agent {
    name: &'static str,
    /// Below `node_modules/.bin`.
    program: &'static str,
    /// Its configuration, below the home folder.
    config: &'static str,
    /// What that holds, for a server that is started by this program with these arguments, and this
    /// folder for what mcpwatch keeps: not every client hands on all of its environment.
    configured: fn(&Path, &[String], &Path) -> String,
    /// Its arguments and variables, for a model at this address.
    options: fn(&str) -> (Vec<String>, Variables),
    /// What the model has to do first to be shown the tools that a script calls.
    first: fn() -> Vec<Value>,
    /// Whether tools that changed reach the model without a restart.
    heeds_list_changed: bool,
}

type Variables = Vec<(&'static str, String)>;

/// What a model was asked, in order, those requests that offer tools.
struct Asked(Vec<String>);

/// A home folder in which one client has one server.
struct Home {
    folder: tempfile::TempDir,
}

/// A model that follows a script.
struct Model {
    child: Child,
    state: tempfile::TempDir,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const CLAUDE_CODE: Agent = Agent {
    name: "Claude Code",
    program: "claude",
    config: ".claude.json",
    configured: |program, args, ours| {
        let env = json!({ "MCPWATCH_HOME": ours });
        let fixture = json!({ "type": "stdio", "command": program, "args": args, "env": env });
        json!({ "mcpServers": { "fixture": fixture } }).to_string()
    },
    options: |url| {
        let args = ["-p", "Search my notes.", "--model", "claude-scripted", "--dangerously-skip-permissions"];
        let variables = [
            ("ANTHROPIC_BASE_URL", url),
            ("ANTHROPIC_API_KEY", "none"),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
            // Else tools are listed by name alone, and described when the model asks for one.
            ("ENABLE_TOOL_SEARCH", "false"),
            // Else it refuses to skip permissions for root.
            ("IS_SANDBOX", "1"),
        ];
        (words(&args), variables.map(|(name, value)| (name, value.to_owned())).to_vec())
    },
    first: Vec::new,
    heeds_list_changed: true,
};

/// The same as it comes: the model is told the names of tools, and looks for those that it wants.
const CLAUDE_CODE_SEARCHING: Agent = Agent {
    options: |url| {
        let (args, mut variables) = (CLAUDE_CODE.options)(url);
        variables.retain(|(name, _)| *name != "ENABLE_TOOL_SEARCH");
        variables.push(("ENABLE_TOOL_SEARCH", "true".to_owned()));
        (args, variables)
    },
    first: || {
        // By words, which finds whatever the client knows of them: also the tool that is added.
        let words = json!({ "query": "fixture notes echo again added new tool", "max_results": 30 });
        vec![json!({ "call": "ToolSearch", "with": words, "until": "fixture_echo" })]
    },
    ..CLAUDE_CODE
};

const CODEX: Agent = Agent {
    name: "Codex CLI",
    program: "codex",
    config: ".codex/config.toml",
    configured: |program, args, ours| {
        let server = format!("[mcp_servers.fixture]\ncommand = {program:?}\nargs = {args:?}\n");
        format!("# mine\n{server}env = {{ MCPWATCH_HOME = {ours:?} }}\n")
    },
    options: |url| {
        let provider = format!(
            r#"model_providers.scripted={{name="scripted",base_url="{url}/v1",wire_api="responses",env_key="KEY"}}"#
        );
        let mut args =
            words(&["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]);
        for option in [
            provider.as_str(),
            "model_provider=\"scripted\"",
            "model=\"scripted\"",
            "check_for_update_on_startup=false",
            "analytics.enabled=false",
        ] {
            args.extend(["-c".to_owned(), option.to_owned()]);
        }
        args.push("Search my notes.".to_owned());
        (args, vec![("KEY", "none".to_owned())])
    },
    first: Vec::new,
    heeds_list_changed: false,
};

const GEMINI_CLI: Agent = Agent {
    name: "Gemini CLI",
    program: "gemini",
    config: ".gemini/settings.json",
    configured: |program, args, ours| {
        let env = json!({ "MCPWATCH_HOME": ours });
        let settings = json!({
            "security": { "auth": { "selectedType": "gemini-api-key" } },
            "general": { "enableAutoUpdate": false, "enableAutoUpdateNotification": false },
            "mcpServers": { "fixture": { "command": program, "args": args, "env": env, "trust": true } },
        });
        serde_json::to_string_pretty(&settings).unwrap()
    },
    options: |url| {
        let args = ["-p", "Search my notes.", "--yolo", "-m", "gemini-2.5-pro"];
        let variables = [
            ("GOOGLE_GEMINI_BASE_URL", url),
            ("GEMINI_API_KEY", "none"),
            ("GEMINI_TELEMETRY_ENABLED", "false"),
            ("GEMINI_CLI_TRUST_WORKSPACE", "true"),
        ];
        (words(&args), variables.map(|(name, value)| (name, value.to_owned())).to_vec())
    },
    first: Vec::new,
    heeds_list_changed: true,
};

/// Where clients are installed.
pub fn folder() -> PathBuf {
    let set = std::env::var_os("MCPWATCH_TEST_CLIENTS").filter(|set| !set.is_empty()).map(PathBuf::from);
    set.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-clients"))
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Home {
    fn new(agent: &Agent) -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["home/work", "state"] {
            std::fs::create_dir_all(home.path(folder)).unwrap();
        }
        let config = home.config(agent);
        std::fs::create_dir_all(config.parent().unwrap()).unwrap();
        let text = (agent.configured)(&fixture::path(), &home.server(), &home.path("ours"));
        std::fs::write(config, text).unwrap();
        home
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn config(&self, agent: &Agent) -> PathBuf {
        self.path("home").join(agent.config)
    }

    /// A file of the server's state; `change` makes it show something else.
    fn state(&self, name: &str) -> String {
        self.path("state").join(name).to_str().unwrap().to_owned()
    }

    fn server(&self) -> Vec<String> {
        let (state, log) = (self.state(""), self.state("log"));
        let change = "description,tool-added,instructions";
        words(&["--change", change, "--when", "file", "--notify", "--state", &state, "--log", &log])
    }

    /// A command with this home and nothing else of this machine.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            command.env_remove(name);
        }
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.path("home"));
        command.env("LANG", "C.UTF-8").env("MCPWATCH_HOME", self.path("ours"));
        command.current_dir(self.path("home/work"));
        command
    }

    /// Runs mcpwatch as a person at a terminal would.
    fn person(&self, args: &[&str], answers: &[&str]) -> String {
        let mut command = self.command(env!("CARGO_BIN_EXE_mcpwatch"));
        let (text, code) = terminal::answer(command.args(args), answers).unwrap();
        assert_eq!(code, 0, "{args:?}: {text}");
        text
    }

    /// Runs the client to its end; meanwhile `beside` happens.
    fn run(&self, agent: &Agent, steps: &Value, beside: impl FnOnce()) -> (Asked, Output) {
        let model = Model::start(steps);
        let (args, variables) = (agent.options)(&model.url());
        let mut command = self.command(folder().join("agents/node_modules/.bin").join(agent.program));
        let child = command.args(args).envs(variables).stdin(Stdio::null());
        let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        beside();
        let output = child.wait_with_output().unwrap();
        (model.asked(), output)
    }

    /// How many lists the gate itself has asked the server for.
    fn lists_of_the_gate(&self) -> usize {
        let log = std::fs::read_to_string(self.state("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("\"mcpwatch-") && line.contains("tools/list")).count()
    }
}

impl Model {
    fn start(steps: &Value) -> Self {
        let state = tempfile::tempdir().unwrap();
        let script = state.path().join("script.json");
        std::fs::write(&script, steps.to_string()).unwrap();
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/model.mjs");
        let child = Command::new("node").arg(model).arg(state.path()).arg(&script).spawn().unwrap();
        let model = Self { child, state };
        wait_for("the model's start", || !model.url().is_empty());
        model
    }

    fn url(&self) -> String {
        std::fs::read_to_string(self.state.path().join("url")).unwrap_or_default()
    }

    fn asked(&self) -> Asked {
        let requests = std::fs::read_to_string(self.state.path().join("requests.jsonl")).unwrap_or_default();
        let (mut steps, mut others) = (BTreeMap::new(), Vec::new());
        for line in requests.lines() {
            let step = serde_json::from_str::<Value>(line).unwrap()["step"].as_u64();
            // Of the requests before a client had its server, the last has it.
            others.extend(match step {
                Some(step) => steps.insert(step, line.to_owned()),
                None => Some(line.to_owned()),
            });
        }
        // Whatever had no step holds nothing unapproved either.
        for line in others {
            assert!(!line.contains("CHANGED"), "{line}");
        }
        Asked(steps.into_values().collect())
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const APPROVED: &str = "Searches the notes.";
const INSTRUCTIONS: &str = "Use these tools for notes";
const REFUSAL: &str = "Blocked by mcpwatch: the tool search of the server fixture changed";
const RESULT: &str = "search was called with";

fn story(agent: &Agent) {
    if !folder().join("agents/node_modules/.bin").join(agent.program).exists() {
        servers::skipped(agent.name);
        return;
    }
    let home = Home::new(agent);
    let before = std::fs::read_to_string(home.config(agent)).unwrap();
    let said = home.person(&["init"], &["y", "y"]);
    assert!(said.contains("wrapped: fixture"), "{said}");
    changed_between_two_runs(agent, &home);
    changed_in_a_session(agent, &home);
    let said = home.person(&["unwrap"], &["yes"]);
    assert!(said.contains("unwrapped: fixture"), "{said}");
    let after = std::fs::read_to_string(home.config(agent)).unwrap();
    let entry = fixture::path();
    assert!(after.contains(entry.to_str().unwrap()) && !after.contains("--server"), "{after}");
    // Claude Code writes into its file all the time.
    if agent.name != CLAUDE_CODE.name {
        assert_eq!(after, before);
    }
}

/// A script with what the model has to do first.
fn after_first(agent: &Agent, mut steps: Value) -> Value {
    let steps = steps.as_array_mut().unwrap();
    (agent.first)().into_iter().chain(steps.drain(..)).collect()
}

fn changed_between_two_runs(agent: &Agent, home: &Home) {
    std::fs::write(home.state("change"), "").unwrap();
    let steps = json!([{ "call": "fixture_search", "with": { "query": "x" } }, { "say": "Told the user." }]);
    let (asked, output) = home.run(agent, &after_first(agent, steps), || ());
    std::fs::remove_file(home.state("change")).unwrap();
    let name = agent.name;
    assert!(output.status.success(), "{name}: {output:?}");
    assert_eq!(asked.0.len(), 2, "{name}: {output:?}");
    for request in &asked.0 {
        assert!(!request.contains("CHANGED"), "{name}: {request}");
        assert!(request.contains(APPROVED) && request.contains(INSTRUCTIONS), "{name}: {request}");
    }
    assert!(asked.0[1].contains(REFUSAL) && !asked.0[1].contains(RESULT), "{name}: {}", asked.0[1]);
}

fn changed_in_a_session(agent: &Agent, home: &Home) {
    let [listed, refused, approved] = ["listed", "refused", "approved"].map(|name| home.state(name));
    let search = json!({ "query": "x" });
    let steps = json!([
        { "call": "fixture_echo", "with": { "text": "first" } },
        { "touch": home.state("change"), "after": listed, "call": "fixture_search", "with": search },
        { "touch": refused, "after": approved, "pause": 2000, "call": "fixture_search", "with": search },
        { "call": "fixture_echo", "with": { "text": "last" } },
        { "say": "All done." },
    ]);
    let (asked, output) = home.run(agent, &after_first(agent, steps), || {
        wait_for("the change", || Path::new(&home.state("change")).exists());
        // Its three pages are read anew, because the server said that they changed.
        let lists = home.lists_of_the_gate();
        wait_for("a new list", || home.lists_of_the_gate() >= lists + 3);
        std::thread::sleep(Duration::from_millis(200));
        std::fs::write(&listed, "").unwrap();
        wait_for("the refusal", || Path::new(&refused).exists());
        let said = home.person(&["approve", "fixture"], &["y", "y", "y", "y"]);
        assert!(said.contains("Approved"), "{said}");
        std::fs::write(&approved, "").unwrap();
    });
    let name = agent.name;
    assert!(output.status.success(), "{name}: {output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("All done."), "{name}: {output:?}");
    let [first, second, third, fourth, last] = &asked.0[..] else {
        panic!("{name}: {} requests, {output:?}", asked.0.len())
    };
    for request in [first, second, third] {
        assert!(!request.contains("CHANGED"), "{name}: {request}");
        assert!(request.contains(APPROVED) && request.contains(INSTRUCTIONS), "{name}: {request}");
    }
    assert!(third.contains(REFUSAL) && !third.contains(RESULT), "{name}: {third}");
    assert!(fourth.contains(RESULT), "{name}: {fourth}");
    assert_eq!(last.contains("CHANGED"), agent.heeds_list_changed, "{name}: {last}");
}

#[test]
fn claude_code_never_shows_its_model_what_nobody_approved() {
    story(&CLAUDE_CODE);
}

#[test]
fn claude_code_finds_nothing_that_nobody_approved_when_its_model_searches() {
    story(&CLAUDE_CODE_SEARCHING);
}

#[test]
fn codex_never_shows_its_model_what_nobody_approved() {
    story(&CODEX);
}

#[test]
fn gemini_cli_never_shows_its_model_what_nobody_approved() {
    story(&GEMINI_CLI);
}

/// What Codex and the libraries' own launchers hand on is hardly more than this.
#[test]
fn a_gate_that_is_given_few_variables_finds_the_same_folders() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().canonicalize().unwrap();
    let data = home.join(".local/share/mcpwatch");
    std::fs::create_dir_all(&data).unwrap();
    let config = home.join("client.json");
    let entry = json!({ "command": fixture::path(), "args": [] });
    std::fs::write(&config, json!({ "mcpServers": { "fixture": entry } }).to_string()).unwrap();
    let run = |args: &[&str], input: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcpwatch"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &home);
        command.args(args).current_dir(&home).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        // Closed at once, the gate would end before its server has answered.
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        drop(stdin);
        child.wait().unwrap();
        answer
    };
    run(&["init", "--yes", "--config", config.to_str().unwrap()], "");
    assert!(data.join("mcp.lock").exists(), "the user's lock is not below HOME");
    let opening = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;
    let server = fixture::path();
    let args = ["run", "--trust-lock", "--server", "fixture", "--", server.to_str().unwrap()];
    let answer = run(&args, &format!("{opening}\n"));
    assert!(answer.contains(INSTRUCTIONS), "{answer}");
}
