//! What an administrator allows Claude Code to load: `allowedMcpServers` and `deniedMcpServers`.
//!
//! A rule names a server, its command line, or its address with `*`. What is denied is denied; with a
//! list of what is allowed, everything else is denied too.

use super::node::Node;
use crate::engine::launchpin::Launch;

/// The rules of `managed-settings.json`.
pub struct Policy {
    allowed: Option<Vec<Rule>>,
    denied: Vec<Rule>,
}

enum Rule {
    Name(String),
    Command(Vec<String>),
    Url(String),
}

impl Policy {
    /// Reads the rules.
    pub fn read(root: Node<'_>) -> Self {
        let rules = |key| -> Option<Vec<Rule>> {
            Some(root.get(key)?.elements()?.into_iter().filter_map(Rule::read).collect())
        };
        Self { allowed: rules("allowedMcpServers"), denied: rules("deniedMcpServers").unwrap_or_default() }
    }

    /// Whether a server may be loaded.
    pub fn allows(&self, name: &str, launch: &Launch) -> bool {
        let any = |rules: &[Rule]| rules.iter().any(|rule| rule.matches(name, launch));
        !any(&self.denied) && self.allowed.as_deref().is_none_or(any)
    }
}

impl Rule {
    fn read(node: Node<'_>) -> Option<Self> {
        if let Some(name) = node.get("serverName").and_then(Node::as_str) {
            return Some(Self::Name(name.to_owned()));
        }
        if let Some(url) = node.get("serverUrl").and_then(Node::as_str) {
            return Some(Self::Url(url.to_owned()));
        }
        let words = node.get("serverCommand")?.elements()?;
        Some(Self::Command(words.into_iter().filter_map(Node::as_str).map(str::to_owned).collect()))
    }

    fn matches(&self, name: &str, launch: &Launch) -> bool {
        match (self, launch) {
            (Self::Name(wanted), _) => wanted == name,
            (Self::Command(words), Launch::Command(launch)) => {
                words.iter().eq(std::iter::once(&launch.command).chain(&launch.args))
            }
            (Self::Url(pattern), Launch::Url(launch)) => glob(pattern, &launch.url),
            (Self::Command(_), Launch::Url(_)) | (Self::Url(_), Launch::Command(_)) => false,
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(end)
}
