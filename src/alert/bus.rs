//! The notification service of free desktops, over the session bus.
//!
//! Promises: a signal counts only if its sender is the connection that owns
//! `org.freedesktop.Notifications` at that moment; anybody on the bus can send one that says otherwise.
//! Every call ends in two seconds; a flood of signals is dropped, not queued.

use super::desktop::{Heard, NoDesktop};
use super::text::{Action, Severity, Text};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zbus::message::{Message, Type};

use zbus::{Connection, MessageStream, Variant};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

/// How long the bus or the service may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a code stays on the screen, in milliseconds; as long as it counts.
const CODE_TIME: i32 = 120_000;

/// A connection to the session bus, with a notification service that answered.
#[derive(Debug)]
pub(super) struct Bus {
    connection: Connection,
    listener: tokio::task::JoinHandle<()>,
    /// Whether the service shows buttons.
    buttons: bool,
}

impl Bus {
    pub(super) async fn open(heard: mpsc::Sender<Heard>) -> Result<Self, NoDesktop> {
        let connection = timeout(PATIENCE, Connection::session()).await;
        let connection = connection
            .map_err(|_| NoDesktop("the session bus does not answer".to_owned()))?
            .map_err(|_| NoDesktop("there is no session bus".to_owned()))?;
        let answer = call(&connection, NAME, PATH, NAME, "GetCapabilities", &()).await?;
        let capabilities: Vec<String> = answer.body().deserialize().unwrap_or_default();
        // The stream is there before the bus is asked for signals, so that none is missed.
        let stream = MessageStream::from(&connection);
        for member in ["ActionInvoked", "NotificationClosed"] {
            let rule = format!("type='signal',interface='{NAME}',path='{PATH}',member='{member}'");
            call(&connection, BUS, BUS_PATH, BUS, "AddMatch", &rule).await?;
        }
        let listener = tokio::spawn(listen(connection.clone(), stream, heard));
        Ok(Self { connection, listener, buttons: capabilities.iter().any(|word| word == "actions") })
    }

    pub(super) async fn show(&self, text: &Text, replaces: u32) -> Result<u32, NoDesktop> {
        let mut actions: Vec<&str> = Vec::new();
        for action in text.actions.iter().filter(|_| self.buttons) {
            if *action == Action::Review {
                // What a click on the notification itself does.
                actions.extend(["default", action.label()]);
            }
            actions.extend([action.key(), action.label()]);
        }
        let urgency: u8 = match text.severity {
            Severity::Info => 0,
            Severity::Review => 1,
            Severity::Alarm => 2,
        };
        let hints: HashMap<&str, Variant<'_>> = HashMap::from([
            ("urgency", Variant::from(urgency)),
            ("transient", Variant::from(text.transient)),
        ]);
        let time = match (text.transient, text.stays) {
            (true, _) => CODE_TIME,
            (false, true) => 0,
            (false, false) => -1,
        };
        let arguments =
            ("mcpwatch", replaces, "security-medium", &text.summary, &text.body, actions, hints, time);
        let answer = call(&self.connection, NAME, PATH, NAME, "Notify", &arguments).await?;
        let refused = |_| NoDesktop("the notification service gave no number".to_owned());
        answer.body().deserialize::<u32>().map_err(refused)
    }

    pub(super) async fn close(&self, id: u32) {
        let _ = call(&self.connection, NAME, PATH, NAME, "CloseNotification", &id).await;
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn call<B>(
    connection: &Connection,
    to: &'static str,
    path: &'static str,
    interface: &'static str,
    method: &'static str,
    body: &B,
) -> Result<Message, NoDesktop>
where
    B: serde::ser::Serialize + zbus::zvariant::DynamicType,
{
    let answer =
        timeout(PATIENCE, connection.call_method(Some(to), path, Some(interface), method, body)).await;
    match answer {
        Ok(Ok(message)) => Ok(message),
        Ok(Err(_)) if to == NAME => Err(NoDesktop("no notification service runs on this desktop".to_owned())),
        Ok(Err(_)) => Err(NoDesktop("the session bus refuses a call".to_owned())),
        Err(_) => Err(NoDesktop("the notification service does not answer".to_owned())),
    }
}

async fn listen(connection: Connection, mut stream: MessageStream, heard: mpsc::Sender<Heard>) {
    while let Some(Ok(message)) = stream.next().await {
        if let Some(what) = read(&message)
            && is_from_service(&connection, &message).await
        {
            // A loop that does not keep up loses clicks, never memory.
            let _ = heard.try_send(what);
        }
    }
    let _ = heard.send(Heard::Gone).await;
}

/// What a signal says; who says it is another question.
fn read(message: &Message) -> Option<Heard> {
    let header = message.header();
    if header.message_type() != Type::Signal || header.interface().is_none_or(|name| name.as_str() != NAME) {
        return None;
    }
    match header.member()?.as_str() {
        "ActionInvoked" => {
            let (id, key) = message.body().deserialize::<(u32, String)>().ok()?;
            Some(Heard::Clicked { id, action: Action::of_key(&key)? })
        }
        "NotificationClosed" => {
            let (id, _reason) = message.body().deserialize::<(u32, u32)>().ok()?;
            Some(Heard::Closed { id })
        }
        _ => None,
    }
}

/// Whether the bus itself says that the sender owns the service's name now. The sender's field is
/// written by the bus and cannot be forged; the interface's can.
async fn is_from_service(connection: &Connection, message: &Message) -> bool {
    let Ok(answer) = call(connection, BUS, BUS_PATH, BUS, "GetNameOwner", &NAME).await else { return false };
    let body = answer.body();
    let owner: Result<String, _> = body.deserialize();
    owner.is_ok_and(|owner| message.header().sender().is_some_and(|sender| sender.as_str() == owner))
}
