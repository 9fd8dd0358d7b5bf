//! The task of one connection: reads what the client sends, has it answered, and ends the connection. It sleeps
//! while nothing happens, and while others write to the socket.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use stentor_core::session::Closing;
use stentor_msync::compress::Unpacker;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep};

use crate::carrier::Carrier;
use crate::codec::Refusal;
use crate::connection::Connection;
use crate::counters::{Counters, count};
use crate::frame::FrameError;
use crate::frame::parser::{Input, Parser};
use crate::protocol::{Caller, Opening, Protocol};
use crate::socket::{self, ReadHalf};
use crate::sockjs;
use crate::state::{GatewayConfig, GatewayState};
use crate::stream::Stream;
use crate::wire::Flushed;

mod end;
mod login;
mod receive;

use receive::{Answer, Waiting};

/// So many requests may wait for their answer; then nothing more is read.
const UNANSWERED: usize = 64;

/// While so many bytes wait for the socket, nothing more is read: each request might add to them.
const QUEUED_BYTES: usize = 256 * 1024;

/// What one read takes at most.
const READ_BYTES: usize = 16 * 1024;

thread_local! {
    // Shared by all connections of a thread, so that an idle one holds no buffer.
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// Why the task stops reading.
enum Step {
    /// The client wants to log in.
    Login(Box<Opening>),
    /// The connection ends.
    End(End),
}

/// Why a connection ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The client is gone, or the network is.
    Gone,
    /// The client closed, and gets its code back.
    Closed(Option<u16>),
    /// The client broke the WebSocket protocol.
    Frame(FrameError),
    /// A message took too long to arrive.
    FrameTimeout,
    /// The client broke our protocol.
    Malformed(String),
    /// The login was refused.
    Refused(Refusal),
    /// No login came in time.
    NoLogin(Refusal),
    /// The gateway closes, and the client had not logged in.
    GoingDown,
    /// The client logged out.
    LoggedOut,
    /// The socket took nothing for too long.
    WriteTimeout,
    /// The core wants it.
    Closing(Closing),
}

impl From<End> for ControlFlow<Step> {
    fn from(end: End) -> Self {
        Self::Break(Step::End(end))
    }
}

/// A client that is logged in on this connection; dropped, it is so no more.
struct Attached(Arc<Caller>);

impl Drop for Attached {
    fn drop(&mut self) {
        let Caller { state, session, attachment, .. } = &*self.0;
        state.node().detach(session, *attachment);
    }
}

/// Counts a connection as long as it lives.
struct Open(Arc<Counters>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection's task. Small, for there may be very many: what is rarely there is boxed.
struct Task {
    state: GatewayState,
    protocol: Protocol,
    connection: Arc<Connection>,
    read: ReadHalf,
    parser: Parser,
    /// The parser's rest holds whole frames that were left when reading paused.
    backlog: bool,
    attached: Option<Attached>,
    answers: Option<Box<FuturesUnordered<Waiting>>>,
    /// When the incomplete message must be complete.
    incomplete: Option<Pin<Box<Sleep>>>,
    /// When the blocked socket must have taken something.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Unpacks what comes in, where that was agreed upon.
    unpacker: Option<Box<Unpacker>>,
    /// When what waits for the client's first word after its login is written without it.
    held: Option<Pin<Box<Sleep>>>,
    /// When a sign of life is due, where the server gives them.
    heartbeat: Option<Pin<Box<Interval>>>,
}

/// Serves a connection until it ends. `read` was read behind the upgrade request.
pub(crate) async fn run(state: GatewayState, protocol: Protocol, stream: Stream, read: Bytes) {
    count(&state.count().accepted);
    count(&state.count().open);
    let _open = Open(Arc::clone(state.count()));
    let mut task = Task::new(state, protocol, stream, &read);
    // It shares the buffer that hyper read the request into.
    drop(read);
    let end = match Box::pin(task.login()).await {
        ControlFlow::Continue(()) => match poll_fn(|cx| task.poll(cx)).await {
            Step::End(end) => end,
            Step::Login(_) => End::Malformed("the client is logged in already".to_owned()),
        },
        ControlFlow::Break(end) => end,
    };
    Box::pin(task.end(end)).await;
}

impl Task {
    fn new(state: GatewayState, protocol: Protocol, stream: Stream, read: &Bytes) -> Self {
        let (read_half, write_half) = socket::split(stream);
        let mut parser = parser(protocol, state.config());
        let backlog = !read.is_empty();
        parser.keep(Input::new(&mut read.to_vec()));
        let connection =
            Connection::new(state.teller(protocol), write_half, state.flusher(), Arc::clone(state.count()));
        connection.push(protocol.greeting().unwrap_or_default());
        Self {
            connection,
            heartbeat: (protocol == Protocol::Msync(Carrier::SockJs)).then(|| Box::pin(heartbeats(state.config()))),
            state,
            protocol,
            read: read_half,
            parser,
            backlog,
            attached: None,
            answers: None,
            incomplete: None,
            stalled: None,
            unpacker: None,
            held: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        self.connection.register(cx.waker());
        match self.try_poll(cx) {
            ControlFlow::Continue(()) => Poll::Pending,
            ControlFlow::Break(step) => Poll::Ready(step),
        }
    }

    fn try_poll(&mut self, cx: &mut Context<'_>) -> ControlFlow<Step> {
        if let Some(why) = self.connection.closing() {
            return End::Closing(why).into();
        }
        loop {
            self.poll_answers(cx)?;
            self.poll_read(cx)?;
            self.poll_heartbeat(cx);
            self.poll_held(cx);
            let paused = self.is_paused();
            self.poll_write(cx)?;
            // Nobody tells the task that it may read on.
            if !paused || self.is_paused() {
                break;
            }
        }
        self.poll_incomplete(cx)
    }

    fn poll_answers(&mut self, cx: &mut Context<'_>) -> ControlFlow<Step> {
        while let Some(answers) = &mut self.answers {
            match answers.poll_next_unpin(cx) {
                Poll::Ready(Some(answer)) => self.answered(answer)?,
                Poll::Ready(None) => self.answers = None,
                Poll::Pending => break,
            }
        }
        ControlFlow::Continue(())
    }

    fn answered(&mut self, answer: Answer) -> ControlFlow<Step> {
        self.connection.push(answer.frame);
        if answer.logged_out { End::LoggedOut.into() } else { ControlFlow::Continue(()) }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> ControlFlow<Step> {
        if self.backlog && !self.is_paused() {
            self.backlog = false;
            self.take_in(&mut [], cx)?;
        }
        while !self.is_paused() {
            let read =
                READ_BUFFER.with_borrow_mut(|buffer| match self.connection.poll_read(&mut self.read, cx, buffer) {
                    Poll::Pending => None,
                    Poll::Ready(Ok(count @ 1..)) => Some(self.take_in(&mut buffer[..count], cx)),
                    Poll::Ready(Ok(0) | Err(_)) => Some(End::Gone.into()),
                });
            match read {
                Some(flow) => flow?,
                None => break,
            }
        }
        ControlFlow::Continue(())
    }

    fn is_paused(&self) -> bool {
        let unanswered = self.answers.as_ref().map_or(0, |answers| answers.len());
        unanswered >= UNANSWERED || self.connection.queued_bytes() > QUEUED_BYTES
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> ControlFlow<Step> {
        loop {
            if self.connection.is_blocked() {
                match self.read.poll_writable(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => return End::Gone.into(),
                    Poll::Pending => return self.poll_timer(cx, |task| &mut task.stalled, End::WriteTimeout),
                }
            }
            match self.connection.flush() {
                Flushed::Idle => break,
                Flushed::More => {
                    cx.waker().wake_by_ref();
                    break;
                }
                Flushed::Blocked { progress } => {
                    if progress {
                        self.stalled = None;
                    }
                }
                Flushed::Broken => return End::Gone.into(),
            }
        }
        self.stalled = None;
        ControlFlow::Continue(())
    }

    fn poll_heartbeat(&mut self, cx: &mut Context<'_>) {
        // A socket that takes nothing has enough to read.
        if let Some(heartbeat) = &mut self.heartbeat
            && heartbeat.poll_tick(cx).is_ready()
        {
            if !self.connection.is_blocked() {
                self.connection.push(sockjs::heartbeat());
            }
            // The next one wakes the task, too.
            let _ = heartbeat.poll_tick(cx);
        }
    }

    fn poll_held(&mut self, cx: &mut Context<'_>) {
        if self.held.as_mut().is_some_and(|held| held.as_mut().poll(cx).is_ready()) {
            self.release();
        }
    }

    /// Has the mailbox written, if it was held back.
    fn release(&mut self) {
        if self.held.take().is_some() {
            self.connection.release();
            // At once: the client's first word may ask what there is. What does not go well here is seen again soon.
            let _ = self.connection.flush();
        }
    }

    fn poll_incomplete(&mut self, cx: &mut Context<'_>) -> ControlFlow<Step> {
        let incomplete = self.parser.is_mid_message() || (self.parser.has_rest() && !self.backlog);
        if incomplete && !self.is_paused() {
            return self.poll_timer(cx, |task| &mut task.incomplete, End::FrameTimeout);
        }
        self.incomplete = None;
        ControlFlow::Continue(())
    }

    /// Starts a timer unless it runs, and ends the connection when it has run out.
    fn poll_timer(
        &mut self,
        cx: &mut Context<'_>,
        timer: impl Fn(&mut Self) -> &mut Option<Pin<Box<Sleep>>>,
        end: End,
    ) -> ControlFlow<Step> {
        let config = self.state.config();
        let after: Duration = if end == End::WriteTimeout { config.write_timeout } else { config.frame_timeout };
        let sleep = timer(self).get_or_insert_with(|| Box::pin(tokio::time::sleep(after)));
        match sleep.as_mut().poll(cx) {
            Poll::Ready(()) => end.into(),
            Poll::Pending => ControlFlow::Continue(()),
        }
    }
}

/// For what comes in.
fn parser(protocol: Protocol, config: &GatewayConfig) -> Parser {
    Parser::new(protocol.messages(), protocol.frame_bytes(config.max_frame_bytes))
}

fn heartbeats(config: &GatewayConfig) -> Interval {
    let mut heartbeats = tokio::time::interval_at(Instant::now() + config.sockjs_heartbeat, config.sockjs_heartbeat);
    heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeats
}

#[cfg(test)]
mod tests {
    use super::*;

    fn future_size<A, B, C, D, F>(_: impl Fn(A, B, C, D) -> F) -> usize {
        std::mem::size_of::<F>()
    }

    /// Ten thousand idle connections hold ten thousand of these.
    #[test]
    fn the_task_of_a_connection_is_small() {
        let size = future_size(run);
        println!("future {size}, task {}, connection {}", size_of::<Task>(), size_of::<Connection>());
        assert!(size <= 640, "{size} bytes");
    }
}
