//! What a lock approves of one server, as far as this person trusts it.
//!
//! Promises: a lock is obeyed only if this person trusts exactly its bytes, or says `--trust-lock`; what
//! was decided since counts; nothing is approved by the first part alone, which is read so that a server
//! comes up while the other is read from the same bytes.

use super::{BROUGHT, LOCK_CHANGED, LOCK_GONE, LOCK_NOT_TRUSTED, LOCK_UNREADABLE, Loaded, Pins, REVOKED};
use crate::engine::digest::Digest;
use crate::engine::gate::{Approval, Approved};
use crate::engine::launchpin::Launch;
use crate::engine::lockfile::{Lockfile, Part, Pin, ServerPin};
use crate::engine::marks;
use crate::engine::settings::policy::Policy;
use crate::engine::surface::{Era, ItemKey, Kind};
use crate::store::locks::{self, Unread};
use crate::store::trust::{Denied, Moment, Standing, Subject, Trust};
use crate::sys::files;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// What counts beside the lock.
pub struct Seen {
    /// The trust store, if there is one.
    pub trust: Option<Trust>,
    /// The name of this session, if approvals for one may count in it.
    pub session: Option<String>,
    /// What nobody may loosen.
    pub policy: Policy,
}

/// Everything outside this process that an approval is read from, apart from the day.
pub struct Ground {
    lock: Digest,
    standing: Standing,
    trust: Option<Trust>,
    policy: Policy,
}

/// A lock of which the first part was read, and what counts beside it.
pub struct Rest {
    lock: Unread,
    seen: Seen,
}

/// What is approved, and what is left to be read of that.
pub type Found = (Arc<Approved>, Option<Rest>);

impl Pins {
    /// What is approved, and what is left to be read of that; `None` if nobody ever approved this server.
    pub(super) fn approved(&self, seen: Seen, part: Part) -> Result<Option<Found>, &'static str> {
        if !self.may_obey(&seen.policy).unwrap_or(false) {
            return Err(BROUGHT);
        }
        if let Some(approved) = self.unchanged(&seen) {
            return Ok(Some((approved, None)));
        }
        let Some(lock) = self.open(&seen)? else { return Ok(None) };
        // Any other lock is verified as a whole before it counts.
        let part = if lock.standing == Standing::Trusted { part } else { Part::Whole };
        let Some(approved) = self.pinned(&lock, &seen, part)? else {
            let was_revoked = seen.trust.is_some_and(|trust| {
                let denials = trust.denials().iter();
                denials
                    .filter(|denial| denial.server == self.asked.server)
                    .any(|one| one.how == Denied::Revoked)
            });
            return if was_revoked { Err(REVOKED) } else { Ok(None) };
        };
        self.check_launch(&approved.pin, &lock.path)?;
        self.check_values(&approved.pin, seen.trust.as_ref(), &lock.path)?;
        let approved = Arc::new(approved);
        if part == Part::Start {
            return Ok(Some((approved, Some(Rest { lock, seen }))));
        }
        self.remember(&lock, seen, &approved);
        Ok(Some((approved, None)))
    }

    /// Reads the items of what [`Pins::load_start`] read. A lock that says something else there than its
    /// own first part closes the gate.
    pub fn complete(&self, loaded: &mut Loaded) {
        let Some(Rest { lock, seen }) = loaded.rest.take() else { return };
        let Approval::Pinned(start) = &loaded.approval else { return };
        let is_same = |whole: &Approved| {
            let (start, whole) = (&start.pin, &whole.pin);
            start.launch == whole.launch && start.artifacts == whole.artifacts
        };
        loaded.approval = match self.pinned(&lock, &seen, Part::Whole) {
            Ok(Some(whole)) if is_same(&whole) => {
                let whole = Arc::new(whole);
                self.remember(&lock, seen, &whole);
                Approval::Pinned(whole)
            }
            Ok(_) => Approval::Closed(LOCK_UNREADABLE.to_owned()),
            Err(why) => Approval::Closed(why.to_owned()),
        };
    }

    /// What was approved last, if everything it was read from is as it was. Files are looked at far more
    /// often than they change; an approval that ends is read anew.
    fn unchanged(&self, seen: &Seen) -> Option<Arc<Approved>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (ground, approved) = known.as_ref()?;
        let is_lasting = seen.trust.as_ref().is_none_or(|trust| trust.grants().is_empty());
        if !is_lasting || ground.trust != seen.trust || ground.policy != seen.policy {
            return None;
        }
        let (lock, standing) = locks::standing(&self.lock(), seen.trust.as_ref()).ok()??;
        (ground.lock == lock && ground.standing == standing).then(|| Arc::clone(approved))
    }

    fn remember(&self, lock: &Unread, seen: Seen, approved: &Arc<Approved>) {
        let Seen { trust, policy, .. } = seen;
        let ground = Ground { lock: lock.digest, standing: lock.standing, trust, policy };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((ground, Arc::clone(approved)));
    }

    /// The lock, if it may be obeyed.
    fn open(&self, seen: &Seen) -> Result<Option<Unread>, &'static str> {
        let (path, trust) = (self.lock(), seen.trust.as_ref());
        let Some(lock) = locks::look(&path, trust).map_err(|_| LOCK_UNREADABLE)? else {
            let resolved = files::resolve(&path);
            let was_there = trust.is_some_and(|trust| trust.locks().any(|(known, _)| known == resolved));
            return if was_there { Err(LOCK_GONE) } else { Ok(None) };
        };
        match lock.standing {
            Standing::Trusted => Ok(Some(lock)),
            Standing::Changed { .. } | Standing::Never if self.asked.trust_lock => Ok(Some(lock)),
            // A lock that nobody could read is told as that, not as one that somebody might accept.
            _ if lock.server(&self.asked.server, Part::Whole).is_err() => Err(LOCK_UNREADABLE),
            Standing::Changed { .. } => Err(LOCK_CHANGED),
            Standing::Never => Err(LOCK_NOT_TRUSTED),
        }
    }

    /// What the lock pins of the server, with what was decided since.
    fn pinned(&self, lock: &Unread, seen: &Seen, part: Part) -> Result<Option<Approved>, &'static str> {
        let name = &self.asked.server;
        let mut rejected = BTreeSet::new();
        let mut lockfile = Lockfile::default();
        if let Some(pin) = lock.server(name, part).map_err(|_| LOCK_UNREADABLE)? {
            lockfile.servers.insert(name.clone(), pin);
        }
        if let Some(trust) = &seen.trust {
            lockfile = effective(trust, seen.session.as_deref(), &lock.path, lockfile);
            for denial in trust.denials().iter().filter(|denial| denial.server == *name) {
                match &denial.subject {
                    Subject::Item(key) => {
                        rejected.insert((key.clone(), denial.digest));
                    }
                    // A launch or an artifact that is turned down is compared by itself.
                    Subject::Launch | Subject::Artifact(_) => {}
                }
            }
        }
        let Some(mut pin) = lockfile.servers.remove(name) else { return Ok(None) };
        if seen.policy.refuses_open {
            pin.open.clear();
        }
        let unfit = self.unfit(&pin);
        Ok(Some(Approved { pin, rejected, unfit }))
    }

    /// The tools that a client over Streamable HTTP, which we are to a remote server, must leave away
    /// since 2026-07-28: those whose schemas mark parameters in a way that is not allowed.
    fn unfit(&self, pin: &ServerPin) -> BTreeSet<ItemKey> {
        match &self.asked.launch {
            Launch::Url(launch) if !launch.sse && Era::of_protocol(&pin.protocol) == Era::Stateless => {}
            Launch::Url(_) | Launch::Command(_) => return BTreeSet::new(),
        }
        let is_unfit = |pin: &Pin| {
            let schemas = pin.definitions.iter().filter_map(|own| own.value.get("inputSchema"));
            schemas.into_iter().any(|schema| marks::of(schema).is_err())
        };
        let tools = pin.items.iter().filter(|(key, pin)| key.kind == Kind::Tool && is_unfit(pin));
        tools.map(|(key, _)| key.clone()).collect()
    }
}

/// The lock as it counts now, with what was approved for this session or until a date.
fn effective(trust: &Trust, session: Option<&str>, path: &Path, lockfile: Lockfile) -> Lockfile {
    if trust.grants().is_empty() && trust.denials().is_empty() {
        return lockfile;
    }
    let today = jiff::Zoned::now().date().to_string();
    trust.effective(path, lockfile, &Moment { today: &today, session })
}
