//! Whose trust store it is: this account's own, or one that an environment brought along.
//!
//! Promises: a store that an entry's variables point to is not obeyed where this person has one.

use super::{Trust, file, load, witness};
use crate::engine::record::Event;
use crate::store::format::StoreError;
use crate::store::log::{self, Log};
use crate::sys::files::{self, Access};
use crate::sys::paths::Paths;
use std::time::{SystemTime, UNIX_EPOCH};

/// Whether a lock may bring its own trust (`--trust-lock`). A repository must not, where this person
/// has a trust store that does not allow it. `account` is [`Paths::account`].
pub fn may_be_brought(account: &Paths) -> Result<bool, StoreError> {
    let own = match load(account)? {
        Some(trust) => Some(trust),
        None => match file::elsewhere(account)? {
            Some(store) => file::load(&store)?,
            None => None,
        },
    };
    Ok(own.is_none_or(|trust| trust.allows_brought))
}

/// Whether the store of these directories is this account's own. One that is not is obeyed only where
/// trust [may be brought](may_be_brought).
///
/// `system` is what the environment says, and an environment can come with a repository: an entry can
/// set `MCPWATCH_HOME`, `HOME` or `XDG_DATA_HOME` for what it starts.
pub fn is_own(system: &Paths, account: &Paths) -> Result<bool, StoreError> {
    let store = system.trust_file();
    Ok(store == account.trust_file() || file::elsewhere(account)?.as_ref() == Some(&store))
}

/// Writes the trust store; the caller holds its guard. One that a variable of the system's own
/// (`XDG_DATA_HOME`) has put elsewhere is noted where the account's would be.
pub(in crate::store) fn save(paths: &Paths, trust: &Trust) -> Result<(), StoreError> {
    let mut trust = trust.clone();
    // The log's end as it is noted; a note that is gone takes nothing from what was known of it.
    trust.logged = log::last_noted_line(paths).or(trust.logged);
    let bytes = file::render(&trust)?;
    if !witness::is_as_written(paths) {
        // The decision makes it ours again, so this is said for good; a full disk keeps nobody from deciding.
        let what = "the trust store was not as mcpwatch wrote it when this was decided".to_owned();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_millis()).unwrap_or_default();
        let _ = Log::of(paths).append(now, &Event::Trouble { what });
    }
    witness::announce(paths, &bytes)?;
    files::write(&paths.trust_file(), &bytes, Access::Private)?;
    witness::confirm(paths, &bytes);
    if let (false, Ok(account)) = (paths.is_moved, Paths::account()) {
        file::note_elsewhere(&account, paths)?;
    }
    Ok(())
}
