//! VS Code, its Insiders and its server: `mcp.json` of the user, of profiles and of workspaces, the
//! older `settings.json`, `.code-workspace` files and dev containers.
//!
//! Servers that extensions contribute stand in no file and are not seen.

use super::client::Spec;
use super::entry::Scope;
use super::node::Format;
use super::places::{Os, join};
use super::reader::{Draft, Fields, Reader};
use super::search::Search;
use super::variables::Syntax;
use std::path::{Path, PathBuf};

/// VS Code.
pub static CLIENT: Spec = Spec {
    id: "vscode",
    title: "VS Code",
    format: Format::Json,
    syntax: Syntax::Editor,
    reads_remote: true,
    hands_on: false,
    project: &[
        ".vscode/mcp.json",
        ".vscode/settings.json",
        ".devcontainer/devcontainer.json",
        ".devcontainer.json",
    ],
    names: &["User/mcp.json", "User/settings.json", ".code-workspace"],
    keys: &[
        &["servers"],
        &["mcp", "servers"],
        &["settings", "mcp", "servers"],
        &["customizations", "vscode", "mcp", "servers"],
    ],
    find,
    read,
};

fn find(search: &mut Search<'_>) {
    for folder in user_folders(search) {
        search.user(folder.join("mcp.json"));
        search.user(folder.join("settings.json"));
        let profiles = folder.join("profiles");
        for name in search.names(&profiles) {
            let file = profiles.join(&name).join("mcp.json");
            search.read(Scope::Profile(name), None, true, file, read);
        }
    }
    search.projects();
    for folder in search.folders {
        for name in search.names(folder) {
            if name.ends_with(".code-workspace") {
                search.read(Scope::Project, Some(folder), false, folder.join(&name), read);
            }
        }
    }
}

/// The `User` folders of every installation.
fn user_folders(search: &Search<'_>) -> Vec<PathBuf> {
    let places = search.places;
    let user = |folder: &Path| join(folder, "User");
    let mut folders: Vec<_> =
        ["Code", "Code - Insiders"].iter().map(|name| user(&places.config(name))).collect();
    if places.os != Os::Windows {
        folders.extend(
            [".vscode-server", ".vscode-server-insiders"].map(|name| user(&places.home(name).join("data"))),
        );
    }
    folders.extend(places.folder_of("VSCODE_PORTABLE").map(|folder| user(&folder.join("user-data"))));
    folders
}

fn read(reader: &mut Reader<'_>) {
    for keys in CLIENT.keys {
        if reader.root.at(keys).is_some() {
            reader.servers(keys, server);
        }
    }
}

fn server(fields: &mut Fields<'_, '_>) -> Draft {
    Draft {
        launch: fields.launch(&[("url", false)]),
        env_file: fields.text("envFile"),
        own_fields: fields.present(&["oauth"]),
        ..Draft::default()
    }
}
