//! Our own stdin and stdout, whatever the client made them: pipes, sockets, terminals or files.
//!
//! Promises: what can be polled is polled, and what cannot is read on a thread of its own. The flag
//! `O_NONBLOCK` belongs to everybody who holds the same open file, so it is never left set on one that
//! somebody else may hold: sockets are read and written without it, pipes and terminals are opened
//! anew where the system allows that, and where it does not the flag is put back at the end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};

/// Where messages of the client come from.
pub type Input = Box<dyn AsyncRead + Unpin>;

/// Where messages to the client go.
pub type Output = Box<dyn AsyncWrite + Unpin>;

/// Our stdin and stdout, ready for the runtime. Keep the third value until the end.
pub fn standard() -> io::Result<(Input, Output, Restore)> {
    imp::standard()
}

/// Puts back what was changed on a descriptor that others may hold.
#[derive(Default)]
pub struct Restore(#[allow(dead_code)] Vec<imp::Flag>);

/// The runtime's own way, on threads: for everything that cannot be polled.
fn threads() -> (Input, Output) {
    (Box::new(tokio::io::stdin()), Box::new(Flushed(tokio::io::stdout())))
}

/// A stdout whose every write reaches the system before it counts as done.
struct Flushed(tokio::io::Stdout);

impl AsyncWrite for Flushed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(not(unix))]
mod imp {
    use super::{Input, Output, Restore};
    use std::io;

    pub enum Flag {}

    pub fn standard() -> io::Result<(Input, Output, Restore)> {
        let (input, output) = super::threads();
        Ok((input, output, Restore::default()))
    }
}

#[cfg(unix)]
mod imp {
    use super::{AsyncRead, AsyncWrite, Context, Input, Output, Pin, Poll, Restore, io};
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use nix::sys::socket::{MsgFlags, recv, send};
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};
    use std::os::unix::fs::FileTypeExt;
    use std::task::ready;
    use tokio::io::ReadBuf;
    use tokio::io::unix::AsyncFd;

    /// A descriptor on which `O_NONBLOCK` was set; dropping it puts the flags back.
    pub struct Flag(OwnedFd, OFlag);

    impl Drop for Flag {
        fn drop(&mut self) {
            // At the end of the program nothing can be done about a failure.
            let _restored = fcntl(&self.0, FcntlArg::F_SETFL(self.1));
        }
    }

    pub fn standard() -> io::Result<(Input, Output, Restore)> {
        let mut restore = Restore::default();
        let (thread_in, thread_out) = super::threads();
        let input = match end(io::stdin().as_fd().try_clone_to_owned()?, false, &mut restore)? {
            Some(end) => Box::new(end) as Input,
            None => thread_in,
        };
        let output = match end(io::stdout().as_fd().try_clone_to_owned()?, true, &mut restore)? {
            Some(end) => Box::new(end) as Output,
            None => thread_out,
        };
        Ok((input, output, restore))
    }

    /// A descriptor that the runtime polls.
    enum End {
        Socket(AsyncFd<OwnedFd>),
        File(AsyncFd<File>),
    }

    /// A pollable end for a descriptor; `None` for files and devices, which are always ready.
    fn end(fd: OwnedFd, is_output: bool, restore: &mut Restore) -> io::Result<Option<End>> {
        let file = File::from(fd);
        let kind = file.metadata()?.file_type();
        if kind.is_socket() {
            return Ok(Some(End::Socket(polled(OwnedFd::from(file))?)));
        }
        if !kind.is_fifo() && !nix::unistd::isatty(&file).unwrap_or(false) {
            return Ok(None);
        }
        let own = match reopened(&file, is_output) {
            Some(own) => own,
            None => {
                let flags = OFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFL)?);
                fcntl(&file, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
                restore.0.push(Flag(file.try_clone()?.into(), flags));
                file
            }
        };
        Ok(Some(End::File(polled(own)?)))
    }

    /// Registers a descriptor with the runtime.
    // Deprecated for types that do not own what they point to; the new way is an unsafe function that
    // asks for just that, and both types given here do own it.
    #[allow(deprecated)]
    fn polled<T: AsRawFd>(fd: T) -> io::Result<AsyncFd<T>> {
        AsyncFd::new(fd)
    }

    /// The same pipe or terminal as an open file of our own, whose flags are nobody else's.
    #[cfg(target_os = "linux")]
    fn reopened(file: &File, is_output: bool) -> Option<File> {
        use std::os::unix::fs::OpenOptionsExt;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let mut options = std::fs::OpenOptions::new();
        options.read(!is_output).write(is_output).custom_flags(flags.bits()).open(path).ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn reopened(_: &File, _: bool) -> Option<File> {
        None
    }

    impl AsyncRead for End {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            loop {
                let read = match self.as_ref().get_ref() {
                    End::Socket(fd) => {
                        let mut guard = ready!(fd.poll_read_ready(cx))?;
                        let into = buffer.initialize_unfilled();
                        let flags = MsgFlags::MSG_DONTWAIT;
                        guard.try_io(|fd| Ok(recv(fd.as_raw_fd(), into, flags)?))
                    }
                    End::File(fd) => {
                        let mut guard = ready!(fd.poll_read_ready(cx))?;
                        let into = buffer.initialize_unfilled();
                        guard.try_io(|fd| fd.get_ref().read(into))
                    }
                };
                match read {
                    Ok(Ok(read)) => {
                        buffer.advance(read);
                        return Poll::Ready(Ok(()));
                    }
                    Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(Err(error)) => return Poll::Ready(Err(error)),
                    Err(_would_block) => {}
                }
            }
        }
    }

    impl AsyncWrite for End {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            loop {
                let written = match self.as_ref().get_ref() {
                    End::Socket(fd) => {
                        let mut guard = ready!(fd.poll_write_ready(cx))?;
                        guard.try_io(|fd| Ok(send(fd.as_raw_fd(), bytes, quiet())?))
                    }
                    End::File(fd) => {
                        let mut guard = ready!(fd.poll_write_ready(cx))?;
                        guard.try_io(|fd| fd.get_ref().write(bytes))
                    }
                };
                match written {
                    Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(written) => return Poll::Ready(written),
                    Err(_would_block) => {}
                }
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Not to wait, and no signal when nobody reads any more.
    #[cfg(target_os = "linux")]
    fn quiet() -> MsgFlags {
        MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL
    }

    #[cfg(not(target_os = "linux"))]
    fn quiet() -> MsgFlags {
        MsgFlags::MSG_DONTWAIT
    }
}
