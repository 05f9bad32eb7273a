//! Masked values of launches, as they are compared under this machine's key.
//!
//! A client's file says some values as they are (`"TOKEN": "abc"`) and lets the client fill in others
//! (`"${TOKEN}"`). `check` and the daemon read the file and compare both kinds as written. The gate sees
//! what the client started, so it compares the first kind alone: what was filled in may change from one
//! day to the next, and that is no change of the launch.
//!
//! Promises: a value that a client may fill in is never compared in the gate, and where several clients
//! start one server, each one's own value counts. Keeps no value: the trust store holds keyed digests.

use super::plan::Server;
use crate::engine::launchpin::{self, Launch};
use crate::store::decide::RawValues;
use crate::store::trust::{Trust, Values};
use std::collections::BTreeSet;

/// What the places of values begin with that every client hands on as they are written.
const STARTED: &str = "started:";

/// What stands in the way of being sure that a client hands a value on as it is.
const FILLED_IN: [char; 4] = ['$', '%', '`', '{'];

/// The masked values of a server's launches: as written in the entry that stands for it, and as started
/// in all of them.
pub fn of(server: &Server) -> RawValues {
    let mut values = server.entry().map(|entry| launchpin::masked_values(&entry.launch)).unwrap_or_default();
    let mut known = BTreeSet::new();
    for (index, entry) in server.entries.iter().enumerate() {
        for (place, value) in handed_on(&entry.launch) {
            if known.insert((place.clone(), value.clone())) {
                values.push((format!("{STARTED}{place}#{index}"), value));
            }
        }
    }
    values
}

/// The places whose values are others than when they were approved on this machine.
pub fn changed(server: &Server, trust: &Trust, approved: &Values) -> Vec<String> {
    let mut changed: BTreeSet<String> = BTreeSet::new();
    if let Some(entry) = server.entry() {
        let now = trust.keyed_values(&launchpin::masked_values(&entry.launch));
        changed.extend(
            now.into_iter()
                .filter(|(place, value)| approved.get(place) != Some(value))
                .map(|(place, _)| place),
        );
    }
    for entry in &server.entries {
        changed.extend(differing(&handed_on(&entry.launch), trust, approved));
    }
    changed.into_iter().collect()
}

/// The places of a launch that was started whose values are none of those that were approved. Places of
/// which no value is known are not compared.
pub fn started_otherwise(launch: &Launch, trust: &Trust, approved: &Values) -> Vec<String> {
    differing(&launchpin::masked_values(launch), trust, approved)
}

fn differing(values: &RawValues, trust: &Trust, approved: &Values) -> Vec<String> {
    let differs = |(place, value): &&(String, String)| {
        let start = format!("{STARTED}{place}#");
        let mut own =
            approved.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start)).peekable();
        own.peek().is_some()
            && !own.any(|(key, digest)| {
                trust.keyed_values(&[(key.clone(), value.clone())]).get(key) == Some(digest)
            })
    };
    values.iter().filter(differs).map(|(place, _)| place.clone()).collect()
}

/// The masked values that a client hands on as they are written.
fn handed_on(launch: &Launch) -> RawValues {
    let mut values = launchpin::masked_values(launch);
    values.retain(|(_, value)| !value.contains(FILLED_IN) && !value.starts_with('~'));
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::launchpin::CommandLaunch;

    fn launch(args: &[&str], env: &[(&str, &str)]) -> Launch {
        Launch::Command(CommandLaunch {
            command: "server".to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            cwd: None,
        })
    }

    #[test]
    fn what_a_client_hands_on_is_compared_and_what_it_fills_in_is_not() {
        let trust = Trust::with_key([7; 32]);
        let written = [
            launch(&["--token=abc-123-def"], &[("MODE", "one"), ("KEY", "${env:KEY}")]),
            launch(&["--token=ghi-456-jkl"], &[("MODE", "one"), ("KEY", "${env:KEY}")]),
        ];
        let mut raw = RawValues::new();
        for (index, launch) in written.iter().enumerate() {
            raw.extend(
                handed_on(launch)
                    .into_iter()
                    .map(|(place, value)| (format!("{STARTED}{place}#{index}"), value)),
            );
        }
        let approved = trust.keyed_values(&raw);
        let check = |args: &[&str], env: &[(&str, &str)], expected: &[&str]| {
            assert_eq!(
                started_otherwise(&launch(args, env), &trust, &approved),
                expected,
                "{args:?} {env:?}"
            );
        };
        let env = [("MODE", "one"), ("KEY", "whatever it is today")];
        check(&["--token=abc-123-def"], &env, &[]);
        check(&["--token=ghi-456-jkl"], &env, &[]);
        check(&["--token=xyz-789-xyz"], &env, &["args[0]"]);
        check(&["--token=abc-123-def"], &[("MODE", "two"), ("KEY", "x")], &["env.MODE"]);
        // Places that nothing is known of: an older trust store.
        assert!(started_otherwise(&written[0], &trust, &Values::new()).is_empty());
    }
}
