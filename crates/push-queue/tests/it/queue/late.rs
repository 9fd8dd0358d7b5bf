//! What has changed while a push waited: the clock, the message, its receiver.

use stentor_core::delivery::{Edit, Edited};
use stentor_core::directory::users::UserChange;

use super::*;

impl Pushing {
    async fn edit(&self, message: MessageId, text: &'static str) {
        let edit = Edit { id: message, to: None, by: user("alice") };
        let edited =
            |_: &Message, _| Ok::<_, ()>(Edited { payload: Bytes::from(text), news: Bytes::from_static(b"edited") });
        self.world.node.edit(&self.world.app, Origin::Backend, edit, edited).await.expect("edited");
    }

    async fn show_texts(&self) {
        let show = self.world.node.put_push_template(&self.world.app, "default", (None, Some("{$msg}")), false);
        show.await.expect("made");
    }
}

#[tokio::test]
async fn a_clock_that_is_put_back_makes_nobody_wait() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.answer(failed());
    let message = pushing.send("Hi").await;
    pushing.logged(message, "pushed; phone waiting 1 failed: down").await;
    pushing.world.clock.set_wall_ms(crate::kit::NOW_MS - 90 * 60_000);
    pushing.advance(Duration::from_secs(2));
    pushing.logged(message, &format!("pushed; phone sent 2 id-{message}:bob:phone")).await;
    let next = pushing.send("Hi").await;
    pushing.logged(next, &format!("pushed; phone sent 1 id-{next}:bob:phone")).await;
}

#[tokio::test]
async fn a_clock_that_was_put_back_before_the_start_makes_nobody_wait() {
    let pushing = pushing(PushBounds::default(), false).await;
    let undecided = pushing.send("one").await;
    pushing.world.clock.set_wall_ms(crate::kit::NOW_MS - 90 * 60_000);
    pushing.answer(failed());
    pushing.queue.start();
    pushing.logged(undecided, "pushed; phone waiting 1 failed: down").await;
    pushing.queue.stop().await;
    pushing.world.clock.set_wall_ms(crate::kit::NOW_MS - 180 * 60_000);
    let again = queue_of(&pushing.world, &pushing.lines, PushBounds::default(), None).await;
    again.start();
    let pushing = Pushing { queue: again, ..pushing };
    // The whole wait from the start: what of it had passed is not known.
    let planned = async {
        loop {
            let all = Scan::of(RecordKind::PushDelivery, "", 10);
            let found = pushing.world.store.scan_records(pushing.world.app.id(), all).await.expect("scans");
            let due = found[0].0.strip_prefix("fcm/").map(|key| u64::from_str_radix(&key[..16], 16).expect("a time"));
            if due.expect("a key") <= pushing.world.clock.wall_ms() + 1_000 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, planned).await.expect("planned anew");
    pushing.advance(Duration::from_secs(1));
    pushing.logged(undecided, &format!("pushed; phone sent 2 id-{undecided}:bob:phone")).await;
}

#[tokio::test]
async fn a_wait_that_was_asked_for_is_not_shortened_by_a_clock_that_is_put_back() {
    let pushing = pushing(PushBounds::default(), true).await;
    let retry_after = Some(Duration::from_secs(7_200));
    pushing.answer(Err(PushError::Throttled { reason: "slow".to_owned(), retry_after, scope: Scope::Device }));
    let message = pushing.send("Hi").await;
    pushing.logged(message, "pushed; phone waiting 1 throttled: slow").await;
    pushing.advance(Duration::from_secs(3_600));
    pushing.world.clock.set_wall_ms(crate::kit::NOW_MS);
    pushing.advance(Duration::from_secs(3_599));
    let marker = pushing.send("marker").await;
    pushing.logged(marker, &format!("pushed; phone sent 1 id-{marker}:bob:phone")).await;
    assert_eq!(pushing.shown(message).await, "pushed; phone waiting 1 throttled: slow");
    // Lengthened at random by up to a tenth.
    pushing.advance(Duration::from_secs(721));
    pushing.logged(message, &format!("pushed; phone sent 2 id-{message}:bob:phone")).await;
}

#[tokio::test]
async fn the_next_try_says_what_the_message_says_now() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.show_texts().await;
    pushing.answer(failed());
    pushing.answer(failed());
    let message = pushing.send("before").await;
    pushing.logged(message, "pushed; phone waiting 1 failed: down").await;
    pushing.edit(message, "after").await;
    pushing.advance(Duration::from_millis(1_000));
    pushing.logged(message, "pushed; phone waiting 2 failed: down").await;
    let log = pushing.queue.log(&user("bob"), Some(message), 1).await.expect("reads");
    assert_eq!((log[0].content.as_str(), log[0].from.as_str()), ("after", "alice"));
    pushing.advance(Duration::from_secs(6));
    pushing.logged(message, &format!("pushed; phone sent 3 id-{message}:bob:phone")).await;
    let said: Vec<_> = pushing.came(3).await.iter().map(|push| push.content.clone()).collect();
    assert_eq!(said, ["before", "after", "after"]);
}

#[tokio::test]
async fn what_was_edited_before_it_is_decided_on_says_the_new() {
    let pushing = pushing(PushBounds::default(), false).await;
    pushing.show_texts().await;
    let message = pushing.send("before").await;
    pushing.edit(message, "after").await;
    pushing.world.clock.advance(Duration::from_secs(3));
    pushing.queue.start();
    assert_eq!(pushing.came(1).await[0].content, "after");
}

#[tokio::test]
async fn who_is_deactivated_is_not_told() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.answer(failed());
    let waits = pushing.send("one").await;
    pushing.logged(waits, "pushed; phone waiting 1 failed: down").await;
    let change = UserChange { active: Some(false), ..UserChange::default() };
    pushing.world.node.change_user(&pushing.world.app, &user("bob"), &change).await.expect("deactivated");
    let message = pushing.send("two").await;
    pushing.logged(message, "user deactivated").await;
    pushing.advance(Duration::from_secs(2));
    pushing.logged(waits, "pushed; phone left_out 1 user deactivated").await;
    let ends = pushing.ends().await;
    assert_eq!(ends, ["bob phone HeldBack user deactivated", "bob - HeldBack user deactivated"]);
}

#[tokio::test]
async fn what_a_full_inbox_dropped_is_said_so() {
    let pushing = pushing(PushBounds::default(), false).await;
    let first = pushing.send("first").await;
    for number in 0..200 {
        pushing.send(&number.to_string()).await;
    }
    pushing.world.clock.advance(Duration::from_secs(3));
    pushing.queue.start();
    pushing.logged(first, "the inbox was full").await;
    assert_eq!(pushing.came(200).await.len(), 200);
    assert!(pushing.ends().await.contains(&"bob - HeldBack the inbox was full".to_owned()));
}
