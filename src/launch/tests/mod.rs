//! Tests of what a launch runs, over folders made as the package managers make them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod commands;
#[cfg(unix)]
mod environments;
#[cfg(unix)]
mod packages;
#[cfg(unix)]
mod programs;

use super::*;
use std::fs;

/// A folder of a test's own, with a home and a project in it. Its users need symlinks.
#[cfg_attr(windows, allow(dead_code))]
struct Lab {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

#[cfg_attr(windows, allow(dead_code))]
impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lab = Self { folder, env: BTreeMap::new() };
        for folder in ["home", "proj", "bin"] {
            fs::create_dir(lab.path(folder)).unwrap();
        }
        for tool in ["npx", "npm", "bunx", "bun", "pnpm", "uvx", "uv", "pipx", "node", "deno"] {
            lab.executable(&format!("bin/{tool}"), "\0a binary");
        }
        lab
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn executable(&self, path: &str, text: &str) {
        self.write(path, text);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    #[cfg(unix)]
    fn link(&self, path: &str, target: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// A package of npm's kind, with a `.bin` link as npm makes it.
    #[cfg(unix)]
    fn npm_package(&self, modules: &str, name: &str, version: &str, bin: &str, more: &str) {
        let text = format!(r#"{{"name":"{name}","version":"{version}","bin":{{"{bin}":"cli.js"}}{more}}}"#);
        self.write(&format!("{modules}/{name}/package.json"), &text);
        self.executable(&format!("{modules}/{name}/cli.js"), &format!("#!/usr/bin/env node\n// {version}\n"));
        self.link(&format!("{modules}/.bin/{bin}"), &format!("../{name}/cli.js"));
    }

    /// An installed distribution with one module.
    fn distribution(&self, site: &str, name: &str, version: &str, requires: &[&str]) {
        let info = format!("{name}-{version}.dist-info");
        let requires: String = requires.iter().map(|name| format!("Requires-Dist: {name}\n")).collect();
        self.write(
            &format!("{site}/{info}/METADATA"),
            &format!("Name: {name}\nVersion: {version}\n{requires}\nText"),
        );
        self.write(
            &format!("{site}/{info}/WHEEL"),
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        );
        self.write(
            &format!("{site}/{info}/entry_points.txt"),
            &format!("[console_scripts]\n{name} = {name}:main\n"),
        );
        self.write(&format!("{site}/{name}/__init__.py"), &format!("# {version}\n"));
        self.write(&format!("{site}/{name}/__pycache__/__init__.cpython-311.pyc"), "compiled");
        let rows = format!(
            "../../../bin/{name},sha256=x{},1\n{info}/METADATA,sha256=m{version},1\n{info}/RECORD,,\n{info}/WHEEL,sha256=w,1\n\
             {info}/INSTALLER,sha256=i,1\n{info}/entry_points.txt,sha256=e,1\n{name}/__init__.py,sha256=c{version},1\n\
             {name}/__pycache__/__init__.cpython-311.pyc,,\n",
            self.folder.path().display()
        );
        self.write(&format!("{site}/{info}/RECORD"), &rows);
    }

    fn place(&self) -> Place {
        let mut env = self.env.clone();
        env.insert("PATH".to_owned(), self.path("bin").to_string_lossy().into_owned());
        env.insert("HOME".to_owned(), self.path("home").to_string_lossy().into_owned());
        let platform = Platform { os: Os::Linux, arch: "x86_64".to_owned() };
        Place { cwd: self.path("proj"), env, home: self.path("home"), platform, digests: Digests::default() }
    }

    fn resolve(&self, line: &str) -> Resolved {
        resolve(&Launch::Command(launch(line)), &self.place())
    }

    /// The artifact as a person reads it, `~` if the spec floats, the platform where it is native.
    #[track_caller]
    fn check(&self, line: &str, expected: &str) {
        let resolved = self.resolve(line);
        let floating = matches!(resolved.artifact, Artifact::Package { floating: true, .. });
        let mut found = resolved.artifact.describe();
        if let Artifact::Script { path, .. } | Artifact::Binary { path, .. } = &resolved.artifact {
            found = format!("{} {path}", found.split(' ').nth(1).unwrap());
        }
        if floating {
            found.insert(0, '~');
        }
        if resolved.platform != ANY_PLATFORM {
            found.push_str(&format!(" [{}]", resolved.platform));
        }
        assert_eq!(found.replace(&*self.path("").to_string_lossy(), "LAB/"), expected, "{line}");
    }

    /// The digests of a package's files and of its dependencies.
    #[track_caller]
    fn digests(&self, line: &str) -> (String, String) {
        match self.resolve(line).artifact {
            Artifact::Package { files, dependencies, .. } => (files.to_string(), dependencies.to_string()),
            other => panic!("{line}: {}", other.describe()),
        }
    }
}

fn launch(line: &str) -> CommandLaunch {
    let mut words = line.split(' ').map(str::to_owned);
    CommandLaunch { command: words.next().unwrap(), args: words.collect(), ..CommandLaunch::default() }
}
