//! Messages that are found, withdrawn and amended by their number.

use bytes::Bytes;

use super::history::{ALL, found};
use super::{NEVER, NOW, app, in_inbox, keep_all, kept, ok, reader, recorded, to_user, unread, user};
use crate::id::MessageId;
use crate::message::Marks;
use crate::store::{Amended, HistoryFilter, InboxReader, Keep, KeepInHistory, Store};

/// In the history of "app", and in the inboxes of the reader and of another user.
fn everywhere(id: u64) -> Keep {
    let users = vec![user("reader"), user("other")];
    let inbox = in_inbox("reader", 200, NEVER).map(|inbox| crate::store::KeepInInbox { users, ..inbox });
    Keep { inbox, ..recorded(&to_user(id, "sender", "reader")) }
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

async fn payload(store: &dyn Store, id: u64) -> Option<Bytes> {
    ok(store.message(&app("app"), MessageId(id)).await).map(|message| message.payload.clone())
}

/// Found while it is kept anywhere, expired or not, in its own app.
pub async fn a_message_is_found_by_its_number(store: &dyn Store) {
    ok(store.keep(kept(1, 200)).await);
    ok(store.keep(recorded(&to_user(2, "sender", "reader"))).await);
    ok(store.keep(Keep { inbox: in_inbox("reader", 200, NOW), ..kept(3, 200) }).await);
    let find = |app_name, id| store.message(&app(app_name), MessageId(id));
    for id in 1..=3 {
        let message = ok(find("app", id).await);
        assert_eq!(message.as_deref(), Some(&*to_user(id, "sender", "reader")));
        assert_eq!(ok(find("app2", id).await), None);
    }
    assert_eq!(ok(find("app", 4).await), None);
    ok(store.expire(NOW).await);
    assert_eq!(ok(find("app", 3).await), None);
    ok(store.inbox_ack(&reader(""), &[MessageId(1)]).await);
    assert_eq!(ok(find("app", 1).await), None);
}

/// Gone from the history and from every inbox; nothing else is.
pub async fn a_withdrawn_message_is_nowhere(store: &dyn Store) {
    let withdraw = |app_name, id| store.withdraw(&app(app_name), MessageId(id), Vec::new());
    keep_all(store, [everywhere(1), everywhere(2), kept(3, 200), recorded(&to_user(4, "sender", "reader"))]).await;
    assert!(!ok(withdraw("app2", 1).await), "of another app");
    assert!(ok(withdraw("app", 1).await));
    assert!(!ok(withdraw("app", 1).await), "it is nowhere any more");
    assert_eq!((unread(store, "").await, found(store, &ALL, NOW).await), (vec![2, 3], vec![2, 4]));
    let other = InboxReader { user: user("other"), ..reader("") };
    let page = ok(store.inbox_page(&other, MessageId::ZERO, MessageId::MAX, 9, NOW).await);
    assert_eq!(super::ids(&page), [2]);
    assert_eq!(payload(store, 1).await, None);
    assert!(ok(withdraw("app", 3).await) && ok(withdraw("app", 4).await));
    assert_eq!((unread(store, "").await, found(store, &ALL, NOW).await), (vec![2], vec![2]));
    // Kept again, it is whole: nothing of the first time is in the way.
    ok(store.keep(everywhere(1)).await);
    assert_eq!((unread(store, "").await, found(store, &ALL, NOW).await), (vec![1, 2], vec![1, 2]));
}

/// Its bytes do not count any more.
pub async fn what_is_withdrawn_makes_room(store: &dyn Store) {
    let keep = |id| {
        let history = Some(KeepInHistory { expires_at_ms: NEVER, max_bytes: 27, hidden_from: vec![user("reader")] });
        Keep { history, ..recorded(&to_user(id, "sender", "reader")) } // nine bytes each
    };
    keep_all(store, [1, 2, 3].map(keep)).await;
    assert!(ok(store.withdraw(&app("app"), MessageId(2), Vec::new()).await));
    ok(store.keep(keep(4)).await);
    assert_eq!(found(store, &ALL, NOW).await, [1, 3, 4]);
    ok(store.keep(keep(5)).await);
    assert_eq!(found(store, &ALL, NOW).await, [3, 4, 5]);
}

/// Another payload and one more edit, for who reads it from then on; everything else stays.
pub async fn a_new_payload_is_everywhere(store: &dyn Store) {
    keep_all(store, [everywhere(1), everywhere(2)]).await;
    assert_eq!(ok(store.amend(&app("app2"), MessageId(1), text("no"), 10, Vec::new()).await), Amended::NotThere);
    assert_eq!(ok(store.amend(&app("app"), MessageId(3), text("no"), 10, Vec::new()).await), Amended::NotThere);
    assert_eq!(ok(store.amend(&app("app"), MessageId(1), text("new"), 10, Vec::new()).await), Amended::Done);
    let mut expected = (*to_user(1, "sender", "reader")).clone();
    expected.payload = text("new");
    expected.marks = Marks { edits: 1, ..Marks::default() };
    for owner in ["reader", "other"] {
        let reader = InboxReader { user: user(owner), ..reader("") };
        let page = ok(store.inbox_page(&reader, MessageId::ZERO, MessageId::MAX, 9, NOW).await);
        assert_eq!((&*page[0], &*page[1]), (&expected, &*to_user(2, "sender", "reader")));
    }
    let page = crate::store::HistoryPage { offset: 0, limit: 9, newest_first: false };
    let filter = HistoryFilter { before: Some(MessageId(2)), ..ALL };
    assert_eq!(*ok(store.history(&app("app"), &filter, page, NOW).await)[0], expected);
    assert_eq!(ok(store.message(&app("app"), MessageId(1)).await).as_deref(), Some(&expected));
    // In an inbox only, in the history only.
    ok(store.keep(kept(5, 200)).await);
    ok(store.keep(recorded(&to_user(6, "sender", "reader"))).await);
    for id in [5, 6] {
        assert_eq!(ok(store.amend(&app("app"), MessageId(id), text("new"), 1, Vec::new()).await), Amended::Done);
        assert_eq!(payload(store, id).await, Some(text("new")));
    }
}

/// As often as it may be, and not once more.
pub async fn a_message_is_amended_so_often(store: &dyn Store) {
    keep_all(store, (1..=2).map(everywhere)).await;
    let amend = |id, max| store.amend(&app("app"), MessageId(id), text("new"), max, Vec::new());
    for expected in [Amended::Done, Amended::Done, Amended::TooOften, Amended::TooOften] {
        assert_eq!(ok(amend(1, 2).await), expected);
    }
    assert_eq!(ok(amend(1, 3).await), Amended::Done, "as the caller says");
    for _ in 0..Marks::EDITS_MAX {
        assert_eq!(ok(amend(2, u8::MAX).await), Amended::Done);
    }
    assert_eq!(ok(amend(2, u8::MAX).await), Amended::TooOften, "more cannot be counted");
    assert_eq!(ok(store.amend(&app("app"), MessageId(2), text("newest"), 0, Vec::new()).await), Amended::TooOften);
    assert_eq!(payload(store, 2).await, Some(text("new")));
}

/// The history counts the bytes that a message has now.
pub async fn an_amended_message_counts_its_bytes(store: &dyn Store) {
    let keep = |id| {
        let history = Some(KeepInHistory { expires_at_ms: NEVER, max_bytes: 27, hidden_from: Vec::new() });
        Keep { history, ..recorded(&to_user(id, "sender", "reader")) } // nine bytes each
    };
    keep_all(store, [kept(9, 200), keep(10)]).await; // the first is not in the history
    ok(store.amend(&app("app"), MessageId(9), Bytes::from(vec![7; 100]), 9, Vec::new()).await);
    ok(store.amend(&app("app"), MessageId(10), Bytes::from(vec![7; 7]), 9, Vec::new()).await);
    keep_all(store, [keep(11), keep(12)]).await; // ten bytes each
    assert_eq!(found(store, &ALL, NOW).await, [10, 11, 12]);
    ok(store.amend(&app("app"), MessageId(12), Bytes::from(vec![7; 11]), 9, Vec::new()).await);
    ok(store.keep(Keep { inbox: None, history: None, ..keep(13) }).await);
    assert_eq!(found(store, &ALL, NOW).await, [10, 11, 12], "what is too much goes with the next");
    ok(store.keep(keep(14)).await);
    assert_eq!(found(store, &ALL, NOW).await, [12, 14]);
    // Kept again, a message is as it is now: the bytes of its first payload do not count.
    let small = |id| Keep { inbox: in_inbox("reader", 9, NEVER), ..keep(id) };
    ok(store.keep(Keep { history: None, ..small(20) }).await);
    ok(store.amend(&app("app"), MessageId(20), Bytes::new(), 9, Vec::new()).await);
    keep_all(store, [small(20), keep(21), keep(22)]).await; // nothing, and ten bytes each
    assert_eq!(found(store, &ALL, NOW).await, [20, 21, 22]);
}

/// What tells of a message that is gone is kept in the same step, also if the message was gone before.
pub async fn a_withdrawal_is_kept_with_its_news(store: &dyn Store) {
    ok(store.keep(everywhere(1)).await);
    for (news, was_there) in [(2, true), (3, false)] {
        let queued = store.withdraw(&app("app"), MessageId(1), vec![kept(news, 200), kept(news + 10, 200)]);
        assert_eq!(ok(queued.await), was_there);
    }
    assert_eq!(unread(store, "").await, [2, 3, 12, 13]);
    assert_eq!(ok(store.newest_message().await), MessageId(13));
}

/// What tells of another payload is kept in the same step, if the message has it.
pub async fn an_edit_is_kept_with_its_news(store: &dyn Store) {
    ok(store.keep(everywhere(1)).await);
    let amend = |id, news| store.amend(&app("app"), MessageId(id), text("new"), 1, vec![kept(news, 200)]);
    assert_eq!(ok(amend(1, 2).await), Amended::Done);
    assert_eq!(ok(amend(1, 3).await), Amended::TooOften);
    assert_eq!(ok(amend(9, 4).await), Amended::NotThere);
    assert_eq!(unread(store, "").await, [1, 2]);
}
