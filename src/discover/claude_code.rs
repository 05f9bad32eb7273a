//! Claude Code: `~/.claude.json` (for the user, and for the user in one project), `.mcp.json` of each
//! project, plugins, and the administrator's `managed-mcp.json`, which excludes all others.
//!
//! A server of `.mcp.json` never counts as asked for: who enables one does so by its name, and whoever
//! writes to the repository can give that name another command the day after. Settings, the user's own
//! and a project's `.claude/settings*.json`, can switch off, and are told of.

use super::claude_code_policy::Policy;
use super::client::Spec;
use super::entry::Scope;
use super::node::{Format, Node};
use super::places::{Os, Places, join};
use super::problem::Fault;
use super::reader::{Draft, Fields, Reader};
use super::search::Search;
use super::variables::Syntax;
use std::path::{Path, PathBuf};

/// Claude Code.
pub static CLIENT: Spec = Spec {
    id: "claude-code",
    title: "Claude Code",
    format: Format::Json,
    syntax: Syntax::Braces,
    reads_remote: true,
    hands_on: true,
    project: &[".mcp.json"],
    names: &[".claude.json", "managed-mcp.json", ".claude-plugin/plugin.json"],
    keys: &[&["mcpServers"]],
    find,
    read,
};

/// Which servers of `.mcp.json` one settings file switches on and off.
#[derive(Clone, Default)]
struct Switches {
    all: bool,
    on: Vec<String>,
    off: Vec<String>,
}

fn find(search: &mut Search<'_>) {
    let places = search.places;
    let folder = places.folder_of("CLAUDE_CONFIG_DIR");
    let own = folder.clone().unwrap_or_else(|| places.home(".claude"));
    let user_file = folder.map_or_else(|| places.home(".claude.json"), |folder| folder.join(".claude.json"));

    let managed =
        search.read(Scope::Managed, None, true, managed_folder(places).join("managed-mcp.json"), read);
    let folders = search.folders;
    let mut switches = vec![Switches::default(); folders.len()];
    search.read(Scope::User, None, true, user_file, |reader| {
        read(reader);
        projects(reader, places, folders, &mut switches);
    });
    plugins(search, &own);
    let first = search.found.entries.len();
    search.projects();
    ask(search, first, &own, &switches);

    let exclusive = !managed.is_empty();
    let policy = search.peek(&managed_folder(places).join("managed-settings.json"), Policy::read);
    let kept = if exclusive { managed.len() } else { 0 };
    for (index, entry) in search.found.entries.iter_mut().enumerate() {
        if index >= kept && exclusive {
            entry.disabled = true;
            entry
                .notes
                .push("Claude Code does not load it: the machine's managed-mcp.json excludes it".into());
        } else if policy.as_ref().is_some_and(|policy| !policy.allows(&entry.name, &entry.launch)) {
            entry.disabled = true;
            entry
                .notes
                .push("Claude Code does not load it: the machine's managed-settings.json says so".into());
        }
    }
}

/// Where the administrator's files are.
fn managed_folder(places: &Places) -> PathBuf {
    match places.os {
        Os::Linux => PathBuf::from("/etc/claude-code"),
        Os::MacOs => PathBuf::from("/Library/Application Support/ClaudeCode"),
        Os::Windows => {
            let programs = places.folder_of("ProgramFiles").unwrap_or_else(|| "C:\\Program Files".into());
            programs.join("ClaudeCode")
        }
    }
}

/// Reads the current projects' own servers out of the user's file, and what it enables there.
fn projects(reader: &mut Reader<'_>, places: &Places, folders: &[PathBuf], switches: &mut [Switches]) {
    let Some((node, path)) = reader.descend(&["projects"]) else { return };
    let mut others = 0;
    for project in node.members().unwrap_or_default() {
        let here = folders.iter().position(|folder| places.same(&folder.to_string_lossy(), project.key));
        let servers = || project.node.get("mcpServers").and_then(Node::members).unwrap_or_default();
        let Some(index) = here else {
            others += usize::from(!servers().is_empty());
            continue;
        };
        reader.scope = Scope::Local;
        reader.folder = Some(folders[index].clone());
        reader.servers(&["projects", project.key, "mcpServers"], server);
        switches[index] = Switches::read(project.node);
    }
    if others > 0 {
        reader.remark(node.offset(), &path, Fault::OtherProjects(others));
    }
}

/// Decides which servers of `.mcp.json` are switched off, and notes which are enabled.
fn ask(search: &mut Search<'_>, first: usize, own: &Path, projects: &[Switches]) {
    let everywhere = search.peek(&own.join("settings.json"), Switches::read).unwrap_or_default();
    for (folder, mine) in search.folders.iter().zip(projects) {
        let inside = ["settings.json", "settings.local.json"]
            .map(|name| search.peek(&folder.join(".claude").join(name), Switches::read).unwrap_or_default());
        let here = |folder_of: &Option<PathBuf>| folder_of.as_deref() == Some(folder);
        for entry in search.found.entries[first..].iter_mut().filter(|entry| here(&entry.folder)) {
            let name = &entry.name;
            entry.disabled =
                inside.iter().chain([mine, &everywhere]).any(|switches| switches.off.contains(name));
            let by_user = mine.enable(name) || everywhere.enable(name);
            let words = if by_user {
                "enabled in your settings, by its name; its command is the project's"
            } else {
                "enabled by .claude/settings in the project, which the project may have brought"
            };
            if !entry.disabled && (by_user || inside.iter().any(|switches| switches.enable(name))) {
                entry.notes.push(words.into());
            }
        }
    }
}

/// Reads the servers of the plugins that are installed.
fn plugins(search: &mut Search<'_>, own: &Path) {
    let list = own.join("plugins").join("installed_plugins.json");
    let installed = search.peek(&list, installed).unwrap_or_default();
    let enabled = |name: &str| {
        let state = |root: Node<'_>| root.get("enabledPlugins")?.get(name)?.as_bool();
        search.peek(&own.join("settings.json"), state).flatten().unwrap_or(true)
    };
    let states: Vec<_> = installed.iter().map(|(name, _)| enabled(name)).collect();
    for ((name, home), enabled) in installed.into_iter().zip(states) {
        for file in [home.join(".mcp.json"), join(&home, ".claude-plugin/plugin.json")] {
            for index in search.read(Scope::Plugin(name.clone()), None, true, file, read) {
                if let Some(entry) = search.entry(index) {
                    entry.given.insert("CLAUDE_PLUGIN_ROOT".into(), home.display().to_string());
                    entry.disabled |= !enabled;
                }
            }
        }
    }
}

/// The installed plugins, name and folder: one record each, or a list of them since version 2.
fn installed(root: Node<'_>) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for plugin in root.get("plugins").and_then(Node::members).unwrap_or_default() {
        for record in plugin.node.elements().unwrap_or_else(|| vec![plugin.node]) {
            let home = record.get("installPath").and_then(Node::as_str);
            found.extend(home.map(|home| (plugin.key.to_owned(), PathBuf::from(home))));
        }
    }
    found
}

impl Switches {
    fn read(node: Node<'_>) -> Self {
        let names = |key| -> Vec<String> {
            let names = node.get(key).and_then(Node::elements).unwrap_or_default();
            names.into_iter().filter_map(Node::as_str).map(str::to_owned).collect()
        };
        Self {
            all: node.get("enableAllProjectMcpServers").and_then(Node::as_bool) == Some(true),
            on: names("enabledMcpjsonServers"),
            off: names("disabledMcpjsonServers"),
        }
    }

    fn enable(&self, name: &String) -> bool {
        (self.all || self.on.contains(name)) && !self.off.contains(name)
    }
}

/// Servers stand under `mcpServers`; in `.mcp.json` they may also be the whole file.
fn read(reader: &mut Reader<'_>) {
    if reader.root.get("mcpServers").is_some() {
        let named = reader.scope == Scope::Named;
        reader.servers(&["mcpServers"], if named { any_server } else { server });
    } else if is_flat(reader.root) {
        reader.servers(&[], server);
    }
}

/// Whether some member is a server: the form of `.mcp.json` without `mcpServers`.
pub(super) fn is_flat(root: Node<'_>) -> bool {
    let server = |node: Node<'_>| node.get("command").or(node.get("url")).is_some();
    root.members().is_some_and(|members| members.iter().any(|member| server(member.node)))
}

fn server(fields: &mut Fields<'_, '_>) -> Draft {
    draft(fields, &[("url", false)])
}

/// A server of a file that could be any client's.
fn any_server(fields: &mut Fields<'_, '_>) -> Draft {
    draft(fields, &[("url", false), ("httpUrl", false), ("serverUrl", false)])
}

fn draft(fields: &mut Fields<'_, '_>, urls: &[(&str, bool)]) -> Draft {
    if fields.has("headersHelper") {
        fields.notes.push("its headersHelper is a command that only Claude Code runs".into());
    }
    Draft {
        launch: fields.launch(urls),
        disabled: fields.get("disabled").and_then(Node::as_bool) == Some(true),
        own_fields: fields.present(&["headersHelper", "oauth"]),
        ..Draft::default()
    }
}
