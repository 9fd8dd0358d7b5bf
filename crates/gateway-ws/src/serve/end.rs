//! The end of a connection: the last frames, the close code, and a short while for the client to read them.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use stentor_core::session::Closing;
use tokio::time::timeout;

use super::{End, READ_BUFFER, Task};
use crate::codec::Refusal;
use crate::codes;
use crate::connection::Connection;
use crate::counters::{Counters, count};
use crate::frame;
use crate::teller::Teller;
use crate::wire::Flushed;

/// What is left to say.
struct Parting {
    frames: Vec<Bytes>,
    /// Only what must be written for the close frame to be readable is written, and nobody waits for it.
    hurry: bool,
}

impl Task {
    /// Ends the connection. The session lives on or has ended already; that is the core's business.
    pub(super) async fn end(mut self, end: End) {
        let user = self.attached.as_ref().map(|attached| attached.0.session.user().clone());
        tracing::debug!(?end, user.id = user.as_ref().map(|user| user.as_str()), "connection ends");
        note(&end, self.state.count());
        let parting = parting(&self.connection, end);
        let frames = parting.as_ref().map(|parting| parting.frames.clone()).unwrap_or_default();
        self.connection.end(frames, parting.as_ref().is_none_or(|parting| parting.hurry));
        self.answers = None;
        // Detaches: what is still to be written is not in the mailbox any more.
        self.attached = None;
        match parting {
            Some(Parting { hurry: true, .. }) => {
                let _ = self.connection.flush();
            }
            Some(Parting { hurry: false, .. }) => self.part().await,
            None => {}
        }
        self.connection.shut();
    }

    /// Writes what is left, then waits for the client to close: a socket that is closed with bytes unread is
    /// reset, and the client might lose the close frame.
    async fn part(&mut self) {
        let limit = self.state.config().close_timeout;
        let written = timeout(limit, poll_fn(|cx| self.poll_written(cx))).await;
        if written == Ok(true) {
            self.connection.end_tls();
            self.connection.shut();
            let _ = timeout(limit, poll_fn(|cx| self.poll_end_of_stream(cx))).await;
        }
    }

    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            if self.connection.is_blocked() {
                match self.read.poll_writable(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
            }
            match self.connection.flush() {
                Flushed::Idle => return Poll::Ready(true),
                Flushed::More | Flushed::Blocked { .. } => {}
                Flushed::Broken => return Poll::Ready(false),
            }
        }
    }

    fn poll_end_of_stream(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // Without decrypting: nothing of it is looked at.
            match READ_BUFFER.with_borrow_mut(|buffer| self.read.poll_read(cx, buffer)) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// `None` if nothing can be said any more.
fn parting(connection: &Connection, end: End) -> Option<Parting> {
    let Teller { protocol, numbers } = connection.teller();
    let patient = |frames| Some(Parting { frames, hurry: false });
    let close = |code, reason: &str| patient(protocol.close(code, reason));
    let refused = |refusal: &Refusal, code, reason: &str| {
        patient([protocol.refused(refusal)].into_iter().chain(protocol.close(code, reason)).collect())
    };
    match end {
        End::Gone | End::WriteTimeout => None,
        End::Closed(code) => patient(vec![frame::close(code, "")]),
        End::Frame(error) => close(error.close_code(), &error.to_string()),
        End::FrameTimeout => close(codes::CLOSE_PROTOCOL, "the message took too long"),
        End::Malformed(reason) => {
            patient(protocol.malformed().into_iter().chain(protocol.close(codes::CLOSE_MALFORMED, &reason)).collect())
        }
        End::Refused(refusal) => refused(&refusal, codes::CLOSE_REFUSED, "login refused"),
        End::NoLogin(refusal) => refused(&refusal, codes::CLOSE_NO_LOGIN, "no login in time"),
        End::GoingDown => close(codes::CLOSE_RESTART, "going down"),
        End::LoggedOut => close(codes::CLOSE_NORMAL, "logged out"),
        End::Closing(why) => {
            let (code, reason) = codes::closing(why);
            let mut frames: Vec<_> = protocol.last_words(why, connection.replaced_by(), numbers).into_iter().collect();
            frames.extend(protocol.close(code, reason));
            Some(Parting { frames, hurry: why == Closing::SlowConsumer })
        }
    }
}

fn note(end: &End, counters: &Counters) {
    match end {
        End::Frame(_) | End::FrameTimeout | End::Malformed(_) => count(&counters.violations),
        End::Refused(_) => count(&counters.refused_logins),
        End::Closing(Closing::SlowConsumer) => count(&counters.slow_consumers),
        _ => {}
    }
}
