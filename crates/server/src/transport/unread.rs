//! What a handler has not read of a request's body: a refusal needs no body, and the connection is to go on behind it.
//! A little is read and thrown away before the answer; where that is not to be done, the answer says that the connection
//! ends, so that no client sends its next request into it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use parking_lot::Mutex;
use tower::Service;

/// So much of an unread body is read. More is a client's mistake that may cost it the connection.
const MAX_BYTES: u64 = 256 * 1024;

/// How long the rest of a body may take to come.
const PATIENCE: Duration = Duration::from_secs(1);

/// A service whose unread bodies are read.
#[derive(Debug, Clone)]
pub(super) struct ReadsRest<S>(pub(super) S);

impl<S> Service<Request<Incoming>> for ReadsRest<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        if request.body().is_end_stream() {
            return Box::pin(self.0.call(request.map(|_| Body::empty())));
        }
        // Reading would tell such a client to send.
        let asks_first = request.headers().contains_key(EXPECT);
        let left = Left::default();
        let lent = |body| Body::new(Lent { body: Some(body), left: left.clone() });
        let answer = self.0.call(request.map(lent));
        Box::pin(async move {
            let mut response = answer.await?;
            let rest = left.0.lock().take();
            if let Some(rest) = rest
                && (asks_first || !read(rest).await)
            {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        })
    }
}

/// Reads and throws away. Whether that was the whole rest.
async fn read(mut rest: Incoming) -> bool {
    if rest.size_hint().lower() > MAX_BYTES {
        return false;
    }
    let all = async {
        let mut bytes = 0;
        while let Some(frame) = rest.frame().await {
            let Ok(frame) = frame else { return false };
            bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
            if bytes > MAX_BYTES {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap_or(false)
}

/// Where a body comes back to whose reader has dropped it before its end.
#[derive(Debug, Clone, Default)]
struct Left(Arc<Mutex<Option<Incoming>>>);

/// A body that comes back.
#[derive(Debug)]
struct Lent {
    body: Option<Incoming>,
    left: Left,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.left.0.lock() = self.body.take().filter(|body| !body.is_end_stream());
    }
}
