//! Secrets that a server echoes in its own text: found before a lock is written.

use super::Lockfile;
use crate::engine::json::{Object, Path, Step, Value};
use crate::engine::secret::Known;
use crate::engine::surface::ItemKey;

/// A known secret in what would be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value of {name} at {path}")]
pub struct Echo {
    /// Where in the lock.
    pub path: Path,
    /// The name that the secret was given under; never its value.
    pub name: String,
}

/// The first place where a lock would hold a known secret.
pub fn find_secret(lockfile: &Lockfile, known: &Known) -> Option<Echo> {
    let echo = |path: Path, name: &str| Some(Echo { path, name: name.to_owned() });
    let steps = |keys: &[&str]| Path(keys.iter().map(|key| Step::Key((*key).to_owned())).collect());
    for (name, server) in &lockfile.servers {
        let mut parts = vec![
            (steps(&["servers", name, "launch"]), server.launch.to_value()),
            (steps(&["servers", name]), Value::Object(server.unknown.clone())),
        ];
        for (platform, artifact) in &server.artifacts {
            parts.push((steps(&["servers", name, "artifacts", platform]), artifact.to_value()));
        }
        for (path, value) in parts {
            if let Some((inner, name)) = known.find_in(&value) {
                return echo(join(path, inner), name);
            }
        }
        for (key, pin) in &server.items {
            if let Some(found) = known.find(&key.name) {
                return echo(steps(&["servers", name, key.kind.key()]), found);
            }
            for (index, definition) in pin.definitions.iter().enumerate() {
                if let Some((inner, found)) = known.find_in(&definition.value) {
                    return echo(join(definition_path(name, key, index), inner), found);
                }
            }
        }
    }
    let names: Object = lockfile.servers.keys().map(|name| (name.as_str(), true)).collect();
    let rest = [names.into(), Value::Object(lockfile.unknown.clone())];
    rest.iter().find_map(|value| known.find_in(value)).and_then(|(path, name)| echo(path, name))
}

/// Where the definition of an item stands; the first has no variant's number.
fn definition_path(server: &str, key: &ItemKey, index: usize) -> Path {
    let mut steps =
        vec![Step::Key("servers".into()), Step::Key(server.into()), Step::Key(key.kind.key().into())];
    if !key.kind.is_single() {
        steps.push(Step::Key(key.name.clone()));
    }
    if let Some(index) = index.checked_sub(1) {
        steps.extend([Step::Key("variants".into()), Step::Index(index)]);
    }
    steps.push(Step::Key("definition".into()));
    Path(steps)
}

fn join(mut path: Path, inner: Path) -> Path {
    path.0.extend(inner.0);
    path
}
