//! What the loop has done: tasks, sessions, notifications, files. Nothing here decides.

use super::event::{Configured, Effect, Event, Now, Stay, Ticket};
use super::look::{Looked, Sight};
use super::state::State;
use super::visit::Visit;
use crate::alert::text::Name;
use crate::alert::{Desktop, Heard, NoDesktop, terminal, why_silent};
use crate::engine::record;
use crate::ipc::message::{Reply, ServerId};
use crate::ipc::server::{Outbox, PeerId};
use crate::store::log::Log;
use crate::sys::files::{self as disk, Access};
use crate::sys::paths::Paths;
use crate::sys::watch::{Files, Look, look};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as blocking};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// How many servers are started at once.
const AT_ONCE: usize = 4;

/// How long after the first change of a file the others may come.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// How often files are looked at that cannot be watched.
const POLL: Duration = Duration::from_secs(60);

/// How long what was looked up is kept for those who are to read next.
const KEPT: Duration = Duration::from_secs(5);

/// One writes the memory at a time.
static ONE: Mutex<()> = Mutex::new(());

/// Lines that may wait for the log's disk.
const LOG_QUEUE: usize = 1024;

/// News of our own tasks.
pub(super) enum Inside {
    /// Something for the loop.
    Event(Event),
    /// A look-up ended.
    Looked(Result<Box<(Arc<Looked>, Configured)>, String>),
    /// The notification service answered, or not.
    Opened(Result<Arc<Desktop>, String>),
}

/// A session that stays: sending asks for a reading, dropping ends it.
pub(super) struct Kept {
    pub(super) number: u64,
    again: mpsc::Sender<()>,
}

/// Everything that has effects.
pub(super) struct Hands {
    pub(super) outboxes: BTreeMap<PeerId, Outbox>,
    pub(super) tickets: BTreeMap<Ticket, oneshot::Sender<Reply>>,
    pub(super) next_ticket: Ticket,
    pub(super) sessions: BTreeMap<ServerId, Kept>,
    next_session: u64,
    pub(super) desktop: Option<Arc<Desktop>>,
    sight: Arc<Sight>,
    /// Whether a look-up runs, and whether another one is wanted after it.
    looking: bool,
    look_again: bool,
    /// The problem that was logged last, so that it is said once.
    problem: Option<String>,
    configurations: watch::Sender<BTreeSet<PathBuf>>,
    programs: mpsc::Sender<(ServerId, Vec<PathBuf>)>,
    places: Arc<Semaphore>,
    tell: mpsc::Sender<Inside>,
    /// For tasks that only know events.
    events: mpsc::Sender<Event>,
    log: Option<blocking::SyncSender<(u64, record::Event)>>,
    logging: Option<std::thread::JoinHandle<()>>,
    paths: Paths,
    memory_file: PathBuf,
    /// How often the memory was to be written.
    remembered: Arc<AtomicU64>,
}

impl Hands {
    /// Starts the watchers and the log's thread.
    pub(super) fn new(log: Log, paths: Paths, memory_file: PathBuf) -> (Self, mpsc::Receiver<Inside>) {
        let (tell, inside) = mpsc::channel(256);
        let home = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let (events, mut told) = mpsc::channel(64);
        let onward = tell.clone();
        tokio::spawn(async move {
            while let Some(event) = told.recv().await {
                if onward.send(Inside::Event(event)).await.is_err() {
                    return;
                }
            }
        });
        let (configurations, wanted) = watch::channel(BTreeSet::new());
        tokio::spawn(watch_configurations(wanted, events.clone()));
        let (programs, found) = mpsc::channel(64);
        tokio::spawn(watch_programs(found, events.clone()));
        let (lines, queue) = blocking::sync_channel::<(u64, record::Event)>(LOG_QUEUE);
        let written = events.clone();
        let logging = std::thread::spawn(move || {
            let mut trouble = None;
            while let Ok((at, event)) = queue.recv() {
                // A log that cannot be written stops nobody; `status` tells.
                let now = log.append(at, &event).err().map(|error| error.to_string());
                let news = now.clone().map_or(Ok(()), Err);
                if now != trouble && written.try_send(Event::Logged(news)).is_ok() {
                    trouble = now;
                }
            }
        });
        let hands = Self {
            outboxes: BTreeMap::new(),
            tickets: BTreeMap::new(),
            next_ticket: 1,
            sessions: BTreeMap::new(),
            next_session: 1,
            desktop: None,
            sight: Arc::new(Sight::new(home)),
            looking: false,
            look_again: false,
            problem: None,
            configurations,
            programs,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            tell,
            events,
            log: Some(lines),
            logging: Some(logging),
            paths,
            memory_file,
            remembered: Arc::default(),
        };
        (hands, inside)
    }

    /// Has one effect done; `true` says that it is the end.
    pub(super) fn perform(&mut self, effect: Effect, now: Now, state: &State) -> bool {
        match effect {
            Effect::Reply(ticket, reply) => {
                if let Some(answer) = self.tickets.remove(&ticket) {
                    let _ = answer.send(reply);
                }
            }
            Effect::Push(peer, push) => {
                // One that takes nothing is forgotten; its connection ends with its outbox.
                if self.outboxes.get(&peer).is_some_and(|outbox| !outbox.push(push)) {
                    self.outboxes.remove(&peer);
                }
            }
            Effect::LookUp => self.look_up(),
            Effect::Read(id, stay) => self.read(id, stay),
            Effect::Close(id) => {
                self.sessions.remove(&id);
            }
            Effect::Show(id, set, text, replaces) => {
                let Some(desktop) = self.desktop.clone() else { return false };
                let tell = self.tell.clone();
                tokio::spawn(async move {
                    let event = match desktop.show(&text, replaces).await {
                        Ok(number) => Inside::Event(Event::Shown(id, set, number)),
                        Err(NoDesktop(why)) => Inside::Opened(Err(why)),
                    };
                    let _ = tell.send(event).await;
                });
            }
            Effect::Unshow(number) => {
                let Some(desktop) = self.desktop.clone() else { return false };
                tokio::spawn(async move { desktop.close(number).await });
            }
            Effect::Review(id) => {
                let folder = self.paths.runtime.clone();
                tokio::task::spawn_blocking(move || terminal::open(&folder, &Name::new(id.name, 0)));
            }
            Effect::OpenDesktop => self.open_desktop(),
            Effect::Log(event) => self.log(now.wall, event),
            Effect::Remember => {
                let (file, text) = (self.memory_file.clone(), state.memory().render());
                let newest = Arc::clone(&self.remembered);
                let number = newest.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::task::spawn_blocking(move || {
                    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
                    // What was overtaken is not written over what is newer. Losing it costs an
                    // announcement at the next start.
                    if newest.load(Ordering::SeqCst) == number {
                        disk::write(&file, &text, Access::Private).ok();
                    }
                });
            }
            Effect::Stop => return true,
        }
        false
    }

    /// Takes in what was looked up.
    pub(super) fn looked(&mut self, looked: Arc<Looked>, problems: &[String]) {
        let all = looked.settings_problem.iter().chain(problems).cloned().collect::<Vec<_>>().join("; ");
        self.say_problem(all);
        let files = looked.files.clone();
        self.configurations.send_if_modified(|known| {
            let other = *known != files;
            *known = files;
            other
        });
        // Those who are to read next find it; then it goes.
        tokio::spawn(async move {
            tokio::time::sleep(KEPT).await;
            drop(looked);
        });
        self.look_ended();
    }

    /// Nothing could be looked up; what was known before goes on.
    pub(super) fn look_failed(&mut self, why: String) {
        self.say_problem(why);
        self.look_ended();
    }

    /// Writes into the log, later.
    pub(super) fn log(&self, at: u64, event: record::Event) {
        if let Some(log) = &self.log {
            let _ = log.try_send((at, event));
        }
    }

    /// Lets every session go.
    pub(super) fn end(&mut self) {
        self.sessions.clear();
        self.outboxes.clear();
    }

    /// Waits for the log's last lines, briefly.
    pub(super) fn flush(&mut self) {
        self.log = None;
        let Some(logging) = self.logging.take() else { return };
        for _ in 0..30 {
            if logging.is_finished() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn look_up(&mut self) {
        if std::mem::replace(&mut self.looking, true) {
            self.look_again = true;
            return;
        }
        let (tell, sight) = (self.tell.clone(), Arc::clone(&self.sight));
        tokio::spawn(async move {
            let looked = tokio::task::spawn_blocking(move || sight.look()).await;
            let looked = match looked {
                Ok(Ok(looked)) => Ok(Box::new(looked)),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the configurations could not be looked at".to_owned()),
            };
            let _ = tell.send(Inside::Looked(looked)).await;
        });
    }

    fn look_ended(&mut self) {
        self.looking = false;
        if std::mem::take(&mut self.look_again) {
            self.look_up();
        }
    }

    fn read(&mut self, id: ServerId, stay: Stay) {
        if stay != Stay::Never
            && let Some(session) = self.sessions.get(&id)
            && session.again.try_send(()).is_ok()
        {
            return;
        }
        let (again, asked) = mpsc::channel(1);
        let number = self.next_session;
        self.next_session += 1;
        if stay != Stay::Never {
            self.sessions.insert(id.clone(), Kept { number, again });
        }
        let visit = Visit {
            sight: Arc::clone(&self.sight),
            id,
            number,
            stay,
            tell: self.events.clone(),
            places: Arc::clone(&self.places),
            programs: self.programs.clone(),
        };
        tokio::spawn(visit.run(asked));
    }

    fn open_desktop(&mut self) {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let (tell, events) = (self.tell.clone(), self.events.clone());
        let silent = why_silent(&variables);
        tokio::spawn(async move {
            if let Some(why) = silent {
                let _ = tell.send(Inside::Opened(Err(why.to_owned()))).await;
                return;
            }
            let (hears, mut heard) = mpsc::channel(32);
            let opened = Desktop::open(hears).await;
            let works = opened.is_ok();
            let opened = opened.map(Arc::new).map_err(|NoDesktop(why)| why);
            if tell.send(Inside::Opened(opened)).await.is_err() || !works {
                return;
            }
            while let Some(what) = heard.recv().await {
                if events.send(Event::Heard(what)).await.is_err() || what == Heard::Gone {
                    return;
                }
            }
        });
    }

    fn say_problem(&mut self, what: String) {
        let what = (!what.is_empty()).then_some(what);
        if self.problem != what {
            if let Some(what) = &what {
                let at =
                    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                let at = u64::try_from(at.as_millis()).unwrap_or_default();
                self.log(at, record::Event::Trouble { what: what.clone() });
            }
            self.problem = what;
        }
    }
}

/// Tells when a client's file, a lock, the trust store or the settings changed.
async fn watch_configurations(mut wanted: watch::Receiver<BTreeSet<PathBuf>>, events: mpsc::Sender<Event>) {
    let mut files = Files::new(DEBOUNCE, POLL);
    loop {
        tokio::select! {
            changed = wanted.changed() => {
                if changed.is_err() {
                    return;
                }
                files.set(&wanted.borrow_and_update().clone());
            }
            () = files.changed() => {
                if events.send(Event::FilesChanged).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Tells when the program of a server changed.
async fn watch_programs(mut found: mpsc::Receiver<(ServerId, Vec<PathBuf>)>, events: mpsc::Sender<Event>) {
    let mut files = Files::new(DEBOUNCE, POLL);
    let mut programs: BTreeMap<ServerId, Vec<(PathBuf, Option<Look>)>> = BTreeMap::new();
    loop {
        tokio::select! {
            news = found.recv() => {
                let Some((id, paths)) = news else { return };
                let looks = paths.into_iter().map(|path| (path.clone(), look(&path))).collect();
                programs.insert(id, looks);
                files.set(&programs.values().flatten().map(|(path, _)| path.clone()).collect());
            }
            () = files.changed() => {
                for (id, looks) in &mut programs {
                    let mut other = false;
                    for (path, known) in looks.iter_mut() {
                        let now = look(path);
                        other |= now != *known;
                        *known = now;
                    }
                    if other && events.send(Event::ProgramChanged(id.clone())).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}
