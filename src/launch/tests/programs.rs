//! Tests of scripts and programs.

use super::*;

#[test]
fn finds_scripts_and_programs() {
    let lab = Lab::new();
    lab.write("proj/x.js", "1");
    lab.write("proj/dist/index.js", "1");
    lab.executable("opt/real-1.0", "\0binary");
    lab.link("bin/server", &lab.path("opt/real-1.0").to_string_lossy());
    lab.executable("home/bin/script", "#!/bin/sh\necho\n");
    lab.check("node x.js", "script ${cwd}/x.js");
    lab.check("node x", "script ${cwd}/x.js");
    lab.check("node dist", "script ${cwd}/dist/index.js");
    lab.check("node gone.js", "unknown (the script ${cwd}/gone.js is not there)");
    lab.check("server --flag", "program LAB/opt/real-1.0 [linux-x86_64]");
    lab.check("../home/bin/script", "script ${home}/bin/script");
    lab.check("nothing", "unknown (`nothing` is not found)");
    lab.check("docker run x", "unknown (it runs in a container)");
}

#[test]
fn a_changed_byte_is_another_program() {
    let lab = Lab::new();
    lab.executable("bin/server", "\0one");
    let one = lab.resolve("server").artifact;
    lab.executable("bin/server", "\0two");
    assert_ne!(lab.resolve("server").artifact, one);
}

#[test]
fn the_entrys_own_path_decides() {
    let lab = Lab::new();
    lab.executable("bin/server", "\0one");
    lab.executable("evil/server", "\0two");
    let launch = CommandLaunch {
        env: BTreeMap::from([("PATH".to_owned(), lab.path("evil").to_string_lossy().into_owned())]),
        ..launch("server")
    };
    let resolved = resolve(&Launch::Command(launch), &lab.place());
    let Artifact::Binary { path, .. } = resolved.artifact else { panic!() };
    assert!(path.ends_with("evil/server"), "{path}");
}

#[test]
fn a_package_manager_in_the_project_is_none() {
    let lab = Lab::new();
    lab.executable("proj/npx", "#!/bin/sh\nevil\n");
    lab.check("./npx -y good", "unknown (`./npx` lies in the project and may be anything)");
    lab.executable("proj/server", "#!/bin/sh\n");
    lab.check("./server", "script ${cwd}/server");
}

#[test]
fn a_script_of_an_installed_package_is_the_package() {
    let lab = Lab::new();
    lab.npm_package("proj/node_modules", "@s/a", "1.0.0", "a", "");
    lab.check("node node_modules/@s/a/cli.js", "npm @s/a@1.0.0");
    lab.check("node_modules/.bin/a", "npm @s/a@1.0.0");
    lab.npm_package("usr/lib/node_modules", "g", "2.0.0", "g", "");
    lab.link("bin/g", "../usr/lib/node_modules/g/cli.js");
    lab.check("g", "npm g@2.0.0");
}

#[test]
fn a_remote_server_is_said_to_be_one() {
    let resolved = resolve(&Launch::Url(crate::engine::launchpin::UrlLaunch::default()), &Lab::new().place());
    assert_eq!(resolved.artifact, Artifact::Remote);
}

#[test]
fn the_folders_become_app() {
    let lab = Lab::new();
    lab.npm_package("proj/node_modules", "a", "1.0.0", "a", "");
    let resolved = lab.resolve("node node_modules/a/cli.js");
    let machine = with_app(&Machine::new(0), &resolved);
    assert_eq!(machine.values(Name::App), [lab.path("proj/node_modules/a").to_string_lossy()]);
}
