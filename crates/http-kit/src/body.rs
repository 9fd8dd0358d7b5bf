//! Reading a request body within bounds of size and time.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::EXPECT;
use http_body::Body;
use http_body_util::BodyExt;

/// The bounds of reading a body.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Bytes that are read and handed on.
    pub max_bytes: usize,
    /// Bytes that are read beyond `max_bytes` and thrown away before the refusal. Without it a client that is
    /// still writing would see its connection reset instead of the refusal.
    pub discard_bytes: usize,
    /// How long the whole body may take.
    pub timeout: Duration,
}

/// Why a body could not be read. What the client is told is the dialect's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More than `max_bytes`.
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit in bytes.
        max_bytes: usize,
    },
    /// Not complete in time.
    #[error("the body did not arrive in time")]
    Timeout,
    /// The connection or the transfer coding broke.
    #[error("the body could not be read")]
    Broken,
}

/// Reads the whole body of a request with these headers. One that came in a single piece is not copied.
///
/// # Errors
/// When it is too large, too slow or broken.
pub async fn read_body<B: Body<Data = Bytes>>(
    headers: &HeaderMap,
    body: B,
    limits: BodyLimits,
) -> Result<Bytes, BodyError> {
    if is_hopeless(headers, body.size_hint().lower(), limits) {
        return Err(BodyError::TooLarge { max_bytes: limits.max_bytes });
    }
    match tokio::time::timeout(limits.timeout, collect(body, limits)).await {
        Ok(read) => read,
        Err(_elapsed) => Err(BodyError::Timeout),
    }
}

/// Whether a body of at least `declared` bytes is refused without looking at it: there is more of it than would be
/// thrown away, or the client has asked before it sends it, and reading would tell it to.
fn is_hopeless(headers: &HeaderMap, declared: u64, limits: BodyLimits) -> bool {
    let bound = limits.max_bytes.saturating_add(limits.discard_bytes) as u64;
    declared > bound || (declared > limits.max_bytes as u64 && headers.contains_key(EXPECT))
}

async fn collect<B: Body<Data = Bytes>>(body: B, limits: BodyLimits) -> Result<Bytes, BodyError> {
    let mut body = pin!(body);
    if body.size_hint().lower() > limits.max_bytes as u64 {
        return Err(discard(body, limits, 0).await);
    }
    let Some(first) = next_data(&mut body).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > limits.max_bytes {
        return Err(discard(body, limits, first.len()).await);
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut whole = BytesMut::from(&first[..]);
    while let Some(data) = next_data(&mut body).await? {
        if whole.len() + data.len() > limits.max_bytes {
            return Err(discard(body, limits, whole.len() + data.len()).await);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// The next piece of data; trailers are skipped.
async fn next_data<B: Body<Data = Bytes>>(body: &mut std::pin::Pin<&mut B>) -> Result<Option<Bytes>, BodyError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_broken| BodyError::Broken)?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Throws the rest away, within bounds, so that the client gets to read the refusal.
async fn discard<B: Body<Data = Bytes>>(
    mut body: std::pin::Pin<&mut B>,
    limits: BodyLimits,
    mut seen: usize,
) -> BodyError {
    let bound = limits.max_bytes.saturating_add(limits.discard_bytes);
    while seen <= bound {
        match next_data(&mut body).await {
            Ok(Some(data)) => seen += data.len(),
            Ok(None) | Err(_) => break,
        }
    }
    BodyError::TooLarge { max_bytes: limits.max_bytes }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    const LIMITS: BodyLimits = BodyLimits { max_bytes: 8, discard_bytes: 8, timeout: Duration::from_secs(5) };
    const TOO_LARGE: BodyError = BodyError::TooLarge { max_bytes: 8 };

    async fn read<B: Body<Data = Bytes>>(body: B, limits: BodyLimits) -> Result<Bytes, BodyError> {
        read_body(&HeaderMap::new(), body, limits).await
    }

    /// Says how long it is, and never comes.
    struct Declared(u64);

    impl Body for Declared {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            std::task::Poll::Pending
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_says_it_is_far_too_large_is_refused_at_once() {
        let started = tokio::time::Instant::now();
        assert_eq!(read(Declared(17), LIMITS).await, Err(TOO_LARGE));
        assert_eq!(read(Declared(u64::MAX), LIMITS).await, Err(TOO_LARGE));
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_before_it_sends_too_much_is_refused_at_once() {
        let started = tokio::time::Instant::now();
        let asks = HeaderMap::from_iter([(EXPECT, http::HeaderValue::from_static("100-continue"))]);
        assert_eq!(read_body(&asks, Declared(9), LIMITS).await, Err(TOO_LARGE));
        assert_eq!(started.elapsed(), Duration::ZERO);
        assert_eq!(read_body(&asks, Full::new(Bytes::from("12345678")), LIMITS).await, Ok(Bytes::from("12345678")));
    }

    fn pieces(pieces: Vec<&'static str>, taken: Arc<AtomicUsize>) -> impl Body<Data = Bytes> {
        StreamBody::new(stream::iter(pieces.into_iter().map(move |piece| {
            taken.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(piece.as_bytes())))
        })))
    }

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read() {
        assert_eq!(read(Full::new(Bytes::new()), LIMITS).await, Ok(Bytes::new()));
        assert_eq!(read(Full::new(Bytes::from("12345678")), LIMITS).await, Ok(Bytes::from("12345678")));
        let body = pieces(vec!["123", "", "45678"], Arc::default());
        assert_eq!(read(body, LIMITS).await, Ok(Bytes::from("12345678")));
    }

    #[tokio::test]
    async fn one_byte_more_is_refused() {
        assert_eq!(read(Full::new(Bytes::from("123456789")), LIMITS).await, Err(TOO_LARGE));
        let body = pieces(vec!["123", "45678", "9"], Arc::default());
        assert_eq!(read(body, LIMITS).await, Err(TOO_LARGE));
        assert_eq!(read(pieces(vec!["123456789"], Arc::default()), LIMITS).await, Err(TOO_LARGE));
    }

    #[tokio::test]
    async fn the_rest_is_thrown_away_within_bounds() {
        let taken = Arc::new(AtomicUsize::new(0));
        let body = pieces(vec!["1234567890", "1234", "12345", "never read"], taken.clone());
        assert_eq!(read(body, LIMITS).await, Err(TOO_LARGE));
        assert_eq!(taken.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_is_given_up() {
        let start = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"12")))]);
        let never = futures_util::StreamExt::chain(start, stream::pending());
        assert_eq!(read(StreamBody::new(never), LIMITS).await, Err(BodyError::Timeout));
    }

    #[tokio::test]
    async fn a_broken_body_is_refused() {
        let broken = stream::iter([Ok(Frame::data(Bytes::from_static(b"12"))), Err("reset")]);
        assert_eq!(read(StreamBody::new(broken), LIMITS).await, Err(BodyError::Broken));
    }
}
