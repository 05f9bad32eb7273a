//! Tests of npm's kind: folders as npx, bun, pnpm and npm lay them out.

use super::*;

fn npx_name(specs: &str) -> String {
    let exec = command::Exec {
        specs: specs
            .split(' ')
            .map(|text| command::At { text: text.to_owned(), ..command::At::default() })
            .collect(),
        ..command::Exec::default()
    };
    npm::npx_folder(&exec, &Context::new(&CommandLaunch::default(), &Lab::new().place()))
}

#[test]
fn names_npx_folders_as_npm_does() {
    // Made by npm 11.19.1.
    assert_eq!(npx_name("semver@7.7.2"), "6fe57a799e347326");
    assert_eq!(npx_name("semver"), "a9bef924e4cb6cdb");
    assert_eq!(npx_name("semver@latest"), "81ffe89bfc828045");
}

/// Installs as npx does.
fn install(lab: &Lab, spec: &str, name: &str, version: &str) -> String {
    let modules = format!("home/.npm/_npx/{}/node_modules", npx_name(spec));
    lab.npm_package(&modules, name, version, name.rsplit('/').next().unwrap(), "");
    modules
}

#[test]
fn npx_runs_what_its_cache_holds() {
    let lab = Lab::new();
    lab.check("npx -y a", "unknown (npx has not installed a yet)");
    install(&lab, "a", "a", "1.0.0");
    install(&lab, "a@2.0.0", "a", "2.0.0");
    install(&lab, "@s/b@latest", "@s/b", "3.0.0");
    lab.check("npx -y a", "~npm a@1.0.0");
    lab.check("npx -y a@2.0.0", "npm a@2.0.0");
    lab.check("npx --package=a@2.0.0 -- a", "npm a@2.0.0");
    lab.check("npx -y @s/b@latest", "~npm @s/b@3.0.0");
    lab.check("npx -y a@^1", "unknown (npx has not installed a@^1 yet)");
    lab.check("env X=y npx -y a", "~npm a@1.0.0");
}

#[test]
fn the_cache_is_where_npm_is_told_it_is() {
    let mut lab = Lab::new();
    let folder = npx_name("a");
    for (place, version) in [("c1", "1.0.0"), ("c2", "2.0.0"), ("c3", "3.0.0")] {
        lab.npm_package(&format!("{place}/_npx/{folder}/node_modules"), "a", version, "a", "");
    }
    lab.write("home/.npmrc", &format!("; c\ncache = {}\n", lab.path("c1").display()));
    lab.check("npx a", "~npm a@1.0.0");
    lab.env.insert("NPM_CONFIG_CACHE".to_owned(), lab.path("c2").to_string_lossy().into_owned());
    lab.check("npx a", "~npm a@2.0.0");
    lab.check(&format!("npx --cache {} a", lab.path("c3").display()), "~npm a@3.0.0");
    let launch = CommandLaunch {
        env: BTreeMap::from([("npm_config_cache".to_owned(), lab.path("c3").to_string_lossy().into_owned())]),
        ..launch("npx a")
    };
    lab.env.clear();
    let resolved = resolve(&Launch::Command(launch), &lab.place());
    assert_eq!(resolved.artifact.describe(), "npm a@3.0.0");
}

#[test]
fn what_lies_beside_the_project_beats_the_cache() {
    let lab = Lab::new();
    install(&lab, "a", "a", "1.0.0");
    install(&lab, "a@1.5.0", "a", "1.5.0");
    install(&lab, "a@1.6.0", "a", "1.6.0");
    install(&lab, "a@latest", "a", "9.0.0");
    lab.write("proj/package.json", r#"{"name":"p","version":"0.0.0"}"#);
    lab.npm_package("proj/node_modules", "a", "1.5.0", "a", "");
    lab.executable("proj/node_modules/a/cli.js", "#!/usr/bin/env node\n// planted\n");
    lab.check("npx -y a", "~npm a@1.5.0");
    lab.check("npx -y a@1.5.0", "npm a@1.5.0");
    lab.check("npx -y a@^1.2.0", "~npm a@1.5.0");
    lab.check("npx -y a@1.6.0", "npm a@1.6.0");
    lab.check("npx -y a@latest", "~npm a@9.0.0");
    // An exact version is satisfied by the planted folder, whose bytes differ.
    let local = lab.digests("npx -y a@1.5.0");
    std::fs::remove_dir_all(lab.path("proj/node_modules")).unwrap();
    assert_ne!(lab.digests("npx -y a@1.5.0"), local);
}

#[test]
fn a_name_is_first_an_executable() {
    let lab = Lab::new();
    install(&lab, "run", "run", "1.0.0");
    lab.npm_package("proj/node_modules", "other", "4.0.0", "run", "");
    lab.check("npx run", "~npm other@4.0.0");
    std::fs::remove_dir_all(lab.path("proj/node_modules")).unwrap();
    // In a folder above, where no npm project is.
    lab.npm_package("node_modules", "above", "5.0.0", "run", "");
    lab.check("npx run", "~npm above@5.0.0");
    std::fs::remove_dir_all(lab.path("node_modules")).unwrap();
    lab.write("proj/package.json", r#"{"name":"p","version":"0.0.0","bin":{"run":"own.js"}}"#);
    lab.write("proj/own.js", "1");
    lab.check("npx run", "script ${cwd}/own.js");
    lab.executable("home/direct", "#!/bin/sh\n");
    lab.check(&format!("npx {}", lab.path("home/direct").display()), "script ${home}/direct");
}

#[test]
fn follows_the_launchers_of_pnpm_and_windows() {
    let lab = Lab::new();
    lab.npm_package("proj/node_modules/.pnpm/a@1.0.0/node_modules", "a", "1.0.0", "a", "");
    lab.link("proj/node_modules/a", ".pnpm/a@1.0.0/node_modules/a");
    let shim =
        "#!/bin/sh\nbasedir=$(dirname \"$0\")\nexec \"$basedir/node\" \"$basedir/../a/cli.js\" \"$@\"\n";
    lab.executable("proj/node_modules/.bin/a", shim);
    lab.check("npx a", "~npm a@1.0.0");
    lab.write("proj/node_modules/.bin/b.cmd", "@ECHO off\r\n\"%_prog%\"  \"%dp0%\\..\\a\\cli.js\" %*\r\n");
    let found = bin::target(&lab.path("proj/node_modules/.bin/b.cmd"));
    assert!(found.ends_with("a/cli.js"), "{}", found.display());
}

#[test]
fn bunx_and_pnpm_have_folders_of_their_own() {
    let mut lab = Lab::new();
    lab.env.insert("TMPDIR".to_owned(), lab.path("tmp").to_string_lossy().into_owned());
    lab.npm_package("home/.bun/install/cache/.bunx-0/a@latest/node_modules", "a", "1.0.0", "a", "");
    lab.npm_package("home/.bun/install/cache/.bunx-0/a@2.0.0/node_modules", "a", "2.0.0", "a", "");
    lab.npm_package("tmp/bunx-0-@s/b@latest/node_modules", "@s/b", "3.0.0", "b", "");
    lab.check("bunx a", "~npm a@1.0.0");
    lab.check("bunx a@2.0.0", "npm a@2.0.0");
    lab.check("bunx a@3.0.0", "unknown (bunx has not installed a@3.0.0 yet)");
    lab.check("bunx @s/b", "~npm @s/b@3.0.0");
    lab.executable("bin/a", "\0another program of that name");
    lab.check("bunx a", "program LAB/bin/a [linux-x86_64]");
    lab.npm_package("proj/node_modules", "a", "1.1.0", "a", "");
    lab.check("bunx a", "~npm a@1.1.0");
    lab.check("bunx a@latest", "~npm a@1.0.0");

    lab.npm_package("home/.cache/pnpm/dlx/abc/1/node_modules", "a", "7.0.0", "a", "");
    lab.link("home/.cache/pnpm/dlx/abc/pkg", "1");
    lab.check("pnpm dlx a", "~npm a@7.0.0");
    lab.check("pnpm dlx a@7.0.0", "npm a@7.0.0");
    lab.check("pnpm dlx a@8.0.0", "unknown (pnpm has not installed a@8.0.0 yet)");
}

#[test]
fn a_package_is_its_own_files_and_its_dependencies() {
    let lab = Lab::new();
    let modules = install(&lab, "a", "a", "1.0.0");
    let more = r#","dependencies":{"b":"1","@s/c":"1"},"optionalDependencies":{"absent":"1"}"#;
    lab.npm_package(&modules, "b", "1.0.0", "b", "");
    lab.npm_package(&modules, "unrelated", "1.0.0", "u", "");
    lab.npm_package(
        &format!("{modules}/a/node_modules"),
        "@s/c",
        "1.0.0",
        "c",
        r#","dependencies":{"b":"1"}"#,
    );
    lab.write(
        &format!("{modules}/a/package.json"),
        &format!(r#"{{"name":"a","version":"1.0.0","bin":{{"a":"cli.js"}}{more}}}"#),
    );
    let lock = |integrity: &str| {
        format!(
            r#"{{"packages":{{"node_modules/b":{{"version":"1.0.0","integrity":"sha512-{integrity}"}},
            "node_modules/a/node_modules/@s/c":{{"version":"1.0.0","integrity":"sha512-cc"}}}}}}"#
        )
    };
    lab.write(&format!("{modules}/.package-lock.json"), &lock("bb"));
    let (files, dependencies) = lab.digests("npx a");
    let Artifact::Package { dependency_list, .. } = lab.resolve("npx a").artifact else { panic!() };
    let expected = [("@s/c", "1.0.0 sha512-cc"), ("b", "1.0.0 sha512-bb")];
    assert_eq!(dependency_list, expected.map(|(name, version)| (name.to_owned(), version.to_owned())).into());

    #[track_caller]
    fn changed(lab: &Lab, before: &(String, String), expected: (bool, bool)) {
        let after = lab.digests("npx a");
        assert_eq!((after.0 != before.0, after.1 != before.1), expected);
    }
    let before = (files, dependencies);
    lab.write(&format!("{modules}/unrelated/index.js"), "1");
    lab.write(&format!("{modules}/a/.DS_Store"), "1");
    changed(&lab, &before, (false, false));
    lab.write(&format!("{modules}/b/index.js"), "a dependency's file");
    changed(&lab, &before, (false, false));
    lab.write(&format!("{modules}/.package-lock.json"), &lock("other"));
    changed(&lab, &before, (false, true));
    lab.write(&format!("{modules}/.package-lock.json"), &lock("bb"));
    lab.write(&format!("{modules}/a/lib/unlisted.js"), "evil()");
    changed(&lab, &before, (true, false));
    std::fs::remove_dir_all(lab.path(&format!("{modules}/a/lib"))).unwrap();
    changed(&lab, &before, (false, false));
    lab.npm_package(&modules, "b", "1.0.1", "b2", "");
    changed(&lab, &before, (false, true));
}

#[test]
fn native_code_is_kept_per_platform() {
    let lab = Lab::new();
    let modules = install(&lab, "a", "a", "1.0.0");
    lab.check("npx a", "~npm a@1.0.0");
    lab.write(&format!("{modules}/a/build/x.node"), "\0");
    lab.check("npx a", "~npm a@1.0.0 [linux-x86_64]");
    std::fs::remove_dir_all(lab.path(&format!("{modules}/a/build"))).unwrap();
    lab.npm_package(&modules, "b-linux", "1.0.0", "b", r#","os":["linux"]"#);
    lab.write(
        &format!("{modules}/a/package.json"),
        r#"{"name":"a","version":"1.0.0","bin":"cli.js","optionalDependencies":{"b-linux":"1","b-mac":"1"}}"#,
    );
    lab.check("npx a", "~npm a@1.0.0 [linux-x86_64]");
}

#[test]
fn equal_on_two_machines() {
    let digests = || {
        let lab = Lab::new();
        let modules = install(&lab, "a", "a", "1.0.0");
        lab.write(&format!("{modules}/a/lib/x.js"), "1");
        lab.digests("npx a")
    };
    assert_eq!(digests(), digests());
}

#[test]
fn workspaces_share_their_root() {
    let lab = Lab::new();
    lab.write("proj/package.json", r#"{"name":"p","version":"0.0.0","workspaces":["packages/*"]}"#);
    lab.write("proj/packages/one/package.json", r#"{"name":"one","version":"0.0.0"}"#);
    lab.npm_package("proj/node_modules", "a", "1.5.0", "a", "");
    let launch = CommandLaunch { cwd: Some("packages/one".to_owned()), ..launch("npx a@1.5.0") };
    let resolved = resolve(&Launch::Command(launch), &lab.place());
    assert_eq!(resolved.artifact.describe(), "npm a@1.5.0");
}
