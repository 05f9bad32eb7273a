//! What happens while servers are read, as events. Who shows them, and how, is the caller's affair.

use std::time::Duration;

/// Something happened to one server; `server` counts from 0 in the order of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Which server.
    pub server: usize,
    /// What happened.
    pub step: Step,
}

/// How far a server is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Waits for its turn.
    Waiting,
    /// What its launch runs is being found out.
    Resolving,
    /// Its process is starting, or its address is being reached.
    Starting,
    /// Its lists are being read.
    Reading,
    /// Read whole.
    Done(Duration),
    /// Could not be read; why stands in the result.
    Failed(Duration),
}

/// Who is told.
pub type Listener<'a> = &'a (dyn Fn(Event) + Send + Sync);
