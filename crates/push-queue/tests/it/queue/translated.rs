//! Texts that are translated: who wants a translation waits for it beside the others, and not for ever.

use std::sync::atomic::{AtomicUsize, Ordering};

use stentor_core::directory::users::{PushStyle, UserChange};
use stentor_push_queue::translate::Translator;
use tokio::sync::Semaphore;

use super::*;

/// Answers when it is let.
#[derive(Debug)]
struct Slow {
    asked: AtomicUsize,
    news: Notify,
    let_go: Semaphore,
}

impl Slow {
    async fn asked(&self, count: usize) {
        let all = async {
            loop {
                let news = self.news.notified();
                if self.asked.load(Ordering::SeqCst) >= count {
                    return;
                }
                news.await;
            }
        };
        timeout(DEADLINE, all).await.expect("it is asked");
    }
}

#[async_trait]
impl Translator for Slow {
    async fn translate(&self, text: &str, _source: Option<&str>, target: &str) -> Option<String> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.news.notify_waiters();
        self.let_go.acquire().await.ok()?.forget();
        (text != "unknown").then(|| format!("[{target}] {text}"))
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(4)
    }
}

/// Bob has set a language, carol has not; both show texts.
async fn translating() -> (Pushing, Arc<Slow>) {
    let slow = Arc::new(Slow { asked: AtomicUsize::new(0), news: Notify::new(), let_go: Semaphore::new(0) });
    let pushing = pushing_with(PushBounds::default(), true, Some(slow.clone())).await;
    pushing.bind("carol", "tablet", "fcm", "token-2").await;
    let node = &pushing.world.node;
    node.set_push_language(&pushing.world.app, &user("bob"), "DE").await.expect("sets");
    for name in ["bob", "carol"] {
        let change = UserChange { push_style: Some(PushStyle::Content), ..UserChange::default() };
        node.change_user(&pushing.world.app, &user(name), &change).await.expect("changes");
    }
    (pushing, slow)
}

impl Pushing {
    async fn send_to(&self, name: &str, text: &str) -> MessageId {
        let options = SendOptions { keep: true, ..SendOptions::default() };
        let payload = Bytes::copy_from_slice(text.as_bytes());
        let send = SendPeer { from: user("alice"), to: user(name), payload, wait_for_ack: false, options };
        self.world.node.send_peer(&self.world.app, Origin::Backend, send).await.expect("taken").id
    }
}

fn shown(push: &Push) -> (&str, &str) {
    (push.token.as_str(), push.content.as_str())
}

#[tokio::test]
async fn nobody_else_waits_for_a_translation() {
    let (pushing, slow) = translating().await;
    for number in 0..3 {
        pushing.send_to("bob", &format!("text {number}")).await;
    }
    slow.asked(3).await;
    pushing.send_to("carol", "at once").await;
    assert_eq!(shown(&pushing.came(1).await[0]), ("token-2", "alice: at once"));
    slow.let_go.add_permits(3);
    let mut came: Vec<_> = pushing.came(4).await.iter().skip(1).map(|push| push.content.clone()).collect();
    came.sort();
    assert_eq!(came, ["alice: [DE] text 0", "alice: [DE] text 1", "alice: [DE] text 2"]);
    let marker = pushing.send_to("carol", "marker").await;
    assert_eq!(pushing.came(5).await[4].custom.message, marker.to_string(), "each once");
    assert_eq!((pushing.left().await, pushing.queue.waiting()), ((0, 0), (0, 0)));
}

#[tokio::test]
async fn what_cannot_be_translated_goes_as_it_is() {
    let (pushing, slow) = translating().await;
    slow.let_go.add_permits(1);
    pushing.send_to("bob", "unknown").await;
    assert_eq!(shown(&pushing.came(1).await[0]), ("token-1", "alice: unknown"));
    // The translator does not come back.
    pushing.send_to("bob", "hangs").await;
    slow.asked(2).await;
    pushing.advance(Duration::from_secs(5));
    assert_eq!(shown(&pushing.came(2).await[1]), ("token-1", "alice: hangs"));
    slow.let_go.add_permits(1);
    let marker = pushing.send_to("carol", "marker").await;
    assert_eq!(pushing.came(3).await[2].custom.message, marker.to_string(), "it is not told twice");
}

#[tokio::test]
async fn who_acks_meanwhile_is_not_told() {
    let (pushing, slow) = translating().await;
    let message = pushing.send_to("bob", "text").await;
    slow.asked(1).await;
    let bob = pushing.connect("bob").await;
    pushing.world.node.acked(&bob.session, &[message]);
    pushing.advance(Duration::from_secs(3));
    slow.let_go.add_permits(1);
    pushing.logged(message, "the message does not wait any more").await;
}

#[tokio::test]
async fn a_restart_forgets_the_translation_and_not_the_push() {
    let (pushing, slow) = translating().await;
    pushing.send_to("bob", "text").await;
    slow.asked(1).await;
    // It is written by now: a later message is decided on.
    pushing.send_to("carol", "marker").await;
    pushing.came(1).await;
    pushing.queue.stop().await;
    let again = queue_of(&pushing.world, &pushing.lines, PushBounds::default(), None).await;
    again.start();
    pushing.world.clock.advance(Duration::from_secs(5));
    again.wake();
    assert_eq!(shown(&pushing.came(2).await[1]), ("token-1", "alice: text"));
    again.stop().await;
}
