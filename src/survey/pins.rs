//! From what a server showed to its pin: views drawn together, machine-dependent spans replaced.
//!
//! Real servers show other tools to clients that declare capabilities, and about one in twelve writes
//! something of this machine into its text. A pin that knows only one view, or only this machine,
//! would alarm or be blind elsewhere.
//!
//! Promises: an item equal in both views has one definition without a condition; an item of one view
//! only has that view's condition; one that differs has both. A placeholder is put in only where both
//! readings are explained and nobody refused it; a string that reads as it is pinned keeps its pattern.
//! An echoed secret stops everything, with its place. Pure.

use super::proposals::{self, Refused, Withheld};
use super::reading::Shown;
use crate::engine::json::{Path, Value};
use crate::engine::lockfile::{Condition, Definition, Pin, ServerPin};
use crate::engine::placeholder::{self, Found, Machine, Placeholder};
use crate::engine::surface::{ItemKey, Kind, Surface};
use std::collections::BTreeSet;

/// A pin that could be written, and what a person should know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The pin.
    pub pin: ServerPin,
    /// Where placeholders were put in.
    pub placeholders: Vec<(ItemKey, Found)>,
    /// Items that read differently elsewhere without a placeholder explaining it, with the places.
    pub unexplained: Vec<(ItemKey, Vec<Path>)>,
    /// Values of this machine that stand in it and can have no placeholder.
    pub withheld: Vec<Withheld>,
}

/// What a draft stands on beside what was shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// What is pinned of the server.
    pub pinned: Option<&'a ServerPin>,
    /// The placeholders that were refused.
    pub refused: Option<&'a Refused>,
}

/// A server repeats a secret of its launch in text that would be written down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server repeats the value of {name} in {} at {path}", describe(.item))]
pub struct Echo {
    /// What the secret is called in the launch.
    pub name: String,
    /// The item.
    pub item: ItemKey,
    /// The place in it.
    pub path: Path,
}

impl Echo {
    /// What to do next.
    pub fn hint(&self) -> String {
        "It cannot be pinned as it is: tell its author, and give it another secret.".to_owned()
    }
}

/// The pin of everything that was shown, with every placeholder that is proposed.
pub fn draft(shown: &Shown) -> Result<Draft, Echo> {
    draft_for(shown, Ask::default())
}

/// The same over what is pinned already, without what was refused.
pub fn draft_for(shown: &Shown, ask: Ask<'_>) -> Result<Draft, Echo> {
    if let Some(echo) = echo(shown) {
        return Err(echo);
    }
    let mut draft = Draft {
        pin: ServerPin::new(shown.launch.clone(), shown.protocol.clone()),
        placeholders: Vec::new(),
        unexplained: Vec::new(),
        withheld: proposals::withheld(&shown.full, &shown.machine, |_| true),
    };
    draft.pin.artifacts.insert(shown.platform.clone(), shown.artifact.clone());
    let empty = shown.empty.as_ref().unwrap_or(&shown.full);
    let mut keys: Vec<&ItemKey> = shown.full.items().chain(empty.items()).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let definitions = draft.definitions(key, shown.full.get(key), empty.get(key), shown, ask);
        draft.pin.items.insert(key.clone(), Pin { definitions });
    }
    Ok(draft)
}

/// The platform as lockfiles spell it, like `linux-x86_64`.
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The first secret of the launch that the server repeats.
fn echo(shown: &Shown) -> Option<Echo> {
    let surfaces = [Some(&shown.full), shown.empty.as_ref()];
    surfaces.into_iter().flatten().flat_map(Surface::items).find_map(|(key, value)| {
        let in_name = || shown.secrets.find(&key.name).map(|name| (Path::default(), name));
        let (path, name) = shown.secrets.find_in(value).or_else(in_name)?;
        Some(Echo { name: name.to_owned(), item: key.clone(), path })
    })
}

impl Draft {
    fn definitions(
        &mut self,
        key: &ItemKey,
        full: Option<&Value>,
        empty: Option<&Value>,
        shown: &Shown,
        ask: Ask<'_>,
    ) -> Vec<Definition> {
        // A kind of request is seen or not as it happens; which view it was says nothing.
        let conditional = |when| (key.kind != Kind::Request).then_some(when);
        let mut definitions = Vec::new();
        let mut covered = false;
        if let Some(full) = full {
            let second =
                shown.elsewhere.as_ref().and_then(|(surface, there)| Some((surface.get(key)?, there)));
            let second = second.unwrap_or((full, &shown.machine));
            let pattern = self.pattern(key, (full, second), &Condition::FullClient, shown, ask);
            covered = empty.is_some_and(|empty| placeholder::matches(&pattern, empty, &shown.machine));
            let when = if covered { None } else { conditional(Condition::FullClient) };
            definitions.push(Definition::new(key.kind, when, pattern));
        }
        if let Some(empty) = empty.filter(|_| !covered) {
            let second = (empty, &shown.machine);
            let pattern = self.pattern(key, (empty, second), &Condition::EmptyClient, shown, ask);
            definitions.push(Definition::new(key.kind, conditional(Condition::EmptyClient), pattern));
        }
        definitions
    }

    /// The pattern of a definition, given how it reads elsewhere.
    fn pattern(
        &mut self,
        key: &ItemKey,
        (value, (second, there)): (&Value, (&Value, &Machine)),
        view: &Condition,
        shown: &Shown,
        ask: Ask<'_>,
    ) -> Value {
        let machine = &shown.machine;
        let refuses = |placeholder: &Placeholder, text: &str| {
            ask.refused.is_some_and(|refused| refused.has(placeholder, text))
        };
        let mut proposal = placeholder::propose_but(value, second, machine, there, &refuses);
        let pinned = ask.pinned.and_then(|pin| Some(&pin.items[pin.key_for(key, machine)?].definitions));
        let old = pinned.and_then(|definitions| {
            let in_view = definitions.iter().find(|definition| definition.when.as_ref() == Some(view));
            in_view.or_else(|| definitions.iter().find(|definition| definition.when.is_none()))
        });
        let mut pattern = proposal.pattern;
        if let Some(old) = old {
            let mut kept = BTreeSet::new();
            pattern =
                proposals::keep_pinned(&old.value, pattern, value, machine, &Path::default(), &mut kept);
            proposal.found.retain(|found| !kept.contains(&found.path));
            proposal.unexplained.retain(|path| !kept.contains(path));
        }
        self.placeholders.extend(proposal.found.into_iter().map(|found| (key.clone(), found)));
        if !proposal.unexplained.is_empty() {
            self.unexplained.push((key.clone(), proposal.unexplained));
        }
        pattern
    }
}

/// An item in a sentence of ours: its kind, and its name only if that is plain.
pub fn describe(key: &ItemKey) -> String {
    use crate::engine::show;
    if key.kind.is_single() {
        return format!("its {}", key.kind.singular());
    }
    format!("its {} {}", key.kind.singular(), show::name(&key.name))
}

#[cfg(test)]
#[path = "pins_tests.rs"]
mod tests;
