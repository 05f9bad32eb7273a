//! Tests of Python: environments as uv, pip and pipx lay them out.

use super::*;

const SITE: &str = "lib/python3.11/site-packages";

/// An environment in uv's cache, as uv makes it.
fn uv_environment(lab: &Lab, id: &str, distributions: &[(&str, &str, &[&str])]) -> String {
    let folder = format!("home/.cache/uv/archive-v0/{id}");
    lab.write(&format!("{folder}/pyvenv.cfg"), "home = /usr/bin\nversion_info = 3.11.7\n");
    for (name, version, requires) in distributions {
        lab.distribution(&format!("{folder}/{SITE}"), name, version, requires);
        lab.executable(&format!("{folder}/bin/{name}"), "#!/bin/sh\n'''exec' python \"$0\"\n");
    }
    lab.link(
        &format!("home/.cache/uv/environments-v2/8b0cbae4892decd7/{id}"),
        &lab.path(&folder).to_string_lossy(),
    );
    format!("{folder}/{SITE}")
}

#[test]
fn uvx_runs_what_its_cache_holds() {
    let lab = Lab::new();
    lab.check("uvx tool", "unknown (uv has not installed tool yet)");
    uv_environment(&lab, "one", &[("tool", "1.0", &["dep"]), ("dep", "1.0", &[])]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    uv_environment(&lab, "two", &[("tool", "2.0", &[])]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    uv_environment(&lab, "more", &[("tool", "2.0", &[]), ("six", "1.0", &[])]);
    lab.check("uvx tool", "~pypi tool@2.0");
    lab.check("uvx tool==1.0", "pypi tool@1.0");
    lab.check("uvx tool@1.0", "pypi tool@1.0");
    lab.check("uvx tool@3.0", "unknown (uv has not installed tool@3.0 yet)");
    lab.check("uvx --from tool>=2 tool", "~pypi tool@2.0");
    lab.check("uvx --from tool nothing", "unknown (uv has not installed tool yet)");
    lab.check("uvx --python 3.11 Tool", "~pypi tool@2.0");
    lab.check("uvx --python 3.12 tool", "unknown (uv has not installed tool yet)");
    lab.check("pipx run tool", "~pypi tool@2.0");
    let names = |line: &str| match lab.resolve(line).artifact {
        Artifact::Package { dependency_list, .. } => dependency_list.into_keys().collect::<Vec<_>>(),
        _ => panic!(),
    };
    assert_eq!(names("uvx tool==2.0"), Vec::<String>::new());
    assert_eq!(names("uvx --with six tool==2.0"), ["six"]);
    assert_eq!(names("uvx tool==1.0"), ["dep"]);
}

#[test]
fn an_installed_tool_comes_before_the_cache() {
    let lab = Lab::new();
    uv_environment(&lab, "one", &[("tool", "2.0", &[])]);
    let folder = "home/.local/share/uv/tools/tool";
    lab.write(&format!("{folder}/pyvenv.cfg"), "version_info = 3.11.7\n");
    lab.distribution(&format!("{folder}/{SITE}"), "tool", "1.0", &[]);
    lab.check("uvx tool", "~pypi tool@1.0");
    lab.check("uvx tool==1.0", "pypi tool@1.0");
    lab.check("uvx tool==2.0", "pypi tool@2.0");
    lab.check("uvx tool@latest", "~pypi tool@2.0");
    // Its launcher in PATH runs the same.
    lab.executable(&format!("{folder}/bin/tool"), &format!("#!{}/bin/python\n", lab.path(folder).display()));
    lab.link("bin/tool", &lab.path(&format!("{folder}/bin/tool")).to_string_lossy());
    lab.check("tool --flag", "pypi tool@1.0");
}

#[test]
fn a_distribution_is_its_own_files_and_its_dependencies() {
    let lab = Lab::new();
    let site = uv_environment(&lab, "one", &[("tool", "1.0", &["dep"]), ("dep", "1.0", &[])]);
    let before = lab.digests("uvx tool");
    #[track_caller]
    fn changed(lab: &Lab, before: &(String, String), expected: (bool, bool)) {
        let after = lab.digests("uvx tool");
        assert_eq!((after.0 != before.0, after.1 != before.1), expected);
    }
    let gone = |path: &str| std::fs::remove_file(lab.path(&format!("{site}/{path}"))).unwrap();
    // What machines write by themselves.
    lab.write(&format!("{site}/tool/__pycache__/new.cpython-312.pyc"), "x");
    lab.write(&format!("{site}/tool-1.0.dist-info/INSTALLER"), "pip");
    lab.write(&format!("{site}/_virtualenv.pth"), "import _virtualenv");
    changed(&lab, &before, (false, false));
    // What nobody listed.
    for path in ["evil.pth", "sitecustomize.py", "tool/extra.py", "dep/extra.py", "json.py", "tool/extra.pyc"]
    {
        lab.write(&format!("{site}/{path}"), "evil");
        changed(&lab, &before, (true, false));
        gone(path);
        changed(&lab, &before, (false, false));
    }
    lab.write(&format!("{site}/tool/__init__.py"), "evil");
    changed(&lab, &before, (true, false));
    gone("tool/__init__.py");
    changed(&lab, &before, (true, false));
    lab.write(&format!("{site}/tool/__init__.py"), "# 1.0\n");
    changed(&lab, &before, (false, false));
    lab.distribution(&site, "extra", "1.0", &[]);
    changed(&lab, &before, (false, true));
}

/// A compiled file with this in its header: the version's number and what is to be compared.
fn compiled(flags: u8) -> Vec<u8> {
    [&[0xa7, 0x0d, 0x0d, 0x0a, flags, 0, 0, 0], &[0; 8][..], b"code"].concat()
}

#[test]
fn compiled_files_that_run_without_their_source_are_code() {
    let lab = Lab::new();
    let isolated = uv_environment(&lab, "one", &[("tool", "1.0", &[])]);
    let shared = project_environment(&lab);
    for (site, line) in [(&isolated, "uvx tool"), (&shared, ".venv/bin/python -m tool")] {
        let before = lab.digests(line).0;
        for (path, flags, expected) in [
            // By time and size, by a digest that is compared, by nothing.
            ("tool/__pycache__/__init__.cpython-312.pyc", 0, false),
            ("tool/__pycache__/__init__.cpython-312.pyc", 3, false),
            ("tool/__pycache__/__init__.cpython-312.pyc", 1, true),
            ("tool/__pycache__/extra.cpython-312.opt-1.pyc", 1, true),
            ("__pycache__/tool.cpython-312.pyc", 1, true),
            // Where no source is, any compiled file runs, and a library comes before a source.
            ("tool/extra.pyc", 0, true),
            ("tool.pyc", 0, true),
            ("tool.cpython-311-x86_64-linux-gnu.so", 0, true),
            ("sitecustomize.pyc", 0, true),
            ("sitecustomize/__init__.py", 0, true),
        ] {
            let file = lab.path(&format!("{site}/{path}"));
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, compiled(flags)).unwrap();
            assert_eq!(lab.digests(line).0 != before, expected, "{line}: {path} {flags}");
            std::fs::remove_file(&file).unwrap();
            assert_eq!(lab.digests(line).0, before, "{line}: {path}");
        }
    }
}

/// The same wheels under another minor version of Python: nothing to ask about.
#[test]
fn equal_under_another_minor_version() {
    let artifacts = ["3.11", "3.12"].map(|version| {
        let lab = Lab::new();
        let folder = "home/.cache/uv/archive-v0/one";
        let site = format!("{folder}/lib/python{version}/site-packages");
        lab.write(&format!("{folder}/pyvenv.cfg"), &format!("version_info = {version}.1\n"));
        lab.executable(&format!("{folder}/bin/tool"), "#!/bin/sh\n'''exec' python \"$0\"\n");
        for (name, requires) in [("tool", &["dep"][..]), ("dep", &[])] {
            lab.distribution(&site, name, "1.0", requires);
            let record = format!("{site}/{name}-1.0.dist-info/RECORD");
            let tag = format!("cpython-{}", version.replace('.', ""));
            let rows = std::fs::read_to_string(lab.path(&record)).unwrap().replace("cpython-311", &tag);
            let more = format!("../../../lib/python{version}/config/{name}.toml,sha256=t,1\n");
            lab.write(&record, &(rows + &more));
            lab.write(&format!("{folder}/lib/python{version}/config/{name}.toml"), "x");
            lab.write(&format!("{site}/{name}/__pycache__/__init__.{tag}.pyc"), "compiled");
        }
        lab.link("home/.cache/uv/environments-v2/8b0cbae4892decd7/one", lab.path(folder).to_str().unwrap());
        let resolved = lab.resolve("uvx tool");
        assert_eq!(resolved.platform, "any");
        resolved.artifact
    });
    assert_eq!(artifacts[0], artifacts[1]);
}

#[test]
fn equal_on_two_machines() {
    let digests = || {
        let lab = Lab::new();
        uv_environment(&lab, "one", &[("tool", "1.0", &["dep"]), ("dep", "1.0", &[])]);
        lab.digests("uvx tool")
    };
    assert_eq!(digests(), digests());
}

#[test]
fn native_wheels_are_kept_per_platform() {
    let lab = Lab::new();
    let site = uv_environment(&lab, "one", &[("tool", "1.0", &["dep"]), ("dep", "1.0", &[])]);
    lab.write(&format!("{site}/dep-1.0.dist-info/WHEEL"), "Tag: cp311-cp311-manylinux_2_17_x86_64\n");
    lab.check("uvx tool", "~pypi tool@1.0 [linux-x86_64]");
}

/// A virtual environment in the project whose interpreter is a symlink out of it.
fn project_environment(lab: &Lab) -> String {
    lab.executable("usr/bin/python3.11", "\0python");
    lab.write("proj/.venv/pyvenv.cfg", "version = 3.11.7\n");
    lab.link("proj/.venv/bin/python", &lab.path("usr/bin/python3.11").to_string_lossy());
    let site = format!("proj/.venv/{SITE}");
    lab.distribution(&site, "tool", "1.0", &["dep[fast]"]);
    lab.distribution(&site, "dep", "1.0", &["speed; extra == 'fast'", "slow; extra == 'slow'"]);
    for name in ["speed", "slow", "unrelated"] {
        lab.distribution(&site, name, "1.0", &[]);
    }
    site
}

#[test]
fn python_runs_modules() {
    let lab = Lab::new();
    project_environment(&lab);
    lab.check(".venv/bin/python -m tool", "pypi tool@1.0");
    let Artifact::Package { dependency_list, .. } = lab.resolve(".venv/bin/python -m tool").artifact else {
        panic!()
    };
    assert_eq!(dependency_list.into_keys().collect::<Vec<_>>(), ["dep", "speed"]);
    lab.check(
        ".venv/bin/python -m nothing",
        "unknown (the module `nothing` is not installed, or is Python's own)",
    );
    // The working folder comes before what is installed.
    lab.write("proj/tool.py", "1");
    lab.check(".venv/bin/python -m tool", "script ${cwd}/tool.py");
    lab.write("proj/tool/__main__.py", "1");
    lab.check(".venv/bin/python -m tool", "script ${cwd}/tool/__main__.py");
}

#[test]
fn uv_runs_the_projects_environment() {
    let lab = Lab::new();
    let site = project_environment(&lab);
    lab.write("proj/pyproject.toml", "");
    lab.write("proj/server.py", "1");
    lab.executable("proj/.venv/bin/tool", "#!/usr/bin/env python\n");
    lab.check("uv run server.py", "script ${cwd}/server.py");
    lab.check("uv run tool", "pypi tool@1.0");
    lab.check("uv run -m tool", "pypi tool@1.0");
    lab.write(&format!("{site}/tool-1.0.dist-info/direct_url.json"), r#"{"dir_info": {"editable": true}}"#);
    lab.check("uv run tool", "unknown (tool is installed as a link to a working folder)");
}
