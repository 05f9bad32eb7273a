//! What `npx` really runs against what was resolved: the real one, without a registry. Skipped where
//! there is no npm.

use mcpwatch::engine::launchpin::{CommandLaunch, Launch};
use mcpwatch::launch::{Digests, Place, Platform, resolve};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// Writes a package that prints its name and version.
fn package(folder: &Path, name: &str, version: &str) {
    fs::create_dir_all(folder).unwrap();
    let manifest = format!(r#"{{"name":"{name}","version":"{version}","bin":{{"hello":"cli.js"}}}}"#);
    fs::write(folder.join("package.json"), manifest).unwrap();
    let script = format!("#!/usr/bin/env node\nconsole.log('npm {name}@{version}')\n");
    fs::write(folder.join("cli.js"), script).unwrap();
    fs::set_permissions(folder.join("cli.js"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Installs one into a `node_modules`.
fn install(modules: &Path, name: &str, version: &str) {
    package(&modules.join(name), name, version);
    fs::create_dir_all(modules.join(".bin")).unwrap();
    symlink(format!("../{name}/cli.js"), modules.join(".bin/hello")).unwrap();
}

#[test]
fn npx_runs_what_was_resolved() {
    let lab = tempfile::tempdir().unwrap();
    let lab = lab.path().canonicalize().unwrap();
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    env.insert("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
    for (name, value) in [("HOME", "home"), ("npm_config_cache", "cache")] {
        env.insert(name.to_owned(), lab.join(value).to_string_lossy().into_owned());
    }
    for name in ["npm_config_offline", "npm_config_yes"] {
        env.insert(name.to_owned(), "true".to_owned());
    }
    env.insert("npm_config_update_notifier".to_owned(), "false".to_owned());
    if !Command::new("npx").arg("--version").envs(&env).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: npx");
        return;
    }
    for folder in ["home", "empty", "proj/sub"] {
        fs::create_dir_all(lab.join(folder)).unwrap();
    }
    package(&lab.join("pkg"), "@x/hello", "1.2.3");
    install(&lab.join("proj/node_modules"), "hello", "1.5.0");
    install(&lab.join("above/node_modules"), "other", "3.0.0");
    fs::create_dir_all(lab.join("above/deep/er")).unwrap();
    let folder = lab.join("pkg").to_string_lossy().into_owned();
    for (cwd, spec) in [
        ("empty", folder.as_str()),
        ("proj", folder.as_str()),
        ("proj", "hello"),
        ("proj/sub", "hello"),
        ("proj", "hello@1.5.0"),
        ("proj", "hello@^1.0.0"),
        ("above/deep/er", "hello"),
    ] {
        let output =
            Command::new("npx").arg(spec).current_dir(lab.join(cwd)).env_clear().envs(&env).output().unwrap();
        let ran = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert!(ran.starts_with("npm "), "{spec} in {cwd}: {}", String::from_utf8_lossy(&output.stderr));
        let place = Place {
            digests: Digests::default(),
            cwd: lab.join(cwd),
            env: env.clone(),
            home: lab.join("home"),
            platform: Platform::current(),
        };
        let launch =
            CommandLaunch { command: "npx".to_owned(), args: vec![spec.to_owned()], ..Default::default() };
        let resolved = resolve(&Launch::Command(launch), &place);
        assert_eq!(resolved.artifact.describe(), ran, "{spec} in {cwd}");
    }
}
