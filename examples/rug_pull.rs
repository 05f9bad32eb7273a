//! A rug pull, start to end, on a machine without any MCP client: `cargo run --example rug_pull`.
//!
//! Pins a small server, checks it, lets it change a tool's description, and checks again. Everything
//! happens in a temporary folder through mcpwatch's own commands, which are printed before they run.
//! Started with `serve FILE` this same program is the server (see `rug_pull_server.rs`).

#![allow(clippy::print_stdout)]

use mcpwatch::cli::{self, exit::Exit};
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

#[allow(dead_code)]
#[path = "rug_pull_server.rs"]
mod server;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("serve") => {
            server::main();
            Ok(())
        }
        Some("show") => show(&std::env::current_dir()?),
        _ => {
            // Everything of mcpwatch's own stays in the temporary folder too: a process of its own,
            // because a process cannot safely change its own environment.
            let folder = tempfile::tempdir()?;
            let folder = folder.path().canonicalize()?;
            let mut show = Command::new(std::env::current_exe()?);
            show.arg("show").current_dir(&folder).env("MCPWATCH_HOME", folder.join("mcpwatch")).status()?;
            Ok(())
        }
    }
}

/// Shows a rug pull in this empty folder.
fn show(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let entry = serde_json::json!({
        "mcpServers": { "notes": { "command": std::env::current_exe()?, "args": ["serve", folder.join("pulled")] } }
    });
    std::fs::write("client.json", serde_json::to_string_pretty(&entry)?)?;

    println!("A client's configuration, client.json, starts one server, `notes`. Pin what it shows:\n");
    mcpwatch(folder, &["init", "--yes"]);
    println!("\nNothing has changed, so checking it is quiet:\n");
    mcpwatch(folder, &["check"]);
    println!("\nNow the server's author pulls the rug: same command, same version, new words.\n");
    std::fs::write("pulled", "")?;
    mcpwatch(folder, &["check"]);
    Ok(())
}

/// Prints a command, runs it on the example's own files, prints its exit code.
fn mcpwatch(folder: &Path, args: &[&str]) -> Exit {
    println!("$ mcpwatch {} --config client.json --lock mcp.lock", args.join(" "));
    let mut words: Vec<OsString> = vec!["mcpwatch".into()];
    words.extend(args.iter().map(OsString::from));
    words.extend(["--config".into(), folder.join("client.json").into()]);
    words.extend(["--lock".into(), folder.join("mcp.lock").into()]);
    let exit = cli::main(words);
    println!("(exit code {})", exit.code());
    exit
}
