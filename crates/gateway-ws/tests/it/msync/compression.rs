//! What is compressed, if both sides want it.

use std::time::Duration;

use stentor_core::directory::rooms::RoomKind;
use stentor_gateway_ws::Carrier;
use stentor_msync::compress::{Packer, Unpacker, deflate, inflate};
use stentor_msync::{
    BodyType, Command, CompressDirection, CompressType, MSync, Message as _, Provision, SyncDown, SyncUp, decode,
};

use super::{Sdk, USERS, body, frame, jid, login, message, text};
use crate::chat::{chat_gateway, gateway};
use crate::harness::{Gateway, until};

const LZ4: i32 = CompressType::Lz4 as i32;
const ZLIB: i32 = CompressType::Zlib as i32;

async fn packing_gateway() -> Gateway {
    chat_gateway(|setup| setup.config.sdk_compression = true).await
}

fn offering(user: &str, frames: &[i32], payloads: &[i32]) -> MSync {
    let provision = Provision {
        resource: Some("web".to_owned()),
        auth: Some("$t$good".to_owned()),
        protocol_compress_type: frames.to_vec(),
        compress_type: payloads.to_vec(),
        ..Provision::default()
    };
    login(user, &provision)
}

impl Gateway {
    async fn packed(&self, carrier: Carrier, user: &str) -> Sdk {
        let mut sdk = self.stranger(carrier).await;
        let answer = sdk.login(&offering(user, &[LZ4], &[0])).await;
        assert_eq!((&answer.protocol_compress_type[..], &answer.compress_type[..]), (&[LZ4][..], &[][..]));
        assert_eq!(answer.protocol_compress_direction, Some(CompressDirection::Bi as i32));
        sdk.packing = Some((Packer::default(), Unpacker::default()));
        sdk
    }
}

#[tokio::test]
async fn frames_are_packed_both_ways() {
    let gateway = packing_gateway().await;
    for carrier in [Carrier::WebSocket, Carrier::Tcp] {
        let mut alice = gateway.sdk("alice").await;
        let mut bob = gateway.packed(carrier, "bob").await;
        for number in 0..100 {
            let said = "so it goes ".repeat(number * 3);
            bob.sent(jid("alice", USERS), &text(BodyType::Chat, &said)).await;
            assert_eq!(body(&alice.item().await).contents[0].text.as_deref(), Some(said.as_str()));
            alice.sent(jid("bob", USERS), &text(BodyType::Chat, &said)).await;
            assert_eq!(body(&bob.item().await).contents[0].text.as_deref(), Some(said.as_str()));
            let key = Some(u64::MAX);
            alice.pull(jid("bob", USERS), key).await;
            bob.pull(jid("alice", USERS), key).await;
        }
    }
    // A kick is told in the same way.
    let mut bob = gateway.packed(Carrier::WebSocket, "bob").await;
    let why = stentor_core::session::LogoutReason::Forced;
    gateway.node.disconnect(&gateway.chat, &crate::chat::user("bob"), None, why).await;
    assert_eq!(bob.items().await.metas[0].ns, Some(0));
    assert_eq!(bob.raw.close_code().await, Some(4010));
}

#[tokio::test]
async fn bombs_and_what_is_not_packed_close() {
    let gateway = packing_gateway().await;
    let bomb = Packer::default().pack(&vec![0; 65_537]);
    let mut lie = Packer::default().pack(&vec![0; 65_536]);
    lie[0] = 0x05;
    for (bytes, code) in [(bomb, 1009), (lie, 4004), (b"\x40\x01".to_vec(), 4004), (Vec::new(), 4004)] {
        let mut bob = gateway.packed(Carrier::WebSocket, "bob").await;
        bob.as_they_are(bytes).await;
        assert_eq!(bob.raw.close_code().await, Some(code));
    }
}

#[tokio::test]
async fn payloads_are_zipped_for_who_knows_nothing_better() {
    let gateway = packing_gateway().await;
    let mut alice = gateway.sdk("alice").await;
    let mut bob = gateway.stranger(Carrier::WebSocket).await;
    let answer = bob.login(&offering("bob", &[0], &[0, ZLIB])).await;
    assert_eq!((&answer.protocol_compress_type[..], &answer.compress_type[..]), (&[][..], &[ZLIB][..]));
    let said = "so it goes ".repeat(300);
    alice.sent(jid("bob", USERS), &text(BodyType::Chat, &said)).await;
    let got = bob.of(Command::Sync).await;
    assert_eq!(got.compress_algorimth, Some(1));
    let payload = inflate(&got.payload.expect("a payload"), 1 << 20).expect("zipped");
    let down: SyncDown = decode(payload).expect("a sync");
    assert_eq!(body(&down.metas[0]).contents[0].text.as_deref(), Some(said.as_str()));
    let up = message(jid("alice", USERS), &text(BodyType::Chat, &said));
    let up = SyncUp { meta: Some(stentor_msync::Meta { id: Some(7), ..up }), ..SyncUp::default() };
    let zipped = |payload: &[u8], kind| MSync {
        command: Some(Command::Sync as i32),
        compress_algorimth: Some(kind),
        payload: Some(deflate(payload)),
        ..MSync::default()
    };
    bob.say(&zipped(&up.encode_to_vec(), 1)).await;
    assert_eq!(body(&alice.item().await).contents[0].text.as_deref(), Some(said.as_str()));
    bob.say(&frame(Command::Unread, &SyncUp::default())).await;
    for malformed in [zipped(&vec![0; 65_537], 1), zipped(b"", 2)] {
        let mut bob = gateway.stranger(Carrier::WebSocket).await;
        bob.login(&offering("bob", &[], &[ZLIB])).await;
        bob.say(&malformed).await;
        assert_eq!(bob.raw.close_code().await, Some(4004));
    }
}

#[tokio::test]
async fn nothing_is_packed_unless_both_want_it() {
    let gateway = gateway().await;
    let mut bob = gateway.stranger(Carrier::WebSocket).await;
    let answer = bob.login(&offering("bob", &[LZ4], &[ZLIB])).await;
    assert!(answer.protocol_compress_type.is_empty() && answer.compress_type.is_empty());
    assert_eq!(answer.protocol_compress_direction, None);
    bob.unread().await;
    // Nobody agreed to that.
    bob.say(&MSync { compress_algorimth: Some(1), command: Some(1), ..MSync::default() }).await;
    assert_eq!(bob.raw.close_code().await, Some(4004));
    let gateway = packing_gateway().await;
    let mut bob = gateway.stranger(Carrier::SockJs).await;
    let answer = bob.login(&offering("bob", &[LZ4], &[ZLIB])).await;
    assert!(answer.protocol_compress_type.is_empty() && answer.compress_type.is_empty());
}

/// The SDK takes the agreement up a moment after it has read the welcome: what is right behind that would be lost.
#[tokio::test]
async fn nothing_is_told_before_the_client_has_said_something() {
    let gateway = chat_gateway(|setup| {
        setup.config.sdk_compression = true;
        setup.config.hold_timeout = Duration::from_secs(3600);
    })
    .await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let mut bob = gateway.packed(Carrier::WebSocket, "bob").await;
    bob.join(&room).await;
    drop(bob);
    until(|| gateway.node.census().detached == 1).await;
    gateway.text_to_room(&room, "meanwhile").await;
    for _ in 0..3 {
        gateway.text_to("carol", "waits").await;
    }
    let mut carol = gateway.packed(Carrier::WebSocket, "carol").await;
    assert_eq!(carol.unread().await, [("backend".to_owned(), 3)]);
    for carrier in [Carrier::WebSocket, Carrier::Tcp] {
        let mut bob = gateway.packed(carrier, "bob").await;
        // A frame of WebSocket's own is no word of the client's; its answer would come behind what was written.
        if carrier == Carrier::WebSocket {
            bob.raw.bytes(&[0x89, 0x80, 0, 0, 0, 0]).await;
            let answer = bob.raw.message().await;
            assert!(matches!(answer, Some(tokio_tungstenite::tungstenite::Message::Pong(_))), "{answer:?}");
        }
        bob.unread().await;
        let said = bob.down(|down| down.metas.iter().any(|meta| meta.ns == Some(1) && meta.ext.len() == 1)).await;
        assert_eq!(body(&said.metas[0]).contents[0].text.as_deref(), Some("meanwhile"));
    }
}

#[tokio::test]
async fn a_client_that_says_nothing_is_told_nevertheless() {
    let gateway = chat_gateway(|setup| {
        setup.config.sdk_compression = true;
        setup.config.hold_timeout = Duration::from_millis(20);
    })
    .await;
    let mut bob = gateway.packed(Carrier::WebSocket, "bob").await;
    gateway.text_to("bob", "live").await;
    assert_eq!(body(&bob.item().await).contents[0].text.as_deref(), Some("live"));
}
