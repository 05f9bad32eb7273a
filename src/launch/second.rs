//! The second reading of a server: another home, folder, name and time zone, with package caches kept
//! in place, so that what depends on the machine shows.

use super::{Os, Place};
use crate::engine::placeholder::{Machine, Name};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The account that the second reading pretends to be.
const USER: &str = "mcpwatch-probe";

/// A time zone that nobody's machine is set to by default, and its opposite for those who live there.
const ZONES: [&str; 2] = ["Pacific/Chatham", "America/St_Johns"];

/// A place for the second reading below an empty folder, and the machine it shows a server. The caller
/// makes both folders: the place's `home` and `cwd`.
///
/// The clock is left alone: dates show by their form.
pub fn second_place(place: &Place, machine: &Machine, below: &Path) -> (Place, Machine) {
    let home = below.join(USER);
    let cwd = home.join("elsewhere");
    let zone = if machine.values(Name::Tz).iter().any(|zone| zone == ZONES[0]) { ZONES[1] } else { ZONES[0] };
    let mut env = kept(place);
    for (name, folder) in [("HOME", &home), ("USERPROFILE", &home)] {
        env.insert(name.to_owned(), text(folder));
    }
    for name in ["USER", "LOGNAME", "USERNAME"] {
        env.insert(name.to_owned(), USER.to_owned());
    }
    env.insert("TZ".to_owned(), zone.to_owned());
    env.insert("PWD".to_owned(), text(&cwd));
    let mut other = Machine::new(machine.now())
        .with(Name::Home, text(&home))
        .with(Name::Cwd, text(&cwd))
        .with(Name::User, USER)
        .with(Name::Tz, zone);
    // What a second reading cannot vary, and what a server asks the account database for, is the same
    // on both sides; a span that does not differ is then found only if it is specific enough.
    for name in Name::ALL {
        other = machine.values(name).iter().fold(other, |other, value| other.with(name, value));
    }
    (Place { cwd, env, home: place.home.clone(), platform: place.platform.clone() }, other)
}

/// The environment with the folders of package managers named, since they follow `HOME`.
fn kept(place: &Place) -> BTreeMap<String, String> {
    let mut env = place.env.clone();
    let home = &place.home;
    let windows = place.platform.os == Os::Windows;
    let cache = env.get("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from);
    let data = env.get("XDG_DATA_HOME").map_or_else(|| home.join(".local/share"), PathBuf::from);
    let mut keep = vec![
        ("npm_config_userconfig", home.join(".npmrc")),
        ("BUN_INSTALL", home.join(".bun")),
        ("PNPM_HOME", data.join("pnpm")),
        ("PIPX_HOME", data.join("pipx")),
        ("PYTHONUSERBASE", home.join(".local")),
        ("CARGO_HOME", home.join(".cargo")),
        ("RUSTUP_HOME", home.join(".rustup")),
        ("NVM_DIR", home.join(".nvm")),
        ("VOLTA_HOME", home.join(".volta")),
        ("PYENV_ROOT", home.join(".pyenv")),
        ("DENO_DIR", cache.join("deno")),
        ("UV_PYTHON_INSTALL_DIR", data.join("uv/python")),
        ("PLAYWRIGHT_BROWSERS_PATH", cache.join("ms-playwright")),
    ];
    if !windows {
        keep.push(("npm_config_cache", home.join(".npm")));
        keep.push(("UV_CACHE_DIR", cache.join("uv")));
        keep.push(("UV_TOOL_DIR", data.join("uv/tools")));
    }
    for (name, folder) in keep {
        // A folder that is not there is not anybody's cache; a variable that is set stays.
        let set = env.keys().any(|other| other.eq_ignore_ascii_case(name));
        let always = matches!(name, "npm_config_cache" | "UV_CACHE_DIR" | "UV_TOOL_DIR");
        if !set && (always || folder.exists()) {
            env.insert(name.to_owned(), text(&folder));
        }
    }
    env
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
