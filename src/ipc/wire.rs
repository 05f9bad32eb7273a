//! Frames: four bytes of length, big-endian, then one JSON value.
//!
//! Promises: no frame above its limit is read or written; memory grows with the bytes that arrive,
//! not with the length that was claimed; a frame that was begun must be ended in time.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// The largest frame.
pub const FRAME_LIMIT: u32 = 1 << 20;

/// The largest hello.
pub const HELLO_LIMIT: u32 = 4096;

/// How long a peer may take for its hello, and we for ours.
pub const HANDSHAKE: Duration = Duration::from_secs(2);

/// How long one frame may take from its first byte to its last.
pub const FRAME_TIME: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The other end is gone.
    #[error("the other end closed the connection")]
    Closed,
    /// The frame claims to be larger than allowed.
    #[error("a frame of {0} bytes, which is more than allowed")]
    TooLarge(u64),
    /// The frame was begun and not ended in time, or not taken.
    #[error("a frame took too long")]
    Stalled,
    /// The frame is not a message that is known here.
    #[error("a message that is not understood")]
    Unknown,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
}

/// Reads one frame; waits for its first byte as long as it takes.
pub async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
    limit: u32,
) -> Result<T, WireError> {
    let first = match stream.read_u8().await {
        Ok(byte) => byte,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(WireError::Closed),
        Err(error) => return Err(error.into()),
    };
    let bytes = timeout(FRAME_TIME, rest(stream, first, limit)).await.map_err(|_| WireError::Stalled)??;
    serde_json::from_slice(&bytes).map_err(|_| WireError::Unknown)
}

/// Writes one frame.
pub async fn write<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &T,
    limit: u32,
) -> Result<(), WireError> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message).map_err(|_| WireError::Unknown)?;
    let length = bytes.len() - 4;
    let claim = u32::try_from(length).ok().filter(|length| *length <= limit);
    let claim = claim.ok_or(WireError::TooLarge(length as u64))?;
    bytes[..4].copy_from_slice(&claim.to_be_bytes());
    let send = async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    timeout(FRAME_TIME, send).await.map_err(|_| WireError::Stalled)??;
    Ok(())
}

async fn rest(stream: &mut (impl AsyncRead + Unpin), first: u8, limit: u32) -> Result<Vec<u8>, WireError> {
    let mut claim = [first, 0, 0, 0];
    stream.read_exact(&mut claim[1..]).await?;
    let length = u32::from_be_bytes(claim);
    if length > limit {
        return Err(WireError::TooLarge(length.into()));
    }
    let mut bytes = Vec::new();
    stream.take(length.into()).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 == u64::from(length) { Ok(bytes) } else { Err(WireError::Closed) }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
