//! Decisions applied to a lock and a trust store in memory, and then written in the right order.

use super::{Act, DecideError, Decided, Request, Standing, Subject, artifact_digest, launch_digest};
use crate::engine::approval::{Level, Lifetime};
use crate::engine::digest::Digest;
use crate::engine::lockfile::{self, Lockfile, Pin, ServerPin};
use crate::engine::surface::ItemKey;
use crate::store::locks::{self, Loaded};
use crate::store::offers::Offers;
use crate::store::trust::{Denial, Denied, Grant, Trust, Trusted, save};
use crate::sys::paths::Paths;
use std::path::Path;

/// What is being decided.
pub(super) struct Work<'a> {
    /// The lock, symlinks followed.
    pub path: &'a Path,
    /// The lock as it will be.
    pub lockfile: Lockfile,
    /// The trust store as it will be, and the level of the answer; none for a script.
    pub trust: Option<(Trust, Level)>,
    /// The trust store as it is.
    pub stored: Option<Trust>,
    /// Whether the lock as it is now becomes trusted.
    pub trusts: bool,
    /// The decisions.
    pub request: &'a Request<'a>,
}

impl Work<'_> {
    /// Refuses to add to a lock whose present content this person does not trust: the write would
    /// make all of it trusted. Turning down and trusting are always possible.
    pub(super) fn check_standing(&self, loaded: &Loaded) -> Result<(), DecideError> {
        let Some((trust, _)) = &self.trust else { return Ok(()) };
        let harmless = |act: &Act| matches!(act, Act::Trust { .. } | Act::Reject { .. } | Act::Distrust);
        if self.request.acts.iter().all(harmless) || self.request.acts.first().is_some_and(is_trust) {
            return Ok(());
        }
        match trust.standing(self.path, &loaded.digest) {
            Standing::Trusted => Ok(()),
            Standing::Changed { .. } | Standing::Never => Err(DecideError::Untrusted(self.path.to_owned())),
        }
    }

    pub(super) fn act(&mut self, act: &Act) -> Result<(), DecideError> {
        match act {
            Act::Add { server, pin, values } => {
                let pin = &keyed(pin);
                self.lift_server(server, pin);
                self.set_values(server, values);
                let path = self.path;
                self.change_trust(|trust| {
                    pin.items.keys().for_each(|key| trust.end_grants(path, server, key));
                });
                self.lockfile.servers.insert(server.clone(), pin.clone());
            }
            Act::Remove { server } => {
                self.server(server)?;
                self.lockfile.servers.remove(server);
            }
            Act::Approve { server, key, pin, lifetime: Lifetime::UntilChange, .. } => {
                let key = &pinned_key(key, pin);
                self.server(server)?.items.insert(key.clone(), pin.clone());
                self.lift_item(server, key, pin.definitions.iter().map(|definition| definition.digest));
                let path = self.path;
                self.change_trust(|trust| trust.end_grants(path, server, key));
            }
            Act::Approve { server, key, pin, lifetime, .. } => {
                let key = &pinned_key(key, pin);
                self.server(server)?;
                self.lift_item(server, key, pin.definitions.iter().map(|definition| definition.digest));
                let Some((trust, _)) = &mut self.trust else {
                    return Err(DecideError::NeedsPerson("an approval that ends"));
                };
                for definition in &pin.definitions {
                    trust.grant(Grant {
                        lock: self.path.to_owned(),
                        server: server.clone(),
                        key: key.clone(),
                        definition: definition.clone(),
                        lifetime: lifetime.clone(),
                        session: None,
                        at: self.request.now,
                    });
                }
            }
            Act::Drop { server, key } => {
                let found = self.server(server)?.items.remove(key);
                found.ok_or_else(|| self.no_item(key))?;
            }
            Act::Launch { server, launch, values } => {
                self.server(server)?.launch = launch.clone();
                self.set_values(server, values);
                let digest = launch_digest(launch);
                self.change_trust(|trust| trust.lift(server, &Subject::Launch, &digest));
            }
            Act::Artifact { server, platform, artifact } => {
                let artifacts = &mut self.server(server)?.artifacts;
                if platform == "any" {
                    artifacts.clear();
                } else {
                    artifacts.remove("any");
                }
                artifacts.insert(platform.clone(), artifact.clone());
                let (subject, digest) = (Subject::Artifact(platform.clone()), artifact_digest(artifact));
                self.change_trust(|trust| trust.lift(server, &subject, &digest));
            }
            Act::Protocol { server, protocol } => self.server(server)?.protocol.clone_from(protocol),
            Act::Open { server, kind, open } => {
                let kinds = &mut self.server(server)?.open;
                if *open {
                    kinds.insert(*kind);
                } else {
                    kinds.remove(kind);
                }
            }
            Act::Reject { server, subject, digest } => {
                self.deny(server, subject.clone(), *digest, Denied::Rejected)?;
            }
            Act::Revoke { server, key } => self.revoke(server, key.as_ref())?,
            Act::Trust { values } => {
                if self.trust.is_none() {
                    return Err(DecideError::NeedsPerson("trust"));
                }
                if self.request.base.is_none() {
                    return Err(DecideError::NoLock(self.path.to_owned()));
                }
                self.trusts = true;
                values.iter().for_each(|(server, values)| self.set_values(server, values));
            }
            Act::Distrust => {
                let path = self.path;
                self.change_trust(|trust| trust.distrust(path));
            }
        }
        Ok(())
    }

    /// Writes: the content that will be trusted, the trust in it, the lock, and the end of the old trust.
    pub(super) fn finish(mut self, paths: &Paths, loaded: Option<Loaded>) -> Result<Decided, DecideError> {
        let before = loaded.as_ref().map(|loaded| &loaded.lockfile);
        let changes = before.map_or(!self.lockfile.servers.is_empty(), |before| *before != self.lockfile);
        let bytes = match (&loaded, changes) {
            (Some(loaded), false) => Some(loaded.bytes.clone()),
            (None, false) => None,
            (_, true) => Some(locks::render(self.path, &self.lockfile)?),
        };
        let old = loaded.as_ref().map(|loaded| loaded.digest);
        let digest = bytes.as_deref().map(locks::digest);
        if let Some((trust, level)) = &mut self.trust {
            if let (Some(bytes), Some(digest), true) = (&bytes, digest, changes || self.trusts) {
                Offers::of(paths).put_lock(bytes)?;
                let was = old.filter(|old| trust.standing(self.path, old) == Standing::Trusted);
                trust.trust(self.path, digest, was, *level, self.request.now);
            }
            save_if_changed(paths, self.stored.as_ref(), trust)?;
        }
        if let (Some(bytes), true) = (&bytes, changes)
            && let Err(error) = locks::save(self.path, loaded.as_ref(), bytes)
        {
            self.take_back(paths);
            return Err(error.into());
        }
        if let Some((trust, _)) = &mut self.trust {
            let written = trust.clone();
            trust.settle(self.path, digest.as_ref());
            trust.prune(self.path, &self.lockfile, self.request.today, self.request.now);
            // Failing here leaves both contents trusted, which the next decision ends.
            let _ = save_if_changed(paths, Some(&written), trust);
            if let Some(old) = old {
                release(paths, trust, &old);
            }
        }
        let trust = self.trust.as_ref().map(|(trust, _)| trust).or(self.stored.as_ref());
        let trusted = trust
            .zip(digest)
            .is_some_and(|(trust, digest)| trust.standing(self.path, &digest) == Standing::Trusted);
        Ok(Decided { lock: self.path.to_owned(), digest, written: changes, trusted })
    }

    /// The lock was not written: the trust store goes back to what it was.
    fn take_back(&self, paths: &Paths) {
        if self.trust.is_some()
            && let Some(stored) = &self.stored
        {
            // If this fails too, both contents stay trusted until the next decision.
            let _ = save(paths, stored);
        }
    }

    fn server(&mut self, name: &str) -> Result<&mut ServerPin, DecideError> {
        let missing = || DecideError::NoServer(self.path.to_owned(), name.to_owned());
        self.lockfile.servers.get_mut(name).ok_or_else(missing)
    }

    fn no_item(&self, key: &ItemKey) -> DecideError {
        DecideError::NoItem(self.path.to_owned(), key.clone())
    }

    fn change_trust(&mut self, change: impl FnOnce(&mut Trust)) {
        if let Some((trust, _)) = &mut self.trust {
            change(trust);
        }
    }

    fn set_values(&mut self, server: &str, values: &[(String, String)]) {
        let path = self.path;
        self.change_trust(|trust| {
            let values = trust.keyed_values(values);
            trust.set_values(path, server, values);
        });
    }

    /// Takes back the refusals of exactly these; only a person's approval does.
    fn lift_item(&mut self, server: &str, key: &ItemKey, digests: impl Iterator<Item = Digest>) {
        let subject = Subject::Item(key.clone());
        self.change_trust(|trust| digests.for_each(|digest| trust.lift(server, &subject, &digest)));
    }

    fn lift_server(&mut self, server: &str, pin: &ServerPin) {
        for (key, item) in &pin.items {
            self.lift_item(server, key, item.definitions.iter().map(|definition| definition.digest));
        }
        self.change_trust(|trust| {
            trust.lift(server, &Subject::Launch, &launch_digest(&pin.launch));
            for (platform, artifact) in &pin.artifacts {
                trust.lift(server, &Subject::Artifact(platform.clone()), &artifact_digest(artifact));
            }
        });
    }

    fn deny(
        &mut self,
        server: &str,
        subject: Subject,
        digest: Digest,
        how: Denied,
    ) -> Result<(), DecideError> {
        let at = self.request.now;
        let Some((trust, _)) = &mut self.trust else { return Err(DecideError::NeedsPerson("a refusal")) };
        trust.deny(Denial { server: server.to_owned(), subject, digest, how, at });
        Ok(())
    }

    fn revoke(&mut self, server: &str, key: Option<&ItemKey>) -> Result<(), DecideError> {
        let pin = self.server(server)?;
        let revoked: Vec<_> = match key {
            None => std::mem::take(&mut pin.items).into_iter().collect(),
            Some(key) => pin.items.remove(key).map(|pin| (key.clone(), pin)).into_iter().collect(),
        };
        if let (Some(key), true) = (key, revoked.is_empty()) {
            return Err(self.no_item(key));
        }
        if key.is_none() {
            self.lockfile.servers.remove(server);
        }
        for (key, pin) in revoked {
            for definition in pin.definitions {
                self.deny(server, Subject::Item(key.clone()), definition.digest, Denied::Revoked)?;
            }
        }
        Ok(())
    }
}

/// The key under which an item is pinned.
fn pinned_key(key: &ItemKey, pin: &Pin) -> ItemKey {
    pin.definitions.first().map_or_else(|| key.clone(), |first| lockfile::key_of(key, &first.value))
}

/// A server with its items under the keys of their definitions.
fn keyed(pin: &ServerPin) -> ServerPin {
    let mut keyed = pin.clone();
    keyed.items = pin.items.iter().map(|(key, item)| (pinned_key(key, item), item.clone())).collect();
    keyed
}

fn is_trust(act: &Act) -> bool {
    matches!(act, Act::Trust { .. })
}

/// Lets the copy of a lock go that nobody trusts any more; that this fails only keeps it longer.
pub(super) fn release(paths: &Paths, trust: &Trust, digest: &Digest) {
    let counts = |(_, trusted): (&Path, &Trusted)| {
        trusted.digest == *digest || trusted.replaces.as_ref() == Some(digest)
    };
    if !trust.locks().any(counts) {
        let _ = Offers::of(paths).release(digest);
    }
}

fn save_if_changed(paths: &Paths, stored: Option<&Trust>, trust: &Trust) -> Result<(), DecideError> {
    if stored != Some(trust) {
        save(paths, trust)?;
    }
    Ok(())
}
