//! Several devices of a user: each gets everything, and acks for itself.

use stentor_core::directory::rooms::RoomKind;
use stentor_gateway_ws::client::{ChatEvent, ChatLogin, ChatMessage, ChatOutgoing, ChatType};

use super::{by_password, closed, event, gateway, message, no_acks, on_device, text};
use crate::harness::Gateway;

async fn next_of(gateway: &Gateway, login: ChatLogin) -> Option<ChatMessage> {
    let mut client = gateway.chat_with(login, no_acks()).await;
    // A message of the inbox would come before it.
    gateway.text_to("bob", "end").await;
    let first = message(&mut client).await;
    client.ack(&[first.id]).await.expect("sent");
    client.logout().await.expect("logged out");
    (text(&first) != "end").then_some(first)
}

#[tokio::test]
async fn a_device_more_than_allowed_ends_the_oldest_session() {
    let gateway = gateway().await;
    let mut first = gateway.try_chat(on_device("bob", "a")).await.expect("logged in");
    let mut second = gateway.try_chat(on_device("bob", "b")).await.expect("logged in");
    gateway.text_to("bob", "both").await;
    assert_eq!(text(&message(&mut first).await), "both");
    assert_eq!(text(&message(&mut second).await), "both");
    let mut again = gateway.try_chat(on_device("bob", "b")).await.expect("logged in");
    assert_eq!(closed(&mut second).await, Some(4002), "the same device");
    let _third = gateway.try_chat(on_device("bob", "c")).await.expect("logged in");
    assert_eq!(closed(&mut first).await, Some(4002), "the oldest of too many");
    gateway.text_to("bob", "still there").await;
    assert_eq!(text(&message(&mut again).await), "still there");
}

#[tokio::test]
async fn a_message_stays_until_the_device_has_acked_it() {
    let gateway = gateway().await;
    let mut phone = gateway.chat_with(on_device("bob", "phone"), no_acks()).await;
    let mut web = gateway.chat_with(on_device("bob", "web"), no_acks()).await;
    let sent = gateway.text_to("bob", "hi").await;
    let live = message(&mut phone).await;
    assert_eq!((live.id, live.from_inbox), (sent, false));
    assert_eq!(message(&mut web).await.id, sent);
    phone.ack(&[sent]).await.expect("sent");
    phone.logout().await.expect("logged out");
    web.logout().await.expect("logged out");
    assert_eq!(next_of(&gateway, on_device("bob", "phone")).await, None, "acked");
    let again = next_of(&gateway, on_device("bob", "web")).await.expect("not acked by this one");
    assert_eq!((again.id, again.from_inbox), (sent, true));
}

#[tokio::test]
async fn a_new_device_gets_what_was_acked_nowhere() {
    let gateway = gateway().await;
    let seen = gateway.text_to("bob", "seen").await;
    let mut phone = gateway.chat_with(on_device("bob", "phone"), no_acks()).await;
    assert_eq!(message(&mut phone).await.id, seen);
    phone.ack(&[seen]).await.expect("sent");
    let unseen = gateway.text_to("bob", "unseen").await;
    assert_eq!(message(&mut phone).await.id, unseen);
    phone.logout().await.expect("logged out");
    assert_eq!(next_of(&gateway, on_device("bob", "new")).await.expect("kept").id, unseen);
}

#[tokio::test]
async fn what_a_user_sends_comes_to_the_users_other_devices() {
    let gateway = gateway().await;
    let mut phone = gateway.try_chat(on_device("alice", "phone")).await.expect("logged in");
    let mut web = gateway.chat_with(on_device("alice", "web"), no_acks()).await;
    let mut bob = gateway.chat("bob").await;
    let sent = phone.send(&ChatOutgoing::text(ChatType::Chat, "Bob", "hi")).await.expect("sent");
    let copy = message(&mut web).await;
    assert_eq!((copy.id, copy.from.as_str(), copy.to.as_str()), (sent.message_id, "alice", "bob"));
    assert_eq!(message(&mut bob).await.id, sent.message_id);
    // Not acked: it comes again to this device, and never to the one that sent it.
    web.logout().await.expect("logged out");
    let mut web = gateway.try_chat(on_device("alice", "web")).await.expect("logged in");
    let copy = message(&mut web).await;
    assert_eq!((copy.id, copy.from_inbox), (sent.message_id, true));
    gateway.text_to("alice", "end").await;
    assert_eq!(text(&message(&mut phone).await), "end");
}

#[tokio::test]
async fn a_session_goes_on_where_it_was() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &["bob"]).await;
    let mut bob = gateway.chat("bob").await;
    gateway.text_to_room(&room, "before").await;
    assert_eq!(text(&message(&mut bob).await), "before");
    let point = bob.resume_point();
    drop(bob);
    gateway.detached(1).await;
    gateway.text_to_room(&room, "meanwhile").await;
    gateway.text_to("bob", "to you").await;
    let again = ChatLogin { resume: Some(point), ..by_password("bob") };
    let mut bob = gateway.try_chat(again).await.expect("resumed");
    assert!(bob.welcome().resumed);
    assert_eq!(bob.welcome().rooms, [room.as_str()]);
    let mut texts = [text(&message(&mut bob).await), text(&message(&mut bob).await)];
    texts.sort();
    assert_eq!(texts, ["meanwhile", "to you"]);
}

#[tokio::test]
async fn another_device_does_not_resume() {
    let gateway = gateway().await;
    let mut bob = gateway.try_chat(on_device("bob", "phone")).await.expect("logged in");
    let stolen = ChatLogin { resume: Some(bob.resume_point()), ..on_device("bob", "web") };
    assert!(!gateway.try_chat(stolen).await.expect("logged in").welcome().resumed);
    gateway.text_to("bob", "hi").await;
    assert!(matches!(event(&mut bob).await, ChatEvent::Message(_)), "untouched");
}
