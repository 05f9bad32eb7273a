//! The loop: hears, steps, has it done. The only part of the daemon that touches the machine's clock,
//! sockets and processes.

use super::effects::{Hands, Inside};
use super::event::{Event, Now, Ticket};
use super::memory::Memory;
use super::state::State;
use crate::alert::pace::Rules;
use crate::engine::record;
use crate::ipc::IpcError;
use crate::ipc::server::{Incoming, serve};
use crate::ipc::socket::{Claim, Listener};
use crate::store::log::Log;
use crate::sys::files as disk;
use crate::sys::limits;
use crate::sys::paths::{Paths, PathsError};
use crate::sys::process;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

/// The largest memory that is read.
const MEMORY_LIMIT: u64 = 4 << 20;

/// The longest sleep: a machine that slept is noticed at the next waking.
const LONGEST: u64 = 5 * 60_000;

/// The wall clock and the steady one may part by this much before it counts as a jump.
const JUMP: u64 = 30_000;

/// How long the end may take.
const FAREWELL: Duration = Duration::from_millis(1500);

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Our directories cannot be told.
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// Another daemon runs, or the socket cannot be used.
    #[error(transparent)]
    Ipc(#[from] IpcError),
}

impl DaemonError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            DaemonError::Paths(error) => error.hint(),
            DaemonError::Ipc(error) => error.hint(),
        }
    }
}

/// The two clocks.
struct Clock {
    start: Instant,
    /// The wall clock less the steady one, when last compared.
    apart: i128,
}

/// Runs until `end` comes. `ready` is called once peers can connect.
pub async fn run(end: impl Future<Output = ()>, ready: impl FnOnce()) -> Result<(), DaemonError> {
    let paths = Paths::system()?;
    let claim = Claim::take(&paths.runtime)?;
    let listener = Listener::bind(&paths.runtime)?;
    let mut clock = Clock::new();
    let (incoming, mut asked) = mpsc::channel(64);
    let serving = tokio::spawn(serve(listener, clock.now().wall, incoming));
    let memory_file = paths.state.join("daemon.json");
    let memory = disk::read_private(&memory_file, MEMORY_LIMIT).ok().flatten();
    let memory = memory.map_or_else(Memory::default, |text| Memory::parse(&text));
    let mut state = State::new(Rules::default(), memory);
    state.set_room(room(limits::descriptors()));
    let (mut hands, mut inside) = Hands::new(Log::of(&paths), paths, memory_file);
    hands.log(clock.now().wall, started("started"));
    for effect in state.start() {
        hands.perform(effect, clock.now(), &state);
    }
    ready();
    tokio::pin!(end);
    loop {
        let due = state.due().map_or(LONGEST, |due| due.saturating_sub(clock.now().steady).min(LONGEST));
        let wake = tokio::time::Instant::now() + Duration::from_millis(due);
        let event = tokio::select! {
            () = &mut end => Event::Stop,
            Some(incoming) = asked.recv() => match hands.take(incoming) {
                Some(event) => event,
                None => continue,
            },
            Some(inside) = inside.recv() => match hands.settle(inside, &mut state) {
                Some(event) => event,
                None => continue,
            },
            () = sleep_until(wake) => Event::Due,
        };
        let mut events = vec![event];
        if clock.jumped() {
            events.push(Event::Woke);
        }
        let mut stop = false;
        for event in events {
            for effect in state.step(clock.now(), event) {
                stop |= hands.perform(effect, clock.now(), &state);
            }
        }
        if stop {
            break;
        }
    }
    serving.abort();
    hands.log(clock.now().wall, started("stopped"));
    hands.end();
    // Sessions say goodbye by themselves; whoever is slow is ended with its whole group.
    let _ = timeout(FAREWELL, process::end_all()).await;
    hands.flush();
    drop(claim);
    Ok(())
}

/// How many servers may stay connected: each takes this many descriptors, and others are needed for gates,
/// commands, files, and servers that are read in turn.
fn room(descriptors: Option<u64>) -> usize {
    const EACH: u64 = 4;
    const OTHERS: u64 = 96;
    const LEAST: u64 = 8;
    let room = descriptors.map(|most| (most.saturating_sub(OTHERS) / EACH).max(LEAST));
    room.and_then(|room| usize::try_from(room).ok()).unwrap_or(usize::MAX)
}

fn started(what: &str) -> record::Event {
    record::Event::Daemon { what: what.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

impl Clock {
    fn new() -> Self {
        let mut clock = Self { start: Instant::now(), apart: 0 };
        clock.apart = clock.difference();
        clock
    }

    fn now(&self) -> Now {
        let local = jiff::Zoned::now();
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        Now {
            steady: u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
            wall: wall(),
            minute: u16::try_from(minute).unwrap_or_default(),
        }
    }

    /// Whether the clocks parted since the last time: somebody set one, or the machine slept.
    fn jumped(&mut self) -> bool {
        let apart = self.difference();
        let jumped = (apart - self.apart).unsigned_abs() > u128::from(JUMP);
        self.apart = apart;
        jumped
    }

    fn difference(&self) -> i128 {
        i128::from(wall()) - i128::try_from(self.start.elapsed().as_millis()).unwrap_or(i128::MAX)
    }
}

fn wall() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Hands {
    /// What a peer's news are to the loop.
    fn take(&mut self, incoming: Incoming) -> Option<Event> {
        Some(match incoming {
            Incoming::Opened(peer) => {
                let id = peer.id;
                self.outboxes.insert(id, peer.outbox);
                Event::Opened(id)
            }
            Incoming::Asked { peer, request, answer } => {
                let ticket: Ticket = self.next_ticket;
                self.next_ticket += 1;
                self.tickets.insert(ticket, answer);
                Event::Asked(peer, ticket, request)
            }
            Incoming::Closed(peer) => {
                self.outboxes.remove(&peer);
                Event::Closed(peer)
            }
        })
    }

    /// What our own tasks' news are to the loop.
    fn settle(&mut self, inside: Inside, state: &mut State) -> Option<Event> {
        match inside {
            Inside::Event(Event::Ended(id, number, why)) => {
                // One that was replaced meanwhile is no news.
                self.sessions.get(&id).filter(|session| session.number == number)?;
                self.sessions.remove(&id);
                Some(Event::Ended(id, number, why))
            }
            Inside::Event(event) => Some(event),
            Inside::Looked(Ok(looked)) => {
                let (looked, configured) = *looked;
                state.set_rules(looked.rules());
                self.looked(looked, &configured.problems);
                Some(Event::Configured(configured))
            }
            Inside::Looked(Err(why)) => {
                self.look_failed(why);
                None
            }
            Inside::Opened(Ok(desktop)) => {
                self.desktop = Some(desktop);
                Some(Event::Desktop(Ok(())))
            }
            Inside::Opened(Err(why)) => {
                self.desktop = None;
                Some(Event::Desktop(Err(why)))
            }
        }
    }
}
