//! The transport over a child's pipes: one message a line.

use super::error::Reason;
use super::tap::{DISCOVER, Tap};
use crate::engine::frame::{Frame, LineFramer};
use crate::engine::jsonrpc::Id;
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{Mutex, mpsc};

/// How much is read at once: sessions that stay rest most of the time, many of them beside each other.
const CHUNK: usize = 8 << 10;

/// A child's pipes with the tap between.
pub(super) struct Stdio {
    tap: Arc<Tap>,
    stdin: Arc<Mutex<Option<ChildStdin>>>,
    stdout: ChildStdout,
    framer: LineFramer,
    limit: usize,
    probe: Duration,
    ready: VecDeque<ServerJsonRpcMessage>,
    /// Boxed, because a channel takes room for 32 at once, in each of many sessions that rest.
    late: (
        mpsc::UnboundedSender<Box<ServerJsonRpcMessage>>,
        mpsc::UnboundedReceiver<Box<ServerJsonRpcMessage>>,
    ),
}

impl Stdio {
    pub(super) fn new(
        tap: Arc<Tap>,
        stdin: ChildStdin,
        stdout: ChildStdout,
        limit: usize,
        probe: Duration,
    ) -> Self {
        let stdin = Arc::new(Mutex::new(Some(stdin)));
        let framer = LineFramer::new(limit).with_chunk(CHUNK);
        let late = mpsc::unbounded_channel();
        Self { tap, stdin, stdout, framer, limit, probe, ready: VecDeque::new(), late }
    }

    /// A legacy server may stay silent at `server/discover`: after the probe's time we say so for it.
    fn answer_if_silent(&self, id: i64) {
        let (tap, late, limit) = (Arc::clone(&self.tap), self.late.0.clone(), self.probe);
        tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            let silence = Reason::Timeout { method: DISCOVER.to_owned(), limit };
            // A receiver that is gone needs no answer.
            tap.fail(id, silence).map(|message| late.send(Box::new(message)).ok());
        });
    }

    fn frame(&mut self, frame: &Frame) {
        let told = match frame {
            Frame::Message(range) => self.tap.receive(self.framer.bytes(range.clone())),
            Frame::TooLong { is_request: true, .. } => Vec::new(),
            Frame::TooLong { id: Some(Id::Number(id)), .. } if self.tap.method_of(*id).is_some() => {
                self.tap.fail(*id, Reason::TooLong { limit: self.limit }).into_iter().collect()
            }
            Frame::TooLong { .. } => self.tap.fail_all(|_| Reason::TooLong { limit: self.limit }),
            Frame::RawCr => self.tap.fail_all(|_| Reason::RawCr),
        };
        self.ready.extend(told);
    }
}

impl Transport<RoleClient> for Stdio {
    type Error = io::Error;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let mut line = self.tap.sending(&message);
        line.push(b'\n');
        if let ClientJsonRpcMessage::Request(request) = &message
            && let (DISCOVER, RequestId::Number(id)) = (request.request.method(), &request.id)
        {
            self.answer_if_silent(*id);
        }
        let stdin = Arc::clone(&self.stdin);
        async move {
            let mut stdin = stdin.lock().await;
            let stdin = stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
            stdin.write_all(&line).await?;
            stdin.flush().await
        }
    }

    /// Cancel-safe: what was read stays in the framer, what was understood in `ready`.
    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
            }
            if let Some(frame) = self.framer.next_frame() {
                self.frame(&frame);
                continue;
            }
            tokio::select! {
                message = self.late.1.recv() => return message.map(|message| *message),
                read = self.stdout.read(self.framer.spare()) => match read {
                    Ok(read @ 1..) => self.framer.fill(read),
                    Ok(0) | Err(_) => {
                        self.tap.lose(Reason::Left { status: None });
                        return None;
                    }
                },
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.stdin.lock().await.take();
        Ok(())
    }
}
