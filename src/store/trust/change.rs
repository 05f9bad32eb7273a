//! What changes in a trust store; only `decide` calls these.

use super::{Denial, Grant, Subject, Trust, Trusted, Values};
use crate::engine::approval::{Level, Lifetime};
use crate::engine::digest::Digest;
use crate::engine::lockfile::Lockfile;
use crate::engine::surface::ItemKey;
use std::path::Path;

/// How long an approval for one session is kept, in milliseconds: a week.
pub(super) const ONCE_LASTS: u64 = 7 * 24 * 3600 * 1000;

impl Trust {
    pub(in crate::store) fn trust(
        &mut self,
        path: &Path,
        digest: Digest,
        on_disk: Option<Digest>,
        level: Level,
        at: u64,
    ) {
        let replaces = on_disk.filter(|old| *old != digest);
        self.locks.insert(path.to_owned(), Trusted { digest, replaces, at, level });
    }

    /// Takes back the trust in a path.
    pub(in crate::store) fn distrust(&mut self, path: &Path) {
        self.locks.remove(path);
    }

    /// Ends the time in which two contents of a path counted: what is on disk counts. That can be the
    /// old one, when a writer was killed before it got to the lock.
    pub(in crate::store) fn settle(&mut self, path: &Path, on_disk: Option<&Digest>) {
        if let Some(trusted) = self.locks.get_mut(path)
            && let Some(old) = trusted.replaces.take()
            && on_disk == Some(&old)
        {
            trusted.digest = old;
        }
    }

    pub(in crate::store) fn deny(&mut self, denial: Denial) {
        self.lift(&denial.server, &denial.subject, &denial.digest);
        self.grants.retain(|grant| {
            grant.server != denial.server
                || denial.subject != Subject::Item(grant.key.clone())
                || grant.definition.digest != denial.digest
        });
        self.denials.push(denial);
    }

    /// Takes back a refusal of exactly this.
    pub(in crate::store) fn lift(&mut self, server: &str, subject: &Subject, digest: &Digest) {
        self.denials.retain(|denial| !denial.is_of(server, subject) || denial.digest != *digest);
    }

    pub(in crate::store) fn grant(&mut self, grant: Grant) {
        let same = |other: &Grant| {
            other.is_at(&grant.lock, &grant.server)
                && other.key == grant.key
                && other.definition.when == grant.definition.when
        };
        self.grants.retain(|other| !same(other));
        self.grants.push(grant);
    }

    /// Ends the approvals for a time that an approval in the lock replaces.
    pub(in crate::store) fn end_grants(&mut self, path: &Path, server: &str, key: &ItemKey) {
        self.grants.retain(|grant| !grant.is_at(path, server) || grant.key != *key);
    }

    pub(in crate::store) fn set_values(&mut self, path: &Path, server: &str, values: Values) {
        let servers = self.values.entry(path.to_owned()).or_default();
        if values.is_empty() {
            servers.remove(server);
        } else {
            servers.insert(server.to_owned(), values);
        }
        self.values.retain(|_, servers| !servers.is_empty());
    }

    /// Drops what has ended: approvals past their date or session, values of servers that are gone.
    pub(in crate::store) fn prune(&mut self, path: &Path, lockfile: &Lockfile, today: &str, now: u64) {
        self.grants.retain(|grant| match &grant.lifetime {
            Lifetime::Until(_) => grant.lifetime.holds_on(today),
            Lifetime::Once => now.saturating_sub(grant.at) < ONCE_LASTS,
            Lifetime::UntilChange => false,
        });
        if let Some(servers) = self.values.get_mut(path) {
            servers.retain(|server, _| lockfile.servers.contains_key(server));
        }
        self.values.retain(|_, servers| !servers.is_empty());
    }
}
