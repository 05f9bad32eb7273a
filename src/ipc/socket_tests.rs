//! What holds of the place where a daemon is found, on every system.

#![allow(clippy::unwrap_used)]

use super::Claim;

#[test]
fn one_daemon_at_a_time() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    assert_eq!(Claim::holder(&folder), None);
    let claim = Claim::take(&folder).unwrap();
    let second = Claim::take(&folder).unwrap_err();
    let own = std::process::id();
    assert_eq!(second.to_string(), format!("a daemon is already running (process {own})"));
    assert_eq!(Claim::holder(&folder), Some(own));
    drop(claim);
    assert_eq!(Claim::holder(&folder), None);
    drop(Claim::take(&folder).unwrap());
}
