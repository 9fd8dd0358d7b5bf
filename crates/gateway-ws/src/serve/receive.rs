//! What comes in: frames are taken out of the bytes, and each does what it says.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::{Attached, End, Step, Task};
use crate::codec::reply::{self, Refusal};
use crate::codec::request::{self, ClientFrame, Request};
use crate::codes;
use crate::counters::add;
use crate::frame;
use crate::frame::parser::{Event, Input, Parser};
use crate::requests::{Answering, Begun, Caller};

/// A request that is not answered yet.
pub(super) struct Waiting {
    id: u64,
    logged_out: bool,
    answered: Answering,
}

/// The answer to a request.
pub(super) struct Answer {
    pub(super) frame: Bytes,
    pub(super) logged_out: bool,
}

impl Future for Waiting {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let answered = ready!(self.answered.as_mut().poll(cx));
        Poll::Ready(Answer { frame: reply::reply(self.id, &answered), logged_out: self.logged_out })
    }
}

impl Task {
    /// Handles the frames in `bytes`, up to one that must wait.
    pub(super) fn take_in(&mut self, bytes: &mut [u8], cx: &mut Context<'_>) -> ControlFlow<Step> {
        let counters = Arc::clone(self.state.count());
        add(&counters.bytes_in, bytes.len());
        let mut parser = std::mem::replace(&mut self.parser, Parser::new(self.state.config().max_frame_bytes));
        let mut input = Input::new(bytes);
        let (mut events, mut texts) = (0, 0);
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
            texts += usize::from(matches!(event, Event::Text(_)));
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
        }
        // Another message has begun since: its time starts anew.
        if texts > 0 || (events > 0 && !self.parser.is_mid_message()) {
            self.incomplete = None;
        }
        flow
    }

    fn handle(&mut self, event: Event<'_>, cx: &mut Context<'_>) -> ControlFlow<Step> {
        match event {
            Event::Text(text) => return self.handle_text(text, cx),
            Event::Ping(payload) => self.connection.push(frame::pong(payload)),
            Event::Pong => {}
            Event::Close(code) => return End::Closed(code).into(),
        }
        ControlFlow::Continue(())
    }

    fn handle_text(&mut self, text: &str, cx: &mut Context<'_>) -> ControlFlow<Step> {
        let frame = match request::parse(text) {
            Ok(frame) => frame,
            Err(error) => return End::Malformed(error.to_string()).into(),
        };
        match (self.attached.as_ref().map(|attached| &attached.0), frame) {
            (None, ClientFrame::Login(login)) => return ControlFlow::Break(Step::Login(login)),
            (None, _) => return End::Malformed("the first frame must be a login".to_owned()).into(),
            (Some(_), ClientFrame::Login(_)) => {
                return End::Malformed("the client is logged in already".to_owned()).into();
            }
            (Some(_), ClientFrame::Ping) => {
                self.connection.push(reply::pong(self.state.node().clock().wall_ms()));
            }
            (Some(caller), ClientFrame::Ack(ids)) => self.state.node().acked(&caller.session, &ids),
            (Some(_), ClientFrame::Request { id, request: None }) => {
                let refusal = Refusal { code: codes::UNKNOWN_TYPE, reason: "unknown type".to_owned() };
                self.connection.push(reply::reply(id, &Err(refusal)));
            }
            (Some(caller), ClientFrame::Request { id, request: Some(request) }) => {
                let caller = Arc::clone(caller);
                return self.begin(&caller, id, request, cx);
            }
        }
        ControlFlow::Continue(())
    }

    fn begin(
        &mut self,
        caller: &Arc<Caller>,
        id: u64,
        request: Request<'_>,
        cx: &mut Context<'_>,
    ) -> ControlFlow<Step> {
        let logged_out = request == Request::Logout;
        let mut waiting = match caller.begin(request) {
            Begun::Done(answered) => {
                self.connection.push(reply::reply(id, &answered));
                return ControlFlow::Continue(());
            }
            Begun::Waits(answered) => Waiting { id, logged_out, answered },
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
