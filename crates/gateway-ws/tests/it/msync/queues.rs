//! What waits, what is pulled, and what is acked.

use stentor_msync::BodyType;

use super::{USERS, body, jid, text};
use crate::chat::{gateway, user};
use crate::harness::Gateway;

async fn waiting(gateway: &Gateway, name: &str) -> usize {
    gateway.node.offline_messages(&gateway.chat, &user(name)).await.expect("counted")
}

fn texts(down: &stentor_msync::SyncDown) -> Vec<String> {
    let text = |meta: &stentor_msync::Meta| body(meta).contents[0].text.clone().expect("a text");
    down.metas.iter().map(text).collect()
}

#[tokio::test]
async fn what_was_kept_is_listed_pulled_in_pages_and_acked_by_key() {
    let gateway = gateway().await;
    for number in 0..25 {
        gateway.text_to("bob", &number.to_string()).await;
    }
    let mut bob = gateway.sdk("bob").await;
    assert_eq!(bob.unread().await, [("backend".to_owned(), 25)]);
    let queue = jid("backend", USERS);
    let (mut key, mut all) = (None, Vec::new());
    for size in [20, 5] {
        let page = bob.pull(queue.clone(), key).await;
        assert_eq!((page.metas.len(), page.is_last), (size, Some(false)));
        assert_eq!(page.metas[0].meta.as_deref(), Some(&br#"{"is_online":0}"#[..]));
        assert_eq!(page.next_key, page.metas.last().and_then(|last| last.id));
        assert_eq!(waiting(&gateway, "bob").await, 25 - all.len());
        key = page.next_key;
        all.extend(texts(&page));
    }
    assert_eq!(all, (0..25).map(|number| number.to_string()).collect::<Vec<_>>());
    let end = bob.pull(queue.clone(), key).await;
    assert_eq!((end.metas.len(), end.is_last, end.next_key), (0, Some(true), key));
    assert_eq!(waiting(&gateway, "bob").await, 0);
    // Asked again, it is at its end again.
    assert_eq!(bob.pull(queue, None).await.is_last, Some(true));
    assert!(bob.unread().await.is_empty());
}

#[tokio::test]
async fn what_is_not_acked_comes_again() {
    let gateway = gateway().await;
    gateway.text_to("bob", "a").await;
    gateway.text_to("bob", "b").await;
    let mut bob = gateway.sdk("bob").await;
    bob.unread().await;
    let page = bob.pull(jid("backend", USERS), None).await;
    let first = page.metas[0].id;
    bob.pull(jid("backend", USERS), first).await;
    // A key of another queue says nothing about this one.
    bob.pull(jid("carol", USERS), Some(u64::MAX)).await;
    assert_eq!(waiting(&gateway, "bob").await, 1);
    let mut again = gateway.sdk("bob").await;
    assert_eq!(again.unread().await, [("backend".to_owned(), 1)]);
}

#[tokio::test]
async fn live_messages_are_written_at_once_and_acked_by_key() {
    let gateway = gateway().await;
    let mut bob = gateway.sdk("bob").await;
    bob.unread().await;
    gateway.text_to("bob", "now").await;
    let pushed = bob.items().await;
    assert_eq!(texts(&pushed), ["now"]);
    assert_eq!((pushed.is_last, pushed.next_key), (Some(false), pushed.metas[0].id));
    assert_eq!(pushed.queue, Some(jid("backend", USERS)));
    assert_eq!(pushed.metas[0].meta.as_deref(), Some(&br#"{"is_online":1}"#[..]));
    assert_eq!(waiting(&gateway, "bob").await, 1);
    assert_eq!(bob.pull(jid("backend", USERS), pushed.next_key).await.is_last, Some(true));
    assert_eq!(waiting(&gateway, "bob").await, 0);
}

/// While older ones wait to be pulled, a live one stands behind them; other conversations are not held up.
#[tokio::test]
async fn live_messages_do_not_overtake_what_waits() {
    let gateway = gateway().await;
    gateway.text_to("bob", "old").await;
    let mut bob = gateway.sdk("bob").await;
    assert_eq!(bob.unread().await, [("backend".to_owned(), 1)]);
    gateway.text_to("bob", "new").await;
    let mut alice = gateway.sdk("alice").await;
    alice.sent(jid("bob", USERS), &text(BodyType::Chat, "hi")).await;
    let pushed = bob.items().await;
    assert_eq!((texts(&pushed), pushed.queue), (vec!["hi".to_owned()], Some(jid("alice", USERS))));
    let page = bob.pull(jid("backend", USERS), None).await;
    assert_eq!(texts(&page), ["old", "new"]);
}

/// A client that has asked before anything was there is told when something is.
#[tokio::test]
async fn a_queue_that_fills_later_is_given_notice_of_once() {
    let gateway = gateway().await;
    for number in 0..60 {
        gateway.text_to("bob", &number.to_string()).await;
    }
    // The first page of the inbox is there at once, the rest may come later: nothing is lost, whatever is asked when.
    let mut bob = gateway.sdk("bob").await;
    let listed = bob.unread().await;
    let queue = match listed.first() {
        Some((name, _)) => name.clone(),
        None => bob.notice().await,
    };
    let (mut key, mut count) = (None, 0);
    while count < 60 {
        let page = bob.pull(jid(&queue, USERS), key).await;
        count += page.metas.len();
        key = page.next_key.or(key);
        if page.is_last == Some(true) && count < 60 {
            assert_eq!(bob.notice().await, queue);
            key = None;
        }
    }
    assert_eq!(count, 60);
}

#[tokio::test]
async fn each_device_acks_for_itself() {
    let gateway = gateway().await;
    let mut phone = gateway.sdk_on("bob", "phone").await;
    let mut web = gateway.sdk_on("bob", "web").await;
    gateway.text_to("bob", "hi").await;
    let key = phone.items().await.next_key;
    phone.pull(jid("backend", USERS), key).await;
    assert_eq!(texts(&web.items().await), ["hi"]);
    // It goes on with its session, which looks alive, and has been handed the message.
    let mut web = gateway.sdk_on("bob", "web").await;
    assert_eq!(texts(&web.items().await), ["hi"]);
    web.heard_nothing_else().await;
    gateway.sdk_on("bob", "phone").await.heard_nothing_else().await;
}

/// A device that was never there begins with the oldest message that its user has on no other; each goes on for itself.
#[tokio::test]
async fn a_new_device_begins_with_what_the_user_has_nowhere() {
    let gateway = gateway().await;
    for number in 0..6 {
        gateway.text_to("bob", &number.to_string()).await;
    }
    let queue = jid("backend", USERS);
    let mut phone = gateway.sdk_on("bob", "phone").await;
    assert_eq!(phone.unread().await, [("backend".to_owned(), 6)]);
    let page = phone.pull(queue.clone(), None).await;
    // The third is the last that it says it has.
    phone.pull(queue.clone(), page.metas[2].id).await;
    let mut web = gateway.sdk_on("bob", "web").await;
    assert_eq!(web.unread().await, [("backend".to_owned(), 3)]);
    let page = web.pull(queue.clone(), None).await;
    assert_eq!(texts(&page), ["3", "4", "5"]);
    assert_eq!(web.pull(queue.clone(), page.next_key).await.is_last, Some(true));
    drop((phone, web));
    // What one has, the other does not.
    let mut phone = gateway.sdk_on("bob", "phone").await;
    assert_eq!(phone.unread().await, [("backend".to_owned(), 3)]);
    let mut web = gateway.sdk_on("bob", "web").await;
    assert!(web.unread().await.is_empty());
    gateway.text_to("bob", "6").await;
    for (sdk, expected) in [(&mut web, vec!["6"]), (&mut phone, vec!["3", "4", "5", "6"])] {
        let mut got = Vec::new();
        while got.len() < expected.len() {
            let down = match got.is_empty() && expected.len() > 1 {
                true => sdk.pull(queue.clone(), None).await,
                false => sdk.items().await,
            };
            got.extend(texts(&down));
        }
        assert_eq!(got, expected);
    }
}
