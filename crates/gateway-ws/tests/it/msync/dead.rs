//! Connections that are dead and look alive: nobody reads what is written to them, and nobody says so.

use std::time::Duration;

use stentor_core::directory::rooms::RoomKind;
use stentor_core::id::RoomId;
use stentor_gateway_ws::Carrier;
use stentor_msync::{ErrorCode, Meta, NameSpace};

use super::{Sdk, body, provision};
use crate::chat::{chat_gateway, gateway};
use crate::harness::{Gateway, until};

const ALL: [Carrier; 3] = [Carrier::WebSocket, Carrier::SockJs, Carrier::Tcp];

impl Gateway {
    async fn listener(&self, carrier: Carrier, room: &RoomId) -> Sdk {
        let mut sdk = self.back(carrier).await;
        sdk.join(room).await;
        sdk
    }

    async fn back(&self, carrier: Carrier) -> Sdk {
        let mut sdk = self.stranger(carrier).await;
        let answer = sdk.login(&provision("bob", "web", "good")).await;
        assert_eq!(answer.status.expect("a status").error_code, Some(ErrorCode::Ok as i32));
        sdk
    }

    /// Says texts in a room, one after the other.
    async fn say(&self, room: &RoomId, texts: impl IntoIterator<Item = usize>) {
        for text in texts {
            self.text_to_room(room, &text.to_string()).await;
        }
    }
}

impl Sdk {
    /// The next texts of rooms or users; everything else is passed over.
    async fn texts(&mut self, count: usize) -> Vec<String> {
        let chat = |meta: &&Meta| meta.ns == Some(NameSpace::Chat as i32);
        let mut texts = Vec::new();
        while texts.len() < count {
            let items = self.items().await;
            texts.extend(
                items.metas.iter().filter(chat).map(|meta| body(meta).contents[0].text.clone().expect("a text")),
            );
        }
        texts
    }
}

fn numbers(texts: impl IntoIterator<Item = usize>) -> Vec<String> {
    texts.into_iter().map(|text| text.to_string()).collect()
}

#[tokio::test]
async fn what_was_written_to_a_dead_connection_comes_again_and_no_more() {
    for carrier in ALL {
        let gateway = gateway().await;
        let room = gateway.place(RoomKind::Room, &[]).await;
        let mut dead = gateway.listener(carrier, &room).await;
        gateway.say(&room, [1, 2]).await;
        assert_eq!(dead.texts(2).await, ["1", "2"]);
        // On TCP, what was written lately is not known to have arrived.
        gateway.pass(Duration::from_secs(11));
        // Answers the ping before it asks.
        dead.unread().await;
        gateway.say(&room, [3]).await;
        until(|| gateway.node.census().waiting == 0).await;
        gateway.text_to("bob", "peer").await;
        let mut back = gateway.back(carrier).await;
        gateway.say(&room, [4]).await;
        assert_eq!(back.texts(3).await, ["3", "peer", "4"], "{carrier:?}");
        back.heard_nothing_else().await;
        assert_eq!(gateway.node.metrics().drops(stentor_core::metrics::DropReason::ReplayLimit), 0);
    }
}

#[tokio::test]
async fn a_cut_after_much_was_said_leaves_few_doubles() {
    for carrier in [Carrier::WebSocket, Carrier::SockJs] {
        let gateway = chat_gateway(|setup| setup.chat.rooms.replayed = 200).await;
        let room = gateway.place(RoomKind::Room, &[]).await;
        let mut dead = gateway.listener(carrier, &room).await;
        for ten in 0..30 {
            gateway.say(&room, 10 * ten..10 * ten + 10).await;
            assert_eq!(dead.texts(10).await, numbers(10 * ten..10 * ten + 10));
            dead.unread().await;
            gateway.clock.advance(Duration::from_millis(10));
        }
        gateway.say(&room, 300..310).await;
        let mut back = gateway.back(carrier).await;
        gateway.say(&room, [310]).await;
        let mut first = back.texts(1).await;
        let number: usize = first[0].parse().expect("a number");
        // The SDKs know about a hundred again.
        assert!((210..=300).contains(&number), "{number}");
        first.extend(back.texts(310 - number).await);
        assert_eq!(first, numbers(number..311));
    }
}

/// The SDKs give no sign of life while they receive something, and those for phones do it every two minutes.
#[tokio::test]
async fn who_only_listens_is_heard_of() {
    let silence = |setup: &mut crate::harness::Setup| {
        (setup.chat.sessions.silence_ms, setup.chat.sessions.unreachable_ms) = (120_000, 60_000);
    };
    for carrier in [Carrier::WebSocket, Carrier::SockJs] {
        let gateway = chat_gateway(silence).await;
        let room = gateway.place(RoomKind::Room, &[]).await;
        let mut bob = gateway.listener(carrier, &room).await;
        for minute in 0..5 {
            for text in 0..6 {
                gateway.pass(Duration::from_secs(10));
                gateway.say(&room, [10 * minute + text]).await;
                assert_eq!(bob.texts(1).await, numbers([10 * minute + text]));
                // It is read once more, which has the library answer the ping; and it is waited for.
                let heard = gateway.state.counters().frames_in;
                bob.raw.flush_pong().await;
                until(|| gateway.state.counters().frames_in > heard).await;
            }
            assert_eq!(gateway.node.census().attached, 1, "{carrier:?}");
        }
        // And now nothing is said for long.
        for _ in 0..3 {
            let heard = gateway.state.counters().frames_in;
            gateway.pass(Duration::from_secs(60));
            bob.raw.ping_arrives().await;
            until(|| gateway.state.counters().frames_in > heard).await;
        }
        assert_eq!(gateway.node.census().attached, 1, "{carrier:?}");
        // Who does not answer is gone.
        gateway.pass(Duration::from_secs(60));
        gateway.pass(Duration::from_secs(60));
        until(|| gateway.node.census().attached == 0).await;
    }
}

/// The SDKs drop what has a number that they know.
#[tokio::test]
async fn events_that_may_not_have_arrived_come_again_under_their_numbers() {
    let gateway = chat_gateway(|setup| setup.chat.sessions.grace_ms = 60_000).await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let mute = async |muted| {
        gateway.node.mute_all(&gateway.chat, RoomKind::Room, &room, muted).await.expect("mutes");
    };
    let numbers = async |sdk: &mut Sdk, count: usize| {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let muc = |meta: &Meta| meta.ns == Some(NameSpace::Muc as i32);
            let down = sdk.down(|down| down.metas.iter().any(muc)).await;
            numbers.extend(down.metas.into_iter().filter(muc).map(|meta| meta.id.expect("a number")));
        }
        numbers
    };
    let mut dead = gateway.listener(Carrier::WebSocket, &room).await;
    mute(true).await;
    mute(false).await;
    let told = numbers(&mut dead, 2).await;
    let mut back = gateway.back(Carrier::WebSocket).await;
    assert_eq!(numbers(&mut back, 2).await, told);
    // What has arrived is not told again: a ping came behind it, and the clock went on.
    gateway.pass(Duration::from_secs(6));
    mute(true).await;
    let last = numbers(&mut back, 1).await;
    back.unread().await;
    let mut again = gateway.back(Carrier::WebSocket).await;
    assert_eq!(numbers(&mut again, 1).await, last, "of the same moment as the ping");
    again.heard_nothing_else().await;
}
