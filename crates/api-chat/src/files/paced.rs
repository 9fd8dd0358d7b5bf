//! The body of an upload on its way to whoever takes it apart: never faster than that, and never so slow that it holds
//! its place for nothing.
//!
//! An upload may take long, so it has no deadline as a whole. It is given up when nothing comes for a while, and when
//! it is slower than any line is.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep};

/// What is handed on at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// What may be read without anything coming out on the other side: names and types of parts, not their contents.
const ALLOWANCE_BYTES: usize = 64 * 1024;

/// A body must come at least so fast in the long run: bytes a second.
pub(super) const SLOWEST: u64 = 1024;

/// Why a body ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyEnd {
    /// Nothing comes, or too little.
    #[error("the body does not arrive")]
    Slow,
    /// It is longer than any form with a file of the allowed size.
    #[error("the body is too large")]
    TooLarge,
    /// It has parts whose heads are too large.
    #[error("the form is not one")]
    Shapeless,
    /// The connection or the transfer coding broke.
    #[error("the body could not be read")]
    Broken,
}

/// How much may still be read before something must come out. Whoever gets something out renews it.
#[derive(Debug, Clone)]
pub(super) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    /// Something came out.
    pub(super) fn renew(&self) {
        self.0.store(ALLOWANCE_BYTES, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }
}

/// A body in pieces.
#[derive(Debug)]
pub(super) struct Paced {
    body: BodyDataStream,
    rest: Bytes,
    allowance: Allowance,
    idle_timeout: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    waited: Duration,
    received: u64,
    max_bytes: u64,
    /// One piece was handed on: the next one only when it was looked at.
    pause: bool,
}

impl Paced {
    /// At most `max_bytes` of a body.
    pub(super) fn new(body: BodyDataStream, max_bytes: u64, idle_timeout: Duration) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            allowance: Allowance(Arc::new(AtomicUsize::new(ALLOWANCE_BYTES))),
            idle_timeout,
            waiting: None,
            waited: Duration::ZERO,
            received: 0,
            max_bytes,
            pause: false,
        }
    }

    pub(super) fn allowance(&self) -> Allowance {
        self.allowance.clone()
    }

    /// The next bytes from the client, unless they take too long.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyEnd>>> {
        match Pin::new(&mut self.body).poll_next(context) {
            Poll::Ready(next) => {
                if let Some((since, _)) = self.waiting.take() {
                    self.waited += since.elapsed();
                }
                let bearable = self.idle_timeout + Duration::from_secs(self.received / SLOWEST);
                if next.is_some() && self.waited > bearable {
                    return Poll::Ready(Some(Err(BodyEnd::Slow)));
                }
                Poll::Ready(next.map(|data| data.map_err(|_broken| BodyEnd::Broken)))
            }
            Poll::Pending => {
                let idle_timeout = self.idle_timeout;
                let (_, timer) = self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(idle_timeout))));
                ready!(timer.as_mut().poll(context));
                Poll::Ready(Some(Err(BodyEnd::Slow)))
            }
        }
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, BodyEnd>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if std::mem::take(&mut this.pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while this.rest.is_empty() {
            match ready!(this.poll_body(context)) {
                Some(Ok(data)) => this.rest = data,
                end => return Poll::Ready(end),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE_BYTES));
        this.received += piece.len() as u64;
        if this.received > this.max_bytes {
            return Poll::Ready(Some(Err(BodyEnd::TooLarge)));
        }
        if !this.allowance.take(piece.len()) {
            return Poll::Ready(Some(Err(BodyEnd::Shapeless)));
        }
        this.pause = true;
        Poll::Ready(Some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use futures_util::{StreamExt, stream};

    use super::*;

    const IDLE: Duration = Duration::from_secs(10);

    fn paced(body: Body, max_bytes: u64) -> Paced {
        Paced::new(body.into_data_stream(), max_bytes, IDLE)
    }

    /// Reads all of it, as somebody does for whom something comes out each time.
    async fn read(mut paced: Paced) -> Result<usize, BodyEnd> {
        let mut bytes = 0;
        while let Some(piece) = paced.next().await {
            let piece = piece?;
            assert!(piece.len() <= PIECE_BYTES);
            paced.allowance().renew();
            bytes += piece.len();
        }
        Ok(bytes)
    }

    #[tokio::test]
    async fn it_is_read_up_to_the_limit() {
        assert_eq!(read(paced(Body::from(vec![0; 300_000]), 300_000)).await, Ok(300_000));
        assert_eq!(read(paced(Body::from(vec![0; 300_001]), 300_000)).await, Err(BodyEnd::TooLarge));
        assert_eq!(read(paced(Body::empty(), 0)).await, Ok(0));
    }

    #[tokio::test]
    async fn what_goes_in_without_anything_coming_out_is_bounded() {
        let mut body = paced(Body::from(vec![0; 300_000]), 300_000);
        let (mut taken, mut end) = (0, None);
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => taken += piece.len(),
                Err(why) => {
                    end = Some(why);
                    break;
                }
            }
        }
        assert_eq!((taken, end), (ALLOWANCE_BYTES, Some(BodyEnd::Shapeless)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stops_is_given_up() {
        let start = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"12"))]);
        let body = Body::from_stream(start.chain(stream::pending()));
        let started = Instant::now();
        assert_eq!(read(paced(body, 100)).await, Err(BodyEnd::Slow));
        assert_eq!(started.elapsed().as_secs(), IDLE.as_secs());
    }

    fn every(pause: Duration, bytes: usize, times: usize) -> Body {
        Body::from_stream(stream::iter(0..times).then(move |_| async move {
            sleep(pause).await;
            Ok::<_, Infallible>(Bytes::from(vec![0; bytes]))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_goes_on_may_take_long_but_not_for_ever() {
        let slowly = every(Duration::from_secs(9), 9 * 1024, 100);
        assert_eq!(read(paced(slowly, 1 << 20)).await, Ok(100 * 9 * 1024));
        let dripping = every(Duration::from_secs(9), 1, 100);
        assert_eq!(read(paced(dripping, 1 << 20)).await, Err(BodyEnd::Slow));
    }

    #[tokio::test]
    async fn one_that_breaks_off_is_broken() {
        let body = Body::from_stream(stream::iter([Ok(Bytes::from_static(b"12")), Err("reset")]));
        assert_eq!(read(paced(body, 100)).await, Err(BodyEnd::Broken));
    }
}
