//! The signals that ask us to end.

use std::io;

/// Receives them; each once.
pub struct Signals(imp::Signals);

impl Signals {
    /// Begins to receive.
    pub fn new() -> io::Result<Self> {
        imp::Signals::new().map(Self)
    }

    /// Waits for the next; gives its number.
    pub async fn next(&mut self) -> i32 {
        self.0.next().await
    }
}

#[cfg(unix)]
mod imp {
    use std::io;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub struct Signals {
        hangup: Signal,
        interrupt: Signal,
        terminate: Signal,
    }

    impl Signals {
        pub fn new() -> io::Result<Self> {
            Ok(Self {
                hangup: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        pub async fn next(&mut self) -> i32 {
            tokio::select! {
                _ = self.hangup.recv() => SignalKind::hangup().as_raw_value(),
                _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
                _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            }
        }
    }
}

#[cfg(not(unix))]
mod imp {
    use std::io;

    pub struct Signals;

    impl Signals {
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub async fn next(&mut self) -> i32 {
            match tokio::signal::ctrl_c().await {
                Ok(()) => 2,
                Err(_) => std::future::pending().await,
            }
        }
    }
}
