//! What cannot be watched from here, and why: listed, never failed.

use crate::engine::launchpin::Launch;
use crate::engine::show;
use crate::ipc::message::OutOfReach;
use std::path::Path;

/// Why a server cannot be started from here, if so.
pub(super) fn why_not(file: &Path, launch: &Launch) -> Option<&'static str> {
    let Launch::Command(launch) = launch else { return None };
    let program = launch.command.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    if matches!(program.as_str(), "wsl" | "wsl.exe") {
        return Some("it runs inside WSL: run mcpwatch there");
    }
    if is_windows_drive(file) {
        return Some("it is configured for Windows: run mcpwatch there");
    }
    None
}

/// A server that is out of reach, for `status`.
pub(super) fn told(name: &str, why: &str) -> OutOfReach {
    OutOfReach { what: show::name(name), why: why.to_owned() }
}

/// The development containers of a folder, whose servers run inside.
pub(super) fn containers(folder: &Path) -> Option<OutOfReach> {
    let file = folder.join(".devcontainer/devcontainer.json");
    let bare = folder.join(".devcontainer.json");
    let file = [file, bare].into_iter().find(|file| file.is_file())?;
    let why = "servers of a development container run inside it: run mcpwatch there".to_owned();
    Some(OutOfReach { what: show::line(&file.to_string_lossy(), 200), why })
}

/// Whether a path lies on a drive of Windows, as WSL mounts them.
fn is_windows_drive(file: &Path) -> bool {
    let mut parts = file.iter().map(|part| part.to_string_lossy());
    let starts = [parts.next(), parts.next()];
    let drive = parts.next().is_some_and(|drive| drive.len() == 1);
    drive && starts[0].as_deref() == Some("/") && starts[1].as_deref() == Some("mnt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::launchpin::CommandLaunch;

    #[test]
    #[cfg_attr(windows, ignore = "a drive below /mnt is one for whoever runs on Linux")]
    fn what_is_out_of_reach() {
        let wsl = "it runs inside WSL: run mcpwatch there";
        let windows = "it is configured for Windows: run mcpwatch there";
        let table = [
            ("/home/ada/.claude.json", "npx", None),
            ("/mnt/c/Users/Ada/.cursor/mcp.json", "npx", Some(windows)),
            ("/mnt/data/mcp.json", "npx", None),
            ("/home/ada/mnt/c/mcp.json", "npx", None),
            ("C:\\Users\\Ada\\mcp.json", "C:\\Windows\\System32\\WSL.exe", Some(wsl)),
            ("/home/ada/.claude.json", "wsl", Some(wsl)),
        ];
        for (file, command, expected) in table {
            let launch =
                Launch::Command(CommandLaunch { command: command.to_owned(), ..CommandLaunch::default() });
            assert_eq!(why_not(Path::new(file), &launch), expected, "{file} {command}");
        }
    }
}
