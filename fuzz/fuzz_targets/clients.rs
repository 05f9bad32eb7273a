//! Any bytes as any client's file: reading never panics, and whatever entry is found can be wrapped
//! and unwrapped to the same bytes, or is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcpwatch::discover::{Format, decode, from_file};
use mcpwatch::edit::{self, Wrapper};
use std::path::Path;

/// Names that decide how a file is read.
const NAMES: [&str; 8] = [
    ".claude.json",
    "p/.mcp.json",
    "claude_desktop_config.json",
    ".cursor/mcp.json",
    "User/mcp.json",
    ".codex/config.toml",
    ".gemini/settings.json",
    "zed/settings.json",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let found = from_file(Path::new(NAMES[usize::from(*which) % NAMES.len()]), bytes);
    let Ok(text) = decode(bytes) else { return };
    for entry in &found.entries {
        let format = match entry.client.0.format {
            Format::Json => edit::Format::Json,
            Format::Toml => edit::Format::Toml,
        };
        let client = entry.client.id();
        let wrapper = Wrapper { exe: "/bin/mcpwatch", lock: None, name: "n", client, forward: &[] };
        if entry.wrapped.is_some() {
            continue;
        }
        let Ok(wrapped) = edit::wrap(format, &text.text, &entry.key_path, &wrapper) else { continue };
        let back = edit::unwrap(format, &wrapped, &entry.key_path);
        assert_eq!(back.as_deref(), Ok(text.text.as_str()), "{wrapped}");
    }
});
