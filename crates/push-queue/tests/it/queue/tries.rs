//! What becomes of pushes that are not taken at once, and of their certificates.

use super::*;

#[tokio::test]
async fn a_failure_is_tried_again_under_the_same_key() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.answer(failed());
    let message = pushing.send("Hi").await;
    pushing.logged(message, "pushed; phone waiting 1 failed: down").await;
    assert_eq!(pushing.left().await, (0, 1));
    pushing.advance(Duration::from_secs(2));
    let came = pushing.came(2).await;
    assert_eq!(came[0].dedup_key, came[1].dedup_key);
    pushing.logged(message, &format!("pushed; phone sent 2 id-{message}:bob:phone")).await;
    assert_eq!(pushing.left().await, (0, 0));
}

#[tokio::test]
async fn a_retry_is_needless_once_the_user_has_the_message() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.answer(failed());
    let message = pushing.send("Hi").await;
    pushing.logged(message, "pushed; phone waiting 1 failed: down").await;
    let reader = InboxReader { app: pushing.world.app.id().clone(), user: user("bob"), device: DeviceId::only() };
    pushing.world.store.inbox_ack(&reader, &[message]).await.expect("acked");
    pushing.advance(Duration::from_secs(3));
    pushing.logged(message, "pushed; phone left_out 1 the message does not wait any more").await;
    assert_eq!(pushing.came(1).await.len(), 1);
}

#[tokio::test]
async fn nobody_is_told_after_a_day() {
    let pushing = pushing(PushBounds::default(), true).await;
    let retry_after = Some(Duration::from_secs(70_000));
    pushing.answer(Err(PushError::Throttled { reason: "slow".to_owned(), retry_after, scope: Scope::Device }));
    let message = pushing.send("Hi").await;
    pushing.logged(message, "pushed; phone waiting 1 throttled: slow").await;
    pushing.advance(Duration::from_secs(86_401));
    pushing.logged(message, "pushed; phone left_out 1 expire message").await;
    assert_eq!(pushing.came(1).await.len(), 1);
}

#[tokio::test]
async fn a_refusal_ends_it_and_a_dead_token_is_forgotten() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.answer(Err(PushError::Refused { reason: "BadTopic".to_owned() }));
    let refused = pushing.send("one").await;
    pushing.logged(refused, "pushed; phone failed 1 refused: BadTopic").await;
    let bob = user("bob");
    let bindings = || pushing.world.node.push_bindings(&pushing.world.app, &bob);
    assert_eq!(bindings().await.expect("reads").len(), 1);

    *pushing.lines.keeps_tokens.lock() = true;
    let dead = || Err(PushError::DeadToken { reason: "gone".to_owned(), since_ms: None });
    pushing.answer(dead());
    let kept = pushing.send("two").await;
    pushing.logged(kept, "pushed; phone failed 1 dead token: gone").await;
    pushing.send("three").await;
    pushing.came(3).await;
    assert_eq!(bindings().await.expect("reads").len(), 1, "the certificate is not trusted");

    *pushing.lines.keeps_tokens.lock() = false;
    pushing.answer(dead());
    let gone = pushing.send("four").await;
    pushing.logged(gone, "pushed; phone failed 1 dead token: gone").await;
    let after = pushing.send("five").await;
    // Whether the token was forgotten before the next message was decided on is a matter of time.
    let forgotten = async {
        while !bindings().await.expect("reads").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, forgotten).await.expect("forgotten");
    let _ = after;
    let last = pushing.send("six").await;
    pushing.logged(last, "no push binding").await;
}

#[tokio::test]
async fn a_provider_that_is_down_is_left_alone_and_nothing_is_lost() {
    let pushing = pushing(PushBounds::default(), true).await;
    for _ in 0..2 {
        pushing.answer(failed());
    }
    let mut messages = Vec::new();
    for number in 0..20 {
        messages.push(pushing.send(&number.to_string()).await);
    }
    pushing.came(2).await;
    // Only what was under way when the breaker opened was asked for.
    pushing.logged(messages[19], "pushed; phone waiting 0 -").await;
    assert!(pushing.told.came.lock().len() < 8, "{}", pushing.told.came.lock().len());
    for _ in 0..40 {
        pushing.advance(Duration::from_secs(20));
        tokio::task::yield_now().await;
    }
    let came = pushing.came(22).await;
    assert_eq!(came.len(), 22);
    for message in messages {
        let attempts = came.iter().filter(|push| push.custom.message == message.to_string()).count();
        pushing.logged(message, &format!("pushed; phone sent {attempts} id-{message}:bob:phone")).await;
    }
}

#[tokio::test]
async fn a_device_that_was_unbound_or_bound_anew_meanwhile_is_seen_so() {
    let pushing = pushing(PushBounds::default(), true).await;
    pushing.bind("bob", "tablet", "fcm", "token-2").await;
    pushing.answer(failed());
    pushing.answer(failed());
    let message = pushing.send("Hi").await;
    pushing.logged(message, "pushed; phone waiting 1 failed: down; tablet waiting 1 failed: down").await;
    let unbind = Binding::Unbind { device: "phone", notifier: None };
    pushing.world.node.change_push_bindings(&pushing.world.app, &user("bob"), &unbind).await.expect("unbinds");
    pushing.bind("bob", "tablet", "fcm", "token-3").await;
    pushing.advance(Duration::from_secs(8));
    let sent = format!("tablet sent 2 id-{message}:bob:tablet");
    pushing.logged(message, &format!("pushed; phone left_out 1 no push binding; {sent}")).await;
    let tokens: Vec<_> = pushing.came(3).await.iter().map(|push| push.token.as_str().to_owned()).collect();
    assert_eq!((tokens.len(), tokens[2].as_str()), (3, "token-3"));
}

#[tokio::test]
async fn a_changed_certificate_is_not_paused_like_the_one_before() {
    let pushing = pushing(PushBounds::default(), true).await;
    let retry_after = Some(Duration::from_secs(3_600));
    pushing.answer(Err(PushError::Throttled { reason: "slow".to_owned(), retry_after, scope: Scope::Provider }));
    let first = pushing.send("one").await;
    pushing.logged(first, "pushed; phone waiting 1 throttled: slow").await;
    let second = pushing.send("two").await;
    pushing.logged(second, "pushed; phone waiting 0 the provider is paused").await;
    pushing.lines.routes.lock().insert("fcm".to_owned(), line(&pushing.told, &pushing.world));
    let third = pushing.send("three").await;
    pushing.logged(third, &format!("pushed; phone sent 1 id-{third}:bob:phone")).await;
}

#[tokio::test]
async fn the_sender_of_a_certificate_that_is_gone_ends_and_another_begins() {
    let pushing = pushing(PushBounds::default(), true).await;
    let message = pushing.send("one").await;
    pushing.logged(message, &format!("pushed; phone sent 1 id-{message}:bob:phone")).await;
    assert_eq!(pushing.queue.senders(), 1);
    pushing.lines.routes.lock().clear();
    let ended = async {
        while pushing.queue.senders() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, ended).await.expect("it ends");
    pushing.lines.routes.lock().insert("fcm".to_owned(), line(&pushing.told, &pushing.world));
    let message = pushing.send("two").await;
    pushing.logged(message, &format!("pushed; phone sent 1 id-{message}:bob:phone")).await;
    assert_eq!(pushing.queue.senders(), 1);
}
