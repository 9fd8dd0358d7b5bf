//! What comes in: frames are taken out of the bytes, and each does what it says.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use stentor_msync::compress::UnpackError;

use super::{Attached, End, Step, Task};
use crate::carrier::Carrier;
use crate::counters::add;
use crate::frame::parser::{Event, Input};
use crate::frame::{self, FrameError};
use crate::protocol::{Answering, Begun, Caller, Message, Protocol, Said};
use crate::sockjs;

/// What was written to a client longer ago than this has arrived, if the client says something: in milliseconds.
const OVERLAP_MS: u64 = 10_000;

/// A request that is not answered yet.
pub(super) struct Waiting {
    answering: Answering,
    logs_out: bool,
}

/// The answer to a request.
pub(super) struct Answer {
    pub(super) frame: Bytes,
    pub(super) logged_out: bool,
}

impl Future for Waiting {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let frame = ready!(self.answering.as_mut().poll(cx));
        Poll::Ready(Answer { frame, logged_out: self.logs_out })
    }
}

impl Task {
    /// Handles the frames in `bytes`, up to one that must wait.
    pub(super) fn take_in(&mut self, bytes: &mut [u8], cx: &mut Context<'_>) -> ControlFlow<Step> {
        let counters = Arc::clone(self.state.count());
        add(&counters.bytes_in, bytes.len());
        let empty = super::parser(self.protocol, self.state.config());
        let mut parser = std::mem::replace(&mut self.parser, empty);
        let mut input = Input::new(bytes);
        let (mut events, mut messages) = (0, 0);
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() {
            if self.is_paused() {
                self.backlog = true;
                break;
            }
            let event = match parser.next(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(error) => {
                    flow = End::Frame(error).into();
                    break;
                }
            };
            events += 1;
            messages += usize::from(matches!(event, Event::Text(_) | Event::Binary(_)));
            flow = self.handle(event, cx);
        }
        if let ControlFlow::Break(Step::Login(_)) = &flow {
            self.backlog = true;
        }
        parser.keep(input);
        self.parser = parser;
        add(&counters.frames_in, events);
        if let Some(Attached(caller)) = self.attached.as_ref().filter(|_| events > 0) {
            self.state.node().heard(&caller.session);
            self.confirm_by_words(caller);
        }
        // Another message has begun since: its time starts anew.
        if messages > 0 || (events > 0 && !self.parser.is_mid_message()) {
            self.incomplete = None;
        }
        flow
    }

    /// Where clients cannot be asked how far they have read, one that says something is taken to have what was written
    /// some time before.
    fn confirm_by_words(&self, caller: &Caller) {
        if self.protocol != Protocol::Msync(Carrier::Tcp) {
            return;
        }
        let written_ms = self.state.node().clock().monotonic_ms().saturating_sub(OVERLAP_MS);
        let nothing_waits = !self.connection.is_blocked() && caller.session.waiting() == 0;
        if written_ms >= caller.attached_ms && nothing_waits {
            caller.session.confirm(caller.attachment, written_ms);
        }
    }

    fn handle(&mut self, event: Event<'_>, cx: &mut Context<'_>) -> ControlFlow<Step> {
        match event {
            Event::Text(text) if self.protocol == Protocol::Msync(Carrier::SockJs) => {
                return self.handle_sockjs(text, cx);
            }
            Event::Text(text) => return self.handle_message(Message::Text(text), cx),
            Event::Binary(bytes) => return self.handle_binary(bytes, cx),
            Event::Ping(payload) => self.connection.push(frame::pong(payload)),
            Event::Pong(payload) => self.connection.ponged(payload),
            Event::Close(code) => return End::Closed(code).into(),
        }
        ControlFlow::Continue(())
    }

    fn handle_binary(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> ControlFlow<Step> {
        let Some(unpacker) = &mut self.unpacker else { return self.handle_message(Message::Binary(bytes), cx) };
        let unpacked = unpacker.unpack(bytes, self.state.config().max_frame_bytes);
        self.release();
        match unpacked {
            Ok(message) => self.handle_message(Message::Binary(&message), cx),
            Err(UnpackError::TooLarge) => End::Frame(FrameError::TooLarge).into(),
            Err(error @ UnpackError::Malformed) => End::Malformed(error.to_string()).into(),
        }
    }

    /// A text of SockJS holds several messages.
    fn handle_sockjs(&mut self, text: &str, cx: &mut Context<'_>) -> ControlFlow<Step> {
        let messages = match sockjs::messages(text) {
            Ok(messages) => messages,
            Err(error) => return End::Malformed(error.to_string()).into(),
        };
        if messages.iter().any(|message| message.len() > self.state.config().max_frame_bytes) {
            return End::Frame(FrameError::TooLarge).into();
        }
        let mut rest = messages.iter();
        while let Some(message) = rest.next() {
            let flow = self.handle_message(Message::Binary(message), cx);
            if matches!(flow, ControlFlow::Break(Step::Login(_))) && rest.len() > 0 {
                // They would be lost: nobody knows yet who has sent them.
                return End::Malformed("the login must be alone in its frame".to_owned()).into();
            }
            flow?;
        }
        ControlFlow::Continue(())
    }

    fn handle_message(&mut self, message: Message<'_>, cx: &mut Context<'_>) -> ControlFlow<Step> {
        let malformed = |reason: &str| End::Malformed(reason.to_owned()).into();
        let Some(Attached(caller)) = &self.attached else {
            return match self.protocol.opening(message) {
                Ok(Some(opening)) => ControlFlow::Break(Step::Login(opening)),
                Ok(None) => malformed("the first frame must be a login"),
                Err(error) => malformed(&error.to_string()),
            };
        };
        match self.protocol.said(caller, message) {
            Ok(Said::Request(begun)) => return self.begin(begun, cx),
            Ok(Said::Ack(ids)) => self.state.node().acked(&caller.session, &ids),
            Ok(Said::Ping) => self.connection.push(self.connection.pong(self.state.node().clock().wall_ms())),
            Ok(Said::Pull(pull)) => {
                let (acked, answer) = self.connection.pull(pull, self.state.node().clock().wall_ms());
                self.state.node().acked(&caller.session, &acked);
                self.connection.push(answer);
            }
            Ok(Said::Nothing) => {}
            Ok(Said::Login) => return malformed("the client is logged in already"),
            Err(error) => return malformed(&error.to_string()),
        }
        ControlFlow::Continue(())
    }

    fn begin(&mut self, begun: Begun, cx: &mut Context<'_>) -> ControlFlow<Step> {
        let mut waiting = match begun {
            Begun::Done(frame) => {
                self.connection.push(frame);
                return ControlFlow::Continue(());
            }
            Begun::Waits { answering, logs_out } => Waiting { answering, logs_out },
        };
        // Polled at once, so that requests take effect in the order in which they came.
        match Pin::new(&mut waiting).poll(cx) {
            Poll::Ready(answer) => self.answered(answer),
            Poll::Pending => {
                self.answers.get_or_insert_default().push(waiting);
                ControlFlow::Continue(())
            }
        }
    }
}
