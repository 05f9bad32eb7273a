//! Tests of command lines, specs and versions: tables without files.

use super::*;
use crate::engine::digest::{Digest, Tag};
use crate::engine::launchpin::Ecosystem;
use command::{Exec, Runner, runner};
use spec::Spec;
use wrapper::unwrap;

/// What a command line is read as.
fn read(line: &str, os: Os) -> String {
    let line = match unwrap(&launch(line), os) {
        Ok(line) => line,
        Err(reason) => return format!("opaque: {reason}"),
    };
    let exec = |kind: &str, exec: Exec| {
        let specs: Vec<&str> = exec.specs.iter().map(|at| at.text.as_str()).collect();
        let command = exec.command.map(|command| format!(" → {command}")).unwrap_or_default();
        format!("{kind} {}{command}", specs.join(" + "))
    };
    match runner(&line) {
        Runner::Npm(found) => exec("npm", found),
        Runner::Bunx(found) => exec("bunx", found),
        Runner::Pnpm(found) => exec("pnpm", found),
        Runner::Uvx(found) => exec("uvx", found),
        Runner::Pipx(found) => exec("pipx", found),
        Runner::UvRun(run) => {
            format!("uv run {:?} {:?} {:?} {:?}", run.project, run.directory, run.module, run.command)
        }
        Runner::Script(path) => format!("script {path}"),
        Runner::Module(module) => format!("module {module}"),
        Runner::Program => format!("program {}", line.program),
        Runner::Opaque(reason) => format!("opaque: {reason}"),
    }
}

#[test]
fn reads_command_lines_as_their_runners_do() {
    for (line, expected) in [
        ("npx -y a", "npm a"),
        ("npx a@1.0.0 --port 3", "npm a@1.0.0"),
        ("/usr/local/bin/npx --yes --quiet @s/a -- x", "npm @s/a"),
        ("npx --package=a@1 -- b x", "npm a@1 → b"),
        ("npx -p a -p c b", "npm a + c → b"),
        ("npx --registry https://r.example a", "npm a"),
        ("npx --cache /c a", "npm a"),
        ("npx -y -c ls", "opaque: it is a command line for npx's shell"),
        ("npx", "opaque: it names no package"),
        ("npm exec --yes a", "npm a"),
        ("npm x -- a", "npm a"),
        ("npm start", "opaque: it runs a script of npm's"),
        ("env A=b npx a", "npm a"),
        ("/usr/bin/env -i npx a", "opaque: it is started through `env -i`"),
        ("bunx --bun a@latest", "bunx a@latest"),
        ("bun x a", "bunx a"),
        ("bunx -p a b", "bunx a → b"),
        ("bun run index.ts", "script index.ts"),
        ("bun index.ts", "script index.ts"),
        ("pnpm dlx a", "pnpm a"),
        ("pnpm --package=a dlx b", "pnpm b"),
        ("pnpm dlx --package=a b", "pnpm a → b"),
        ("pnpm start", "opaque: it runs a script of pnpm's"),
        ("uvx a", "uvx a"),
        ("uvx --from a==1 b", "uvx a==1 → b"),
        ("uvx --python 3.12 --with c a@latest x", "uvx a@latest"),
        ("uv tool run --from a b", "uvx a → b"),
        ("uv --directory /d run x.py", "uv run None Some(\"/d\") None [\"x.py\"]"),
        ("uv run --directory=/d -m a", "uv run None Some(\"/d\") Some(\"a\") []"),
        ("uv run --with mcp x.py", "opaque: `uv run --with` builds an environment of its own"),
        ("pipx run a", "pipx a"),
        ("pipx run --spec a==1 b", "pipx a==1 → b"),
        ("node --import tsx --no-warnings x.js y", "script x.js"),
        ("node -r ./a.js x.js", "script x.js"),
        ("node -e 1", "opaque: its code stands in the command"),
        ("deno run -A --allow-env=X x.ts", "script x.ts"),
        ("deno run -A npm:a", "opaque: its code comes from an address at every start"),
        ("python -m a.b", "module a.b"),
        ("python3.11 -u -m a", "module a"),
        ("python3 -um a", "module a"),
        ("python -c 1", "opaque: its code stands in the command"),
        ("python x.py", "script x.py"),
        ("docker run -i a", "opaque: it runs in a container"),
        ("sh -c ls", "opaque: it is a command line for `sh`"),
        ("bash -lc ls", "opaque: it is a command line for `bash`"),
        ("sh x.sh", "program sh"),
        ("./server --flag", "program ./server"),
    ] {
        assert_eq!(read(line, Os::Linux), expected, "{line}");
    }
    for (line, expected) in [
        ("cmd /c npx -y a", "npm a"),
        ("cmd.exe /d /s /c npx.cmd -y a", "npm a"),
        ("cmd /c npx a && evil", "opaque: it is a command line for `cmd`"),
        (r"C:\Node\npx.CMD a", "npm a"),
        ("cmd", "program cmd"),
    ] {
        assert_eq!(read(line, Os::Windows), expected, "{line}");
    }
    let one_string = CommandLaunch { command: "npx -y 'a'".to_owned(), ..CommandLaunch::default() };
    assert!(matches!(runner(&unwrap(&one_string, Os::Linux).unwrap()), Runner::Npm(_)));
}

#[test]
fn reads_specs() {
    let npm = |text: &str| {
        let Spec { name, request, .. } = spec::npm(text);
        format!("{name} {request:?}")
    };
    for (text, expected) in [
        ("a", "a Any"),
        ("@s/a", "@s/a Any"),
        ("a@1.2.3", "a Exact(\"1.2.3\")"),
        ("@s/a@1.2.3-beta.1", "@s/a Exact(\"1.2.3-beta.1\")"),
        ("a@latest", "a Tag(\"latest\")"),
        ("a@^1.2", "a Range(\"^1.2\")"),
        ("a@1", "a Range(\"1\")"),
        ("a@=1.2.3", "a Range(\"=1.2.3\")"),
        ("a@npm:b@1.0.0", "a Source(\"npm:b@1.0.0\")"),
        ("github:a/b", " Source(\"github:a/b\")"),
        ("a/b", " Source(\"a/b\")"),
        ("./a", " Source(\"./a\")"),
        ("https://x.example/a.tgz", " Source(\"https://x.example/a.tgz\")"),
    ] {
        assert_eq!(npm(text), expected);
    }
    let python = |text: &str| {
        let Spec { name, extras, request } = spec::python(text);
        format!("{name}{extras} {request:?}")
    };
    for (text, expected) in [
        ("a", "a Any"),
        ("a==1.2", "a Exact(\"1.2\")"),
        ("a[cli]==1.2", "a[cli] Exact(\"1.2\")"),
        ("a@1.2", "a Exact(\"1.2\")"),
        ("a@latest", "a Tag(\"latest\")"),
        ("a>=1,<2", "a Range(\">=1,<2\")"),
        ("a==1.*", "a Range(\"==1.*\")"),
        ("a>=1; python_version > '3'", "a Range(\">=1\")"),
        ("a @ git+https://x.example/b", "a Source(\"git+https://x.example/b\")"),
        ("git+https://x.example/b@v1", " Source(\"git+https://x.example/b@v1\")"),
    ] {
        assert_eq!(python(text), expected);
    }
    for (text, floating) in [
        ("a", true),
        ("a@1.0.0", false),
        ("a@latest", true),
        ("github:a/b", true),
        ("github:a/b#0123456789012345678901234567890123456789", false),
    ] {
        assert_eq!(spec::npm(text).is_floating(), floating, "{text}");
    }
}

#[test]
fn compares_versions() {
    for (version, range, expected) in [
        ("1.2.3", "^1.2.0", true),
        ("2.0.0", "^1.2.0", false),
        ("0.2.9", "^0.2.3", true),
        ("0.3.0", "^0.2.3", false),
        ("0.0.4", "^0.0.3", false),
        ("1.2.9", "~1.2.3", true),
        ("1.3.0", "~1.2.3", false),
        ("1.9.0", "1", true),
        ("1.9.0", "1.x", true),
        ("1.9.0", "=1.9.0", true),
        ("1.9.0", ">=1 <2", true),
        ("2.0.0", ">=1 <2", false),
        ("2.0.0", "1 || 2", true),
        ("1.0.0-beta", "^1.0.0", false),
    ] {
        assert_eq!(npm::in_range(version, range), expected, "{version} in {range}");
    }
    for (version, range, expected) in [
        ("1.2.3", ">=1.2,<2", true),
        ("2.0", ">=1.2,<2", false),
        ("1.2.3", "~=1.2", true),
        ("1.3", "~=1.2.0", false),
        ("1.2.3", "==1.2.*", true),
        ("1.3", "!=1.3", false),
    ] {
        assert_eq!(uv::satisfies(version, range), expected, "{version} in {range}");
    }
}

fn package(ecosystem: Ecosystem, name: &str, version: &str, floating: bool) -> Artifact {
    Artifact::Package {
        ecosystem,
        name: name.to_owned(),
        version: version.to_owned(),
        floating,
        files: Digest::of_bytes(Tag::Artifact, b""),
        dependencies: Digest::of_bytes(Tag::Dependencies, b""),
        dependency_list: BTreeMap::new(),
    }
}

#[test]
fn starts_a_floating_spec_at_its_pinned_version() {
    let npm = |version: &str| package(Ecosystem::Npm, "@s/a", version, true);
    let pypi = |version: &str| package(Ecosystem::PyPi, "a-b", version, true);
    for (line, artifact, expected) in [
        ("npx -y @s/a --root /x", npm("1.2.3"), "npx -y @s/a@1.2.3 --root /x"),
        ("npx -y @s/a@latest", npm("1.2.3"), "npx -y @s/a@1.2.3"),
        ("npx --package=@s/a -- b", npm("1.2.3"), "npx --package=@s/a@1.2.3 -- b"),
        ("npx -p @s/a@^1 b", npm("1.2.3"), "npx -p @s/a@1.2.3 b"),
        ("env X=y npx @s/a", npm("1.2.3"), "env X=y npx @s/a@1.2.3"),
        ("bunx @s/a", npm("1.2.3"), "bunx @s/a@1.2.3"),
        ("pnpm dlx @s/a", npm("1.2.3"), "pnpm dlx @s/a@1.2.3"),
        ("uvx a_b", pypi("1.2"), "uvx a_b@1.2"),
        ("uvx a-b[cli]@latest x", pypi("1.2"), "uvx a-b[cli]@1.2 x"),
        ("uvx --from a-b c", pypi("1.2"), "uvx --from a-b==1.2 c"),
        ("uvx --from=a-b>=1 c", pypi("1.2"), "uvx --from=a-b==1.2 c"),
        ("pipx run a-b", pypi("1.2"), "pipx run a-b==1.2"),
        // Not the package that was pinned, not from a registry, not a version.
        ("npx tsc", npm("1.2.3"), "npx tsc"),
        ("npx github:s/a", npm("1.2.3"), "npx github:s/a"),
        ("npx -y @s/a", npm("1.2.3 --registry=x"), "npx -y @s/a"),
        ("uvx a", npm("1.2.3"), "uvx a"),
        ("node x.js", npm("1.2.3"), "node x.js"),
        ("npx -y @s/a@1.0.0", package(Ecosystem::Npm, "@s/a", "1.0.0", false), "npx -y @s/a@1.0.0"),
    ] {
        let pinned = pinned_launch(&launch(line), &artifact);
        assert_eq!(format!("{} {}", pinned.command, pinned.args.join(" ")), expected);
    }
}

#[test]
fn asks_for_the_newest_within_what_the_launch_asks_for() {
    let npm = |floating| package(Ecosystem::Npm, "@s/a", "1.0.0", floating);
    let pypi = || package(Ecosystem::PyPi, "a-b", "1.0", true);
    for (line, artifact, expected) in [
        ("npx -y @s/a --root /x", npm(true), Some("-y @s/a@latest --root /x")),
        ("npx -y @s/a@next", npm(true), Some("-y @s/a@next")),
        ("npx -y @s/a@^1", npm(true), Some("-y @s/a@^1 || 0.0.0-mcpwatch.7")),
        ("npx --package=@s/a@~1.2 -- b", npm(true), Some("--package=@s/a@~1.2 || 0.0.0-mcpwatch.7 -- b")),
        ("bunx @s/a", npm(true), Some("@s/a@latest")),
        ("bunx @s/a@1.x", npm(true), Some("@s/a@1.x || 0.0.0-mcpwatch.7")),
        ("pnpm dlx @s/a", npm(true), Some("dlx --config.dlx-cache-max-age=0 @s/a@latest")),
        ("pnpm dlx @s/a@^1", npm(true), Some("dlx --config.dlx-cache-max-age=0 @s/a@^1")),
        ("pnpm --package @s/a@^1 dlx b", npm(true), None),
        (
            "pnpm dlx --package @s/a b",
            npm(true),
            Some("dlx --config.dlx-cache-max-age=0 --package @s/a@latest b"),
        ),
        ("uvx a_b", pypi(), Some("a_b@latest")),
        ("uvx a-b@latest", pypi(), Some("a-b@latest")),
        ("uvx a-b[cli]>=1,<2 x", pypi(), Some("--isolated --refresh a-b[cli]>=1,<2 x")),
        ("uvx --from a-b c", pypi(), Some("--isolated --refresh --from a-b c")),
        ("uvx --from=a-b~=1.0 c", pypi(), Some("--isolated --refresh --from=a-b~=1.0 c")),
        ("uv tool run a-b<2", pypi(), Some("tool run --isolated --refresh a-b<2")),
        ("pipx run a-b", pypi(), Some("run a-b!=0.0.0.7")),
        ("pipx run --spec a-b<2 c", pypi(), Some("run --spec a-b<2,!=0.0.0.7 c")),
        // Exact, another package, not from a registry, not to be seen in the arguments.
        ("npx -y @s/a@1.0.0", npm(true), None),
        ("npx -y other", npm(true), None),
        ("npx github:s/a", npm(true), None),
        ("uvx --from a-b==1 c", pypi(), None),
        ("uvx @s/a", npm(true), None),
        ("node x.js", npm(true), None),
    ] {
        let upgraded = upgrade_launch(&launch(line), &artifact, 7).map(|launch| launch.args.join(" "));
        assert_eq!(upgraded.as_deref(), expected, "{line}");
    }
}
