//! Hands the linker what keeps a gate small in memory on Linux: the order in which functions stand in
//! the program (`build/gate.ld`), and the compact form of relocations.
//!
//! Promises: an option that this linker or this C library does not take is left out, because a small
//! program is linked with it first, and run where it can be. Without them the program is the same, only
//! more of it is resident. Debug builds and other systems get nothing.
#![allow(clippy::print_stdout, reason = "cargo reads what a build script prints")]

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build/gate.ld");
    if variable("CARGO_CFG_TARGET_OS") != "linux" || variable("PROFILE") != "release" {
        return;
    }
    let order = Path::new(&variable("CARGO_MANIFEST_DIR")).join("build").join("gate.ld");
    for option in [format!("-T{}", order.display()), "-Wl,-z,pack-relative-relocs".to_owned()] {
        if is_taken(&option) {
            println!("cargo:rustc-link-arg-bins={option}");
        }
    }
}

/// Whether a program that was linked with this option comes to be, and runs.
fn is_taken(option: &str) -> bool {
    let folder = variable("OUT_DIR");
    let (source, program) = (Path::new(&folder).join("probe.rs"), Path::new(&folder).join("probe"));
    if std::fs::write(&source, "fn main() {}\n").is_err() {
        return false;
    }
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--target", &variable("TARGET"), "-C", &format!("link-arg={option}"), "-o"]);
    rustc.arg(&program).arg(&source).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.args(["-C", &format!("linker={linker}")]);
    }
    rustc.args(variable("CARGO_ENCODED_RUSTFLAGS").split('\u{1f}').filter(|flag| !flag.is_empty()));
    let is_linked = rustc.status().is_ok_and(|status| status.success());
    let is_for_here = variable("HOST") == variable("TARGET");
    is_linked && (!is_for_here || Command::new(&program).status().is_ok_and(|status| status.success()))
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
