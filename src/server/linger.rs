//! Closing a connection so that the client gets to see the last answer.
//!
//! Whoever closes a socket that still has unread bytes makes the kernel send a reset, and a client
//! that is busy sending a body too large then never sees its 413: it sees a broken connection and
//! tries again. So what it still sends is read and thrown away for a while.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use hyper::rt::Sleep;
use hyper::rt::Timer;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;

use crate::server::timer::ClockTimer;

/// How long a client may go on sending after its last answer: enough to notice that there is one.
const TIME_MAX: Duration = Duration::from_secs(2);

/// How many bytes of it are thrown away. A client that sends more does not look for answers.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// A stream whose shutdown waits for the client to stop sending, if that is wanted by then.
pub(super) struct Lingering<S> {
    stream: S,
    wanted: Arc<AtomicBool>,
    timer: ClockTimer,
    draining: Option<Draining>,
}

struct Draining {
    bytes: usize,
    end: Pin<Box<dyn Sleep>>,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, wanted: Arc<AtomicBool>, timer: ClockTimer) -> Self {
        Self {
            stream,
            wanted,
            timer,
            draining: None,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lingering<S> {
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(draining) = &mut self.draining else {
            return Poll::Ready(());
        };
        let mut scratch = [0; 4096];
        while draining.bytes < BYTES_MAX {
            if draining.end.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let mut piece = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece)) {
                Ok(()) if !piece.filled().is_empty() => draining.bytes += piece.filled().len(),
                _ => return Poll::Ready(()),
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.draining.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            // Relaxed: set by the same task, when it answered.
            if self.wanted.load(Ordering::Relaxed) {
                let end = self.timer.sleep(TIME_MAX);
                self.draining = Some(Draining { bytes: 0, end });
            }
        }
        self.poll_drain(cx).map(Ok)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
