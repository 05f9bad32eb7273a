//! The desktop's notification service, whichever system it is.
//!
//! Promises: every call ends in two seconds; what cannot be shown is an answer in our words, not a
//! failure. On free desktops the service is spoken to over one connection of our own, because
//! `notify-rust` takes its signals from anybody; on macOS and Windows `notify-rust` does it.

use super::text::{Action, Text};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// What a person or the service did with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A button, or the notification itself, was clicked.
    Clicked {
        /// The notification.
        id: u32,
        /// What was clicked.
        action: Action,
    },
    /// It was closed or ran out.
    Closed {
        /// The notification.
        id: u32,
    },
    /// The bus or the service is gone.
    Gone,
}

/// Why nobody can be notified, in our words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoDesktop(pub String);

/// A notification service that answers.
#[derive(Debug)]
pub struct Desktop {
    #[cfg(target_os = "linux")]
    bus: super::bus::Bus,
    #[cfg(any(target_os = "macos", windows))]
    heard: mpsc::Sender<Heard>,
    #[cfg(any(target_os = "macos", windows))]
    last: std::sync::atomic::AtomicU32,
}

/// Why a process with these variables should not even look for a desktop.
pub fn why_silent(variables: &BTreeMap<String, String>) -> Option<&'static str> {
    let is_set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty() && value != "false");
    if is_set("CI") {
        return Some("this is a CI run");
    }
    if is_set("SSH_CONNECTION") || is_set("SSH_TTY") {
        return Some("this is an SSH session, whose user does not see the desktop");
    }
    let has_bus = is_set("DBUS_SESSION_BUS_ADDRESS") || is_set("XDG_RUNTIME_DIR");
    (cfg!(target_os = "linux") && !has_bus).then_some("there is no session bus")
}

#[cfg(target_os = "linux")]
impl Desktop {
    /// Connects to the service, which may be started by this; what it hears goes to `heard`.
    pub async fn open(heard: mpsc::Sender<Heard>) -> Result<Self, NoDesktop> {
        super::bus::Bus::open(heard).await.map(|bus| Self { bus })
    }

    /// Shows a notification, in place of that one if it is still there; its number is the answer.
    pub async fn show(&self, text: &Text, replaces: u32) -> Result<u32, NoDesktop> {
        self.bus.show(text, replaces).await
    }

    /// Takes a notification away; one that is gone already is no error.
    pub async fn close(&self, id: u32) {
        self.bus.close(id).await;
    }
}

#[cfg(any(target_os = "macos", windows))]
impl Desktop {
    /// Takes the service for granted: these systems have one, and answer when something is shown.
    pub async fn open(heard: mpsc::Sender<Heard>) -> Result<Self, NoDesktop> {
        Ok(Self { heard, last: std::sync::atomic::AtomicU32::new(0) })
    }

    /// Shows a notification. `notify-rust` cannot replace one on these systems.
    pub async fn show(&self, text: &Text, _replaces: u32) -> Result<u32, NoDesktop> {
        let id = self.last.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let heard = self.heard.clone();
        let mut notification = notify_rust::Notification::new();
        notification.appname("mcpwatch").summary(&text.summary).body(&text.body);
        for action in &text.actions {
            notification.action(action.key(), action.label());
        }
        let (shown, answer) = tokio::sync::oneshot::channel();
        // Waiting for the click blocks, so each notification has a thread of its own.
        std::thread::spawn(move || match notification.show() {
            Ok(handle) => {
                let _ = shown.send(Ok(()));
                handle.wait_for_action(|key| {
                    let what = match Action::of_key(key) {
                        Some(action) => Heard::Clicked { id, action },
                        None => Heard::Closed { id },
                    };
                    let _ = heard.try_send(what);
                });
            }
            Err(error) => {
                let _ = shown.send(Err(NoDesktop(format!("the notification was refused: {error}"))));
            }
        });
        let late = || NoDesktop("the notification service does not answer".to_owned());
        match tokio::time::timeout(std::time::Duration::from_secs(2), answer).await {
            Ok(Ok(result)) => result.map(|()| id),
            Ok(Err(_)) | Err(_) => Err(late()),
        }
    }

    /// Does nothing: `notify-rust` cannot take one away on these systems.
    pub async fn close(&self, _id: u32) {}
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
impl Desktop {
    /// There is none that this version knows.
    pub async fn open(_heard: mpsc::Sender<Heard>) -> Result<Self, NoDesktop> {
        Err(NoDesktop("this version knows no notification service of this system".to_owned()))
    }

    /// Never reached.
    pub async fn show(&self, _text: &Text, _replaces: u32) -> Result<u32, NoDesktop> {
        Err(NoDesktop("this version knows no notification service of this system".to_owned()))
    }

    /// Never reached.
    pub async fn close(&self, _id: u32) {}
}

#[cfg(test)]
#[path = "desktop_tests.rs"]
mod tests;
