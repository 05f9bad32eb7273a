//! Shows the code that confirms a decision, and judges what is typed.
//!
//! Promises: the code exists in this process and in the notification, nowhere else: not on disk, not
//! on our socket. It stands for one offer, counts once, for two minutes; three wrong ones drop the
//! request and announce it. The command that asks does all of it, so no daemon is needed.

use super::desktop::{Desktop, NoDesktop, why_silent};
use super::text::{Name, Notice, Text};
use crate::engine::approval::{self, Answer, Request};
use crate::engine::digest::Digest;
use std::sync::mpsc as blocking;
use tokio::sync::mpsc;

/// A code that is shown, until it was typed, dropped, or this is dropped.
#[derive(Debug)]
pub struct CodeRequest {
    request: Option<Request>,
    server: Name,
    terminal: Name,
    desk: Desk,
    id: u32,
}

/// A desktop with a thread of its own, for callers that do not await.
#[derive(Debug)]
pub struct Desk {
    jobs: mpsc::UnboundedSender<Job>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
enum Job {
    Show { text: Text, replaces: u32, answer: blocking::Sender<Result<u32, NoDesktop>> },
    Close(u32),
}

impl CodeRequest {
    /// Draws a code for the offer that was displayed and shows it; `now` is Unix milliseconds.
    pub fn show(
        server: Name,
        items: u32,
        offer: Digest,
        terminal: Name,
        now: u64,
    ) -> Result<Self, NoDesktop> {
        let desk = Desk::open()?;
        let code = draw()?;
        let notice = Notice::Code { server: server.clone(), items, code: code.clone() };
        let id = desk.show(notice.text(), 0)?;
        Ok(Self { request: Some(Request::new(offer, code, now)), server, terminal, desk, id })
    }

    /// Judges what was typed for `offer`, the one that is on the screen now. After anything but
    /// [`Answer::Wrong`] the request is over, and every further answer is [`Answer::Expired`].
    pub fn answer(&mut self, now: u64, offer: &Digest, typed: &str) -> Answer {
        let Some(request) = self.request.take() else { return Answer::Expired };
        let (answer, rest) = request.answer(now, offer, typed);
        self.request = rest;
        if answer == Answer::Dropped {
            let notice = Notice::WrongCodes { server: self.server.clone(), terminal: self.terminal.clone() };
            // Takes the place of the code, and stays when this process is gone.
            if self.desk.show(notice.text(), self.id).is_ok() {
                self.id = 0;
            }
        }
        answer
    }
}

impl Drop for CodeRequest {
    fn drop(&mut self) {
        if self.id != 0 {
            let _ = self.desk.jobs.send(Job::Close(self.id));
        }
    }
}

impl Desk {
    /// Whether a notification would be shown now, and if not, why. Shows nothing.
    pub fn open() -> Result<Self, NoDesktop> {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        if let Some(why) = why_silent(&variables) {
            return Err(NoDesktop(why.to_owned()));
        }
        let (jobs, todo) = mpsc::unbounded_channel();
        let (opened, answer) = blocking::channel();
        let thread = std::thread::spawn(move || work(&opened, todo));
        let gone = |_| NoDesktop("the notification service does not answer".to_owned());
        answer.recv().map_err(gone)??;
        Ok(Self { jobs, thread: Some(thread) })
    }

    /// Shows a notification, in place of that one if it is still there.
    pub fn show(&self, text: Text, replaces: u32) -> Result<u32, NoDesktop> {
        let gone = || NoDesktop("the notification service does not answer".to_owned());
        let (answer, answered) = blocking::channel();
        self.jobs.send(Job::Show { text, replaces, answer }).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

impl Drop for Desk {
    /// Waits until what was asked for is done: two seconds at most.
    fn drop(&mut self) {
        let (closed, _) = mpsc::unbounded_channel();
        self.jobs = closed;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(opened: &blocking::Sender<Result<(), NoDesktop>>, mut todo: mpsc::UnboundedReceiver<Job>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = opened.send(Err(NoDesktop(format!("the runtime does not start: {error}"))));
            return;
        }
    };
    runtime.block_on(async {
        let (heard, _unheard) = mpsc::channel(1);
        let desktop = match Desktop::open(heard).await {
            Ok(desktop) => desktop,
            Err(none) => {
                let _ = opened.send(Err(none));
                return;
            }
        };
        let _ = opened.send(Ok(()));
        while let Some(job) = todo.recv().await {
            match job {
                Job::Show { text, replaces, answer } => {
                    let _ = answer.send(desktop.show(&text, replaces).await);
                }
                Job::Close(id) => desktop.close(id).await,
            }
        }
    });
}

fn draw() -> Result<String, NoDesktop> {
    for _ in 0..16 {
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|_| NoDesktop("the system gives no random bytes for a code".to_owned()))?;
        if let Some(code) = approval::code(&random) {
            return Ok(code);
        }
    }
    Err(NoDesktop("the system gives no random bytes for a code".to_owned()))
}
