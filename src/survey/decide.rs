//! From answers to decisions: which parts of a change can be answered, and what the store is told.
//!
//! Promises: what is approved is what was read for the review, named by its offer; an item counts as
//! approved only when every edit in it was decided, in both views; a script's answers give no trust.

use super::judge::{self, Change, New};
use super::pins::{self, Ask, Draft};
use super::plan::{Plan, Server};
use super::proposals::{self, Placing, Refused};
use super::{Ground, SurveyError, announce, machine, policy, record, values};
use crate::engine::approval::{Level, Lifetime};
use crate::engine::canon;
use crate::engine::diff::ChangeSet;
use crate::engine::digest::{Digest, Tag};
use crate::engine::lockfile::{Condition, Pin, key_of};
use crate::engine::record::Event;
use crate::engine::secret::Known;
use crate::engine::surface::{ItemKey, Surface};
use crate::store::decide::{self, Act, By, Decided, Request};
use crate::store::log::Log;
use crate::store::offers::Offers;
use crate::store::trust::Subject;
use std::collections::BTreeSet;
use std::path::Path;

/// One question of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The launch, and masked values in it.
    Launch,
    /// What the launch runs.
    Artifact,
    /// A decision about what a capable client sees.
    Full(usize),
    /// A decision about what only a client without capabilities sees.
    Empty(usize),
}

/// The questions of a change, the weightiest first.
pub fn parts(change: &Change) -> Vec<Part> {
    let mut parts = Vec::new();
    if !change.launch.is_empty() || !change.values.is_empty() {
        parts.push(Part::Launch);
    }
    if change.artifact.iter().any(judge::asks) {
        parts.push(Part::Artifact);
    }
    parts.extend((0..change.full.decisions.len()).map(Part::Full));
    let empty = change.empty.as_ref().map_or(0, |set| set.decisions.len());
    parts.extend((0..empty).map(Part::Empty));
    parts
}

/// The placeholders that the approval of these parts would put in, and the values that get none.
pub fn proposals(server: &Server, change: &Change, made: &BTreeSet<Part>) -> Result<Placing, SurveyError> {
    let ask = Ask { pinned: server.pin.as_ref(), refused: None };
    let draft = pins::draft_for(&change.shown, ask)?;
    let decided = decided(change, made);
    let within = |key: &ItemKey| decided.contains(&key);
    let withheld = proposals::withheld(&change.shown.full, &change.shown.machine, within);
    Ok(Placing { proposed: proposals::grouped(&draft, within), withheld })
}

/// The questions of a change that can be answered for that long: what is no item has no end.
pub fn parts_for(change: &Change, lifetime: &Lifetime) -> Vec<Part> {
    let mut parts = parts(change);
    parts.retain(|part| !lifetime.ends() || !matches!(part, Part::Launch | Part::Artifact));
    parts
}

/// What the store is told when these parts are approved for that long, without the placeholders that
/// were refused.
pub fn approvals(
    server: &Server,
    change: &Change,
    made: &BTreeSet<Part>,
    refused: &Refused,
    lifetime: &Lifetime,
) -> Result<Vec<Act>, SurveyError> {
    let ask = Ask { pinned: server.pin.as_ref(), refused: Some(refused) };
    let draft = pins::draft_for(&change.shown, ask)?;
    let name = || server.name.clone();
    let mut acts = Vec::new();
    if made.contains(&Part::Launch) {
        let values = values::of(server);
        acts.push(Act::Launch { server: name(), launch: change.shown.launch.clone(), values });
    }
    let all = parts(change).iter().all(|part| made.contains(part));
    if made.contains(&Part::Artifact) || all && !change.artifact.is_empty() {
        for (platform, artifact) in &draft.pin.artifacts {
            acts.push(Act::Artifact {
                server: name(),
                platform: platform.clone(),
                artifact: artifact.clone(),
            });
        }
    }
    for key in decided(change, made) {
        let pinned = pinned_key(server, change, key);
        let drop = Act::Drop { server: name(), key: pinned.clone() };
        let Some(pin) = pinned_anew(server, &draft, key, &pinned) else {
            acts.push(drop);
            continue;
        };
        // Another placeholder in its name makes it another key, and one item is pinned once.
        let renamed = pin.definitions.first().is_some_and(|first| key_of(key, &first.value) != pinned);
        if renamed && server.pin.as_ref().is_some_and(|old| old.items.contains_key(&pinned)) {
            acts.push(drop);
        }
        let (key, offer, lifetime) = (key.clone(), change.offer, lifetime.clone());
        acts.push(Act::Approve { server: name(), key, pin, offer, lifetime });
    }
    if lifetime.ends() {
        // Only what is approved can end; the lock stays as it is.
        acts.retain(|act| matches!(act, Act::Approve { .. }));
        return Ok(acts);
    }
    if all && server.pin.as_ref().is_some_and(|pin| pin.protocol != change.shown.protocol) {
        acts.push(Act::Protocol { server: name(), protocol: change.shown.protocol.clone() });
    }
    Ok(acts)
}

/// What the store is told when these items (all if there are none) are turned down.
pub fn rejections(server: &Server, change: &Change, items: &[String]) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut reject =
        |subject, digest| acts.push(Act::Reject { server: server.name.clone(), subject, digest });
    if items.is_empty() {
        if !change.launch.is_empty() {
            reject(Subject::Launch, decide::launch_digest(&change.shown.launch));
        }
        if change.artifact.iter().any(judge::asks) {
            let digest = decide::artifact_digest(&change.shown.artifact);
            reject(Subject::Artifact(pins::platform()), digest);
        }
    }
    let views = [Some(&change.shown.full), change.shown.empty.as_ref()];
    let sets = [Some(&change.full), change.empty.as_ref()];
    let mut seen = BTreeSet::new();
    for (set, surface) in sets.into_iter().zip(views).filter_map(|(set, surface)| Some((set?, surface?))) {
        for key in set.changes.iter().map(|change| &change.key) {
            let asked = items.is_empty() || items.contains(&key.name);
            if let Some(value) = surface.get(key).filter(|_| asked) {
                let digest = Surface::digest_item(key.kind, value);
                if seen.insert((key.clone(), digest)) {
                    reject(Subject::Item(key.clone()), digest);
                }
            }
        }
    }
    acts
}

/// How many of the changed items this person has turned down already, exactly as they are offered now.
pub fn turned_down(server: &Server, change: &Change, ground: &Ground) -> usize {
    let Some(trust) = &ground.trust else { return 0 };
    let is_denied = |key: &&ItemKey| {
        let offered = change.shown.full.get(key);
        offered.is_some_and(|value| {
            let digest = Surface::digest_item(key.kind, value);
            trust.denial(&server.name, &Subject::Item((*key).clone()), &digest).is_some()
        })
    };
    change.full.changes.iter().map(|change| &change.key).filter(is_denied).count()
}

/// What the store is told when a new server is approved whole, without the placeholders that were refused.
pub fn addition(server: &Server, new: &New, refused: &Refused) -> Result<Act, SurveyError> {
    let draft = match refused.is_empty() {
        true => new.draft.clone()?,
        false => pins::draft_for(&new.shown, Ask { pinned: None, refused: Some(refused) })?,
    };
    let values = values::of(server);
    Ok(Act::Add { server: server.name.clone(), pin: draft.pin, values })
}

/// Tells the store what was decided about one server, and announces it. A person's word, answered at
/// that level, gives trust; a script's (`None`) gives none.
pub fn carry_out(
    plan: &mut Plan,
    lock: usize,
    acts: Vec<Act>,
    answered: Option<Level>,
    secrets: &Known,
    ground: &Ground,
) -> Result<Decided, SurveyError> {
    let by = match answered {
        Some(level) => By::Person { level, floor: policy::floor(&ground.paths)? },
        None => By::Script,
    };
    let path = plan.locks[lock].path.clone();
    let base = plan.locks[lock].loaded.as_ref().map(|loaded| loaded.digest);
    let decided = tell(&path, base, acts, by, secrets, ground)?;
    plan.locks[lock].loaded = crate::store::locks::load(&path)?;
    plan.locks[lock].effective = None;
    Ok(decided)
}

/// Tells the store decisions about one lock; the gates, the desktop and the log what became of them.
pub fn tell(
    path: &Path,
    base: Option<Digest>,
    acts: Vec<Act>,
    by: By,
    secrets: &Known,
    ground: &Ground,
) -> Result<Decided, SurveyError> {
    let now = machine::now();
    let today = jiff::Zoned::now().date().to_string();
    let mut events = record::decisions(&acts, by);
    let request = Request { lock: path, base, acts, by, secrets, now, today: &today };
    let decided = decide::decide(&ground.paths, request);
    match &decided {
        Ok(_) => match record::as_one(&events) {
            Some(all) => announce::tell(path, &all, ground),
            None => events.iter().for_each(|decision| announce::tell(path, decision, ground)),
        },
        Err(error) => events.iter_mut().for_each(|decision| decision.refused = Some(error.to_string())),
    }
    let events: Vec<(u64, Event)> =
        events.into_iter().map(|decision| (now, Event::Decision(decision))).collect();
    let logged = Log::of(&ground.paths).append_all(&events);
    let decided = decided?;
    logged?;
    Ok(decided)
}

/// An offer that somebody reads, for as long as this lives.
pub struct Read {
    offers: Offers,
    offer: Digest,
}

impl Drop for Read {
    fn drop(&mut self) {
        // One that stays marked is kept for a day.
        let _ = self.offers.reviewed(&self.offer);
    }
}

/// Keeps what was seen while somebody reads it: it makes no room for anything until they are done.
pub fn review(change: &Change, ground: &Ground) -> Result<Read, SurveyError> {
    let offer = keep(change, ground)?;
    let offers = Offers::of(&ground.paths);
    offers.review(&offer)?;
    Ok(Read { offers, offer })
}

/// Keeps what was seen, so that an approval can name it.
pub fn keep(change: &Change, ground: &Ground) -> Result<Digest, SurveyError> {
    let bytes = canon::canonical(&judge::offer_value(&change.shown));
    Ok(Offers::of(&ground.paths).put(Tag::Offer, &bytes)?)
}

/// The items that are decided in every view in which they differ.
fn decided<'a>(change: &'a Change, made: &BTreeSet<Part>) -> Vec<&'a ItemKey> {
    let full: BTreeSet<usize> =
        made.iter().filter_map(|part| if let Part::Full(at) = part { Some(*at) } else { None }).collect();
    let empty: BTreeSet<usize> =
        made.iter().filter_map(|part| if let Part::Empty(at) = part { Some(*at) } else { None }).collect();
    let open = |set: Option<&ChangeSet>, made: &BTreeSet<usize>, key: &ItemKey| {
        set.is_some_and(|set| set.change(key).is_some() && !set.decided(made).contains(&key))
    };
    let sets = [Some(&change.full), change.empty.as_ref()];
    let mut keys: Vec<&ItemKey> =
        sets.into_iter().flatten().flat_map(|set| set.changes.iter().map(|change| &change.key)).collect();
    keys.sort();
    keys.dedup();
    let any = made.iter().any(|part| matches!(part, Part::Full(_) | Part::Empty(_)));
    let nothing_asked =
        change.full.decisions.is_empty() && change.empty.as_ref().is_none_or(|set| set.decisions.is_empty());
    if !any && !nothing_asked {
        return Vec::new();
    }
    keys.retain(|key| !open(Some(&change.full), &full, key) && !open(change.empty.as_ref(), &empty, key));
    keys
}

/// The key under which an offered item is pinned: a name can hold a placeholder.
fn pinned_key(server: &Server, change: &Change, key: &ItemKey) -> ItemKey {
    let pinned = server.pin.as_ref().and_then(|pin| pin.key_for(key, &change.shown.machine));
    pinned.unwrap_or(key).clone()
}

/// The new pin of an item, with what is pinned of it for other platforms; `None` if it is gone.
fn pinned_anew(server: &Server, draft: &Draft, key: &ItemKey, pinned: &ItemKey) -> Option<Pin> {
    let mut pin = draft.pin.items.get(key)?.clone();
    let here = pins::platform();
    let old = server.pin.as_ref().and_then(|pin| pin.items.get(pinned));
    for definition in old.into_iter().flat_map(|pin| &pin.definitions) {
        if matches!(&definition.when, Some(Condition::Platform(platform)) if *platform != here) {
            pin.definitions.push(definition.clone());
        }
    }
    Some(pin)
}
