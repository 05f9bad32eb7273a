//! What the system allows one process.

/// How many descriptors this process may have open; `None` where no such limit is known.
#[cfg(unix)]
pub fn descriptors() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit};
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft)
}

/// How many descriptors this process may have open; `None` where no such limit is known.
#[cfg(not(unix))]
pub fn descriptors() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_is_a_limit_where_the_system_has_one() {
        assert_eq!(super::descriptors().is_some_and(|most| most > 8), cfg!(unix));
    }
}
