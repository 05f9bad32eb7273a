//! Codex: `[mcp_servers.NAME]` in `config.toml` of the user, its profiles, the machine and each project.
//!
//! Nothing is expanded. Variables are forwarded by name (`env_vars`), and headers can be filled from
//! them (`bearer_token_env_var`, `env_http_headers`). Unknown keys make Codex refuse the whole file.

use super::client::Spec;
use super::entry::{FromEnv, Scope, Target};
use super::node::{Format, Node};
use super::reader::{Draft, Fields, Reader};
use super::search::Search;
use super::variables::Syntax;
use crate::engine::launchpin::Launch;

/// Codex.
pub static CLIENT: Spec = Spec {
    id: "codex",
    title: "Codex",
    format: Format::Toml,
    syntax: Syntax::None,
    reads_remote: true,
    hands_on: false,
    project: &[".codex/config.toml"],
    names: &[],
    keys: &[&["mcp_servers"]],
    find,
    read,
};

fn find(search: &mut Search<'_>) {
    let places = search.places;
    let home = places.folder_of("CODEX_HOME").unwrap_or_else(|| places.home(".codex"));
    let machine = places.machine("codex/config.toml", "codex/config.toml", "OpenAI/Codex/config.toml");
    search.read(Scope::Managed, None, true, machine, read);
    search.user(home.join("config.toml"));
    for name in search.names(&home) {
        if let Some(profile) = name.strip_suffix(".config.toml") {
            search.read(Scope::Profile(profile.to_owned()), None, true, home.join(&name), read);
        }
    }
    let first = search.found.entries.len();
    search.projects();
    let trusted = |root: Node<'_>| -> Vec<String> {
        let projects = root.get("projects").and_then(Node::members).unwrap_or_default();
        let trusted = projects
            .iter()
            .filter(|member| member.node.get("trust_level").and_then(Node::as_str) == Some("trusted"));
        trusted.map(|member| member.key.to_owned()).collect()
    };
    let trusted = search.peek(&home.join("config.toml"), trusted).unwrap_or_default();
    for entry in &mut search.found.entries[first..] {
        let folder = entry.folder.as_deref().map(|folder| folder.display().to_string()).unwrap_or_default();
        if !trusted.iter().any(|path| places.same(path, &folder)) {
            entry.notes.push("Codex does not load it: this folder is not trusted in its config.toml".into());
        }
    }
}

fn read(reader: &mut Reader<'_>) {
    reader.servers(&["mcp_servers"], server);
}

fn server(fields: &mut Fields<'_, '_>) -> Draft {
    let mut draft = Draft {
        launch: fields.launch(&[("url", false)]),
        disabled: fields.flag("enabled") == Some(false),
        own_fields: fields.present(&["oauth", "scopes", "oauth_resource"]),
        ..Draft::default()
    };
    if let Some(Launch::Url(launch)) = &mut draft.launch {
        launch.headers.extend(fields.map("http_headers"));
    }
    if let Some(variable) = fields.text("bearer_token_env_var") {
        Fields::header_from_env(&mut draft, "Authorization", "Bearer ", variable);
    }
    for (header, variable) in fields.map("env_http_headers") {
        Fields::header_from_env(&mut draft, &header, "", variable);
    }
    for element in fields.get("env_vars").and_then(Node::elements).unwrap_or_default() {
        // A record may name another source than Codex's own environment, which we do not have.
        let remote = element.get("source").and_then(Node::as_str).is_some_and(|source| source != "local");
        let name = element.as_str().or_else(|| element.get("name")?.as_str()).filter(|_| !remote);
        draft.from_env.extend(name.map(|name| FromEnv { target: Target::Env, variable: name.to_owned() }));
    }
    draft
}
