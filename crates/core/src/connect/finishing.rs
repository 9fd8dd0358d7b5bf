//! What is finished although nobody waits for it any more.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::node::Node;

/// A future that goes on by itself if it is dropped before its end.
pub(super) struct Finishing {
    node: Node,
    rest: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Finishing {
    pub(super) fn new(node: Node, future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { node, rest: Some(Box::pin(future)) }
    }
}

impl Future for Finishing {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(cx));
            self.rest = None;
        }
        Poll::Ready(())
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        if let Some(rest) = self.rest.take() {
            self.node.spawn(rest);
        }
    }
}
