//! A reading of the daemon beside what a gate saw and kept: the same server, asked by two.
//!
//! Promises: only a reading that began after the gate saw something says anything about it; a client that
//! declares less than the daemon is compared with a reading that declares nothing either; a gate has a
//! moment to notice by itself before anything is called a split view.

use super::event::{Change, Event, Item, Sighted};
use super::visit::{Ready, Visit, nothing};
use crate::alert::text::{Cause, What};
use crate::connect::{self, Options, Reading, Target};
use crate::engine::launchpin::Launch;
use crate::engine::surface::Surface;
use crate::store::sightings;
use crate::survey::reading::Shown;
use crate::survey::{machine, sighted};
use std::sync::Arc;
use std::time::Duration;

/// How long a gate has to notice by itself what looks like two lists for two readers.
const AGAIN: Duration = Duration::from_secs(2);

/// A reading that is compared with what a gate saw.
#[derive(Clone)]
struct View {
    reading: Arc<Reading>,
    /// What a client without capabilities is shown, where that was looked at.
    empty: Option<Surface>,
    /// When the reading began, in Unix milliseconds.
    began: u64,
    /// Whether a difference is written down.
    tells: bool,
}

impl Visit {
    /// Compares what was read with what a gate saw and kept before that, and tells what waits there. Where
    /// they differ it is looked again a moment later: the gate may just be hearing of it.
    pub(super) async fn compare(&self, ready: &Arc<Ready>, target: &Target, reading: Reading) -> Reading {
        let took = u64::try_from(reading.time_total.as_millis()).unwrap_or(u64::MAX);
        let began = machine::now().saturating_sub(took);
        let reading = Arc::new(reading);
        let mut view = View { reading: Arc::clone(&reading), empty: None, began, tells: false };
        let mut seen = self.gate_view(ready, &view).await;
        if let Some(Some((sighted, true))) = &mut seen
            && sighted.split
        {
            // Its client declares less than we do, and may be shown something else for that alone.
            let options = Options { protocol_hint: Some(reading.era), ..Options::default() };
            let read = connect::read(target, &options, &|_| {}).await;
            sighted.split = read.is_ok();
            view.empty = read.ok().map(|reading| reading.surface);
        }
        if matches!(&seen, Some(Some((sighted, _))) if sighted.split) {
            tokio::time::sleep(AGAIN).await;
            view.tells = true;
            seen = self.gate_view(ready, &view).await;
        }
        if let Some(seen) = seen {
            let seen = seen.map(|(sighted, _)| sighted);
            let _ = self.tell.send(Event::Sighted(self.id.clone(), seen)).await;
        }
        drop(view);
        Arc::unwrap_or_clone(reading)
    }

    /// What a gate saw that waits, if anything does, and whether its client is of another kind than we are;
    /// nothing at all if that cannot be found out.
    async fn gate_view(&self, ready: &Arc<Ready>, view: &View) -> Option<Option<(Sighted, bool)>> {
        let (sight, id) = (Arc::clone(&self.sight), self.id.clone());
        let (ready, view) = (Arc::clone(ready), view.clone());
        let look = move || {
            let looked = sight.get().ok()?;
            let (plan, server, ground) = looked.get(&id)?;
            let (entry, pin) = (server.entry()?, server.pin.as_ref()?);
            let Some(sighted) = sighted::find(plan, server, ground).ok()? else { return Some(None) };
            let shown = ready.shown(ground.pin_of(entry), (*view.reading).clone());
            let mut seen = sighted.compare(&Shown { empty: view.empty, ..shown }, pin);
            if seen.at > view.began {
                // The reading is older: it says nothing about it, and another one follows.
                seen.split.clear();
            }
            if view.tells {
                // A log that cannot be written takes nothing from what is told.
                let _ = sighted.tell(&seen, ground);
            }
            let remote = matches!(ready.launch, Launch::Url(_));
            let split = !seen.split.is_empty();
            Some(Some((Sighted { change: kept(&sighted, remote), split }, sighted.is_of_another_client())))
        };
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }
}

/// What a gate kept, as the daemon tells it.
fn kept(sighted: &sighted::Sighted, remote: bool) -> Change {
    let items = sighted.items().map(|(key, what, digest)| {
        let what = match what {
            sightings::What::New => What::New,
            sightings::What::Changed => What::Changed,
            sightings::What::Removed => What::Removed,
        };
        Item { what, key: key.clone(), digest: digest.unwrap_or_else(nothing) }
    });
    let cause = if remote { Cause::Remote } else { Cause::Unknown };
    Change { offer: sighted.offer(), items: items.collect(), cause, findings: Vec::new() }
}
