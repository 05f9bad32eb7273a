//! What may loosen the watch: settings hold only once they were accepted, and nothing goes below the
//! machine's policy. The tests' policy is the one of `MCPWATCH_HOME`, which can only tighten.

use crate::cli::bench::Bench;
use crate::gate::is_refused;
use crate::sighted::{CHANGED, FILES, is_change_of_tools, session, trusted};

/// A server that changes for everyone but mcpwatch.
const ARGS: [&str; 4] = ["--change", "description", "--when", "stranger"];

pub fn configure(bench: &Bench, file: &str, text: &str) {
    let path = bench.home().join("mcpwatch/config").join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // As an editor would: a new file under the old name.
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}

fn accept_settings(bench: &Bench) -> String {
    let run = bench.at_terminal(&["trust", "--settings"], &["yes"]).unwrap();
    assert_eq!(run.code, 0, "{}", run.all());
    run.all()
}

fn shows_change(client: &mut crate::gate::Session) -> bool {
    client.tools().iter().any(|(_, tool)| format!("{tool:?}").contains(CHANGED))
}

#[test]
fn a_loosened_setting_holds_once_it_is_accepted() {
    let Some(bench) = trusted(&ARGS) else { return };
    configure(&bench, "config.toml", "mode = \"observe\"\n");
    let status = bench.run(&["status"]).stdout;
    assert!(status.contains("loosens the watch: mode = observe; that does not hold"), "{status}");
    let mut client = session(&bench, &ARGS);
    client.open();
    assert!(!shows_change(&mut client));
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));

    // Nobody accepts it without a terminal, and a no is a no.
    assert_eq!(bench.run(&["trust", "--settings"]).code, 3);
    let no = bench.at_terminal(&["trust", "--settings"], &["no"]).unwrap();
    assert_eq!(no.code, 1, "{}", no.all());
    assert!(!shows_change(&mut client));

    // Accepted, it holds from the next session on; what it says is shown first.
    let screen = accept_settings(&bench);
    assert!(screen.contains("mode = observe"), "{screen}");
    assert!(!shows_change(&mut client));
    let mut client = session(&bench, &ARGS);
    client.open();
    assert!(shows_change(&mut client));
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)));
    assert!(bench.run(&["status"]).stdout.contains("you accepted that"));
    let log = bench.run(&["log", "--kind", "decision"]).stdout;
    assert!(log.contains("settings"), "{log}");

    // Other values are another decision, and until then none of them hold, not in this session either.
    std::thread::sleep(std::time::Duration::from_millis(300));
    configure(&bench, "config.toml", "mode = \"observe\"\nverify = \"10m\"\n");
    client.wait(is_change_of_tools);
    assert!(!shows_change(&mut client));
    assert!(bench.run(&["status"]).stdout.contains("mode = observe, verify = 10m; that does not hold"));
}

#[test]
fn no_decision_goes_below_the_policy() {
    let Some(bench) = trusted(&ARGS) else { return };
    configure(&bench, "config.toml", "mode = \"observe\"\n");
    accept_settings(&bench);
    let mut client = session(&bench, &ARGS);
    client.open();
    assert!(shows_change(&mut client));
    // The policy comes in mid-session, and the gate holds back from then on.
    std::thread::sleep(std::time::Duration::from_millis(300));
    configure(&bench, "policy.toml", "mode = \"enforce\"\nlevel = \"code\"\nunwrap = \"refuse\"\n");
    client.wait(is_change_of_tools);
    assert!(!shows_change(&mut client));
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));
    let status = bench.run(&["status"]).stdout;
    assert!(status.contains("policy: level = \"code\", mode = \"enforce\", unwrap = \"refuse\""), "{status}");

    // A decision needs the policy's level, whatever this person enrolled.
    let approve = [&["approve", "notes"], &FILES[..]].concat();
    let run = bench.at_terminal(&approve, &["y"]).unwrap();
    assert_eq!(run.code, 3, "{}", run.all());
    assert!(run.stdout.contains("the level `code`"), "{}", run.all());

    // mcpwatch stays in the client's file.
    assert_eq!(bench.run(&["wrap", "--config", "client.json", "--lock", "mcp.lock"]).code, 0);
    let wrapped = bench.read("client.json");
    let unwrap = bench.at_terminal(&["unwrap", "--config", "client.json"], &["yes"]).unwrap();
    assert_eq!(unwrap.code, 3, "{}", unwrap.all());
    assert!(unwrap.stdout.contains("policy") && unwrap.stdout.contains("refuses"), "{}", unwrap.all());
    assert_eq!(bench.read("client.json"), wrapped);
}

#[test]
fn a_policy_refuses_trust_that_is_brought() {
    let Some(bench) = trusted(&[]) else { return };
    configure(&bench, "policy.toml", "brought = \"refuse\"\n");
    let check = bench.with_config(&["check", "--trust-lock"]);
    assert_eq!(check.code, 3, "{}", check.all());
    assert!(check.stderr.contains("refuses `--trust-lock`"), "{}", check.all());
    // MCPWATCH_HOME is moved here.
    let mut client = session(&bench, &[]);
    client.open();
    let answer = client.call("mcpwatch_review", "{}");
    assert!(format!("{answer:?}").contains("brings its own trust"), "{answer:?}");
    assert_eq!(client.tools()[0].0, "mcpwatch_review");
    assert_eq!(bench.run(&["trust", "--brought", "allow"]).code, 3);
}

#[test]
fn a_policy_or_settings_that_cannot_be_read_close_the_gate() {
    let cases = [
        ("policy.toml", "level = \"none\"\n", "policy for mcpwatch cannot be used", "level = \"terminal\"\n"),
        ("config.toml", "mode = \n", "config.toml cannot be read", "mode = \"enforce\"\n"),
    ];
    let Some(bench) = trusted(&[]) else { return };
    let mut client = session(&bench, &[]);
    client.open();
    assert_eq!(client.tools().len(), 8);
    std::thread::sleep(std::time::Duration::from_millis(300));
    for (file, broken, why, whole) in cases {
        configure(&bench, file, broken);
        client.wait(is_change_of_tools);
        let answer = client.call("echo", r#"{"text":"x"}"#);
        assert!(is_refused(&answer) && format!("{answer:?}").contains(why), "{file}: {answer:?}");
        let status = bench.run(&["status"]).stdout;
        assert!(status.contains("gates are closed"), "{file}: {status}");
        configure(&bench, file, whole);
        client.wait(is_change_of_tools);
        assert!(!is_refused(&client.call("echo", r#"{"text":"x"}"#)), "{file}");
    }
}

#[test]
fn a_store_that_is_brought_cannot_allow_itself() {
    let bench = Bench::new();
    let run = bench.run(&["trust", "--brought", "allow"]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("MCPWATCH_HOME is set"), "{}", run.all());
}

/// An account's own directories: a folder in the place of its home, which the account database names.
#[cfg(target_os = "linux")]
struct Account(tempfile::TempDir, Bench);

#[cfg(target_os = "linux")]
impl Account {
    /// `None` where no folder can be put in that place.
    fn new() -> Option<Self> {
        let account = Self(tempfile::tempdir().unwrap(), Bench::new());
        std::fs::create_dir(account.0.path().join("run")).unwrap();
        let works = account.command("true", &[]).output().is_ok_and(|output| output.status.success());
        if !works {
            crate::servers::skipped("a mount namespace");
        }
        works.then_some(account)
    }

    /// A program in the project folder, as this account.
    fn command(&self, program: &str, args: &[&str]) -> std::process::Command {
        let home = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(0)).unwrap().unwrap().dir;
        let mut command = self.1.command_of("unshare");
        let script = "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
        command.arg(self.0.path()).arg(&home).arg(program).args(args);
        for name in ["MCPWATCH_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "DBUS_SESSION_BUS_ADDRESS"] {
            command.env_remove(name);
        }
        command.env("HOME", &home).env("XDG_RUNTIME_DIR", self.0.path().join("run"));
        command
    }

    fn mcpwatch(&self, args: &[&str]) -> std::process::Command {
        self.command(env!("CARGO_BIN_EXE_mcpwatch"), args)
    }

    fn says(&self, args: &[&str]) -> (i32, String) {
        let output = self.mcpwatch(args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
    }

    fn at_terminal(&self, args: &[&str], answers: &[&str]) -> (String, i32) {
        crate::terminal::answer(&self.mcpwatch(args), answers).unwrap()
    }
}

#[cfg(target_os = "linux")]
#[test]
fn trust_is_brought_only_while_its_owner_allows_it() {
    let Some(account) = Account::new() else { return };
    let bench = &account.1;
    bench.servers(&[("notes", &[])]);
    let files = ["--config", "client.json", "--lock", "mcp.lock"];
    let with = |args: &[&'static str]| [args, &files[..]].concat();
    assert_eq!(account.says(&with(&["init", "--yes"])).0, 0);
    // Whether a gate obeys a lock that says so itself.
    let obeys = |home: Option<&std::path::Path>| {
        let fixture = crate::fixture::path();
        let mut command =
            account.mcpwatch(&["run", "--trust-lock", "--server", "notes", "--lock", "mcp.lock", "--"]);
        command.arg(fixture);
        if let Some(home) = home {
            command.env("MCPWATCH_HOME", home);
        }
        let mut client = crate::gate::Session::start(command);
        client.open();
        client.tools().len() == 8
    };
    assert!(obeys(None), "nobody decided anything here yet");
    let (screen, code) = account.at_terminal(&["trust", "--level", "terminal"], &["yes"]);
    assert_eq!(code, 0, "{screen}");
    let elsewhere = bench.home().join("elsewhere");
    assert!(!obeys(None) && !obeys(Some(&elsewhere)), "its owner has a store");
    // A program that types nothing does not get it.
    assert_eq!(account.says(&["trust", "--brought", "allow"]).0, 3);
    let (screen, code) = account.at_terminal(&["trust", "--brought", "allow"], &["no"]);
    assert!(code == 0 && screen.contains("Nothing was changed"), "{screen}");
    assert!(!obeys(None), "its owner said no");

    let mut daemon = account.mcpwatch(&["daemon"]);
    let silent = std::process::Stdio::null;
    let mut daemon = daemon.stdout(silent()).stderr(silent()).spawn().unwrap();
    let runs = || account.says(&["service", "status"]).1.contains("Running").then_some(());
    let runs = crate::pty::eventually(20, runs);
    let (allowed, code) = account.at_terminal(&["trust", "--brought", "allow"], &["yes"]);
    let status = account.says(&["status"]).1;
    let obeyed = (obeys(None), obeys(Some(&elsewhere)));
    let taken_back = account.says(&["trust", "--brought", "refuse"]);
    let told = account.says(&["status"]).1;
    let log = account.says(&["log", "--kind", "decision"]).1;
    let _ = (daemon.kill(), daemon.wait());

    assert!(runs.is_some() && code == 0 && allowed.contains("a repository can"), "{allowed}");
    assert!(
        status.contains("an environment may bring its own trust: `mcpwatch trust --brought refuse`"),
        "{status}"
    );
    assert_eq!(obeyed, (true, true));
    assert!(taken_back.0 == 0 && taken_back.1.contains("No environment may"), "{}", taken_back.1);
    assert!(!told.contains("an environment may bring"), "{told}");
    assert!(!obeys(None) && !obeys(Some(&elsewhere)), "its owner took it back");
    // Both are written down, and told where somebody can see it: here, by status.
    assert!(log.contains("brought by") && log.contains("brought no more by"), "{log}");
    assert!(told.contains("Weakened the watch over mcpwatch"), "{told}");
    assert!(told.contains("Tightened the watch over mcpwatch"), "{told}");
    assert_eq!(account.says(&["log", "verify"]).0, 0);
}
