//! Hands the linker what makes a gate start quickly and keeps it small in memory on Linux: the order in
//! which functions stand in the program (`build/gate.ld`), the compact form of relocations, and the
//! compiler's support library as a part of the program, so that the system loads one library less.
//!
//! Promises: an option that this linker or this C library does not take is left out, because a small
//! program is linked with it first, and run where it can be. Without them the program is the same, only
//! more of it is resident and it starts later. Debug builds and other systems get nothing.
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
        if is_taken(&["-C", &format!("link-arg={option}")]) {
            println!("cargo:rustc-link-arg-bins={option}");
        }
    }
    let support = support_library().filter(|folder| is_taken(&["-L", folder, "-l", SUPPORT]));
    if let Some(folder) = support {
        println!("cargo:rustc-link-search=native={folder}");
        println!("cargo:rustc-link-lib={SUPPORT}");
    }
}

/// How the support library is linked: into the program, and not into our library as well.
const SUPPORT: &str = "static:-bundle=gcc_eh";

/// The folder of the C compiler in which its support library lies.
fn support_library() -> Option<String> {
    let name = "-print-file-name=libgcc_eh.a";
    let compiler = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let told = Command::new(compiler).arg(name).output().ok()?;
    // A compiler that has none answers with the name alone.
    let file = String::from_utf8(told.stdout).ok().filter(|file| Path::new(file.trim()).is_absolute())?;
    Some(Path::new(file.trim()).parent()?.to_str()?.to_owned())
}

/// Whether a program that was linked with these options comes to be, and runs.
fn is_taken(options: &[&str]) -> bool {
    let folder = variable("OUT_DIR");
    let (source, program) = (Path::new(&folder).join("probe.rs"), Path::new(&folder).join("probe"));
    if std::fs::write(&source, "fn main() {}\n").is_err() {
        return false;
    }
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--target", &variable("TARGET")]).args(options).arg("-o");
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
