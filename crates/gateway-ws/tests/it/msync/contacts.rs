//! Contacts and blocks: what clients ask, and what they are told.

use stentor_chat_content::RelationNews;
use stentor_msync::{Jid, Message as _, Meta, NameSpace, RosterBody, RosterOperation, SyncDown, decode};

use super::{Sdk, USERS, jid, status};
use crate::chat::{chat_gateway, user};
use crate::harness::{Gateway, soon};

async fn gateway() -> Gateway {
    chat_gateway(|setup| setup.chat.directory.contacts = 10).await
}

async fn ask(sdk: &mut Sdk, operation: RosterOperation, to: &[&str], reason: &str) -> SyncDown {
    let body = RosterBody {
        operation: Some(operation as i32),
        to: to.iter().map(|name| jid(name, USERS)).collect(),
        reason: Some(reason.to_owned()),
        ..RosterBody::default()
    };
    let payload = Some(body.encode_to_vec().into());
    sdk.ask(Meta { ns: Some(NameSpace::Roster as i32), payload, ..Meta::default() }).await
}

/// The next that is told of contacts: operation, from whom, to whom.
async fn told(sdk: &mut Sdk) -> Vec<(i32, String, Vec<String>)> {
    let is_roster = |meta: &Meta| meta.ns == Some(NameSpace::Roster as i32);
    let down = sdk.down(|down| down.metas.iter().any(is_roster)).await;
    assert_eq!(down.next_key, down.metas.last().and_then(|meta| meta.id));
    let name = |jid: &Jid| jid.name.clone().expect("a name");
    let one = |meta: &Meta| {
        let body: RosterBody = decode(meta.payload.clone().expect("a payload")).expect("a body");
        let from = body.from.as_ref().map(name).expect("from whom");
        (body.operation.expect("an operation"), from, body.to.iter().map(name).collect())
    };
    down.metas.iter().map(one).collect()
}

fn news(operation: RosterOperation, from: &str, to: &str) -> (i32, String, Vec<String>) {
    (operation as i32, from.to_owned(), vec![to.to_owned()])
}

#[tokio::test]
async fn users_ask_each_other_and_are_told() {
    use RosterOperation::{Accept, Add, Decline, RemoteAccept, RemoteDecline, Remove};
    let gateway = gateway().await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    assert_eq!(status(&ask(&mut alice, Add, &["bob"], "hello").await), (0, ""));
    let invited = bob.down(|down| down.metas.iter().any(|meta| meta.ns == Some(3))).await;
    let body: RosterBody = decode(invited.metas[0].payload.clone().expect("a payload")).expect("a body");
    assert_eq!((body.operation, body.reason.as_deref()), (Some(Add as i32), Some("hello")));
    assert_eq!(status(&ask(&mut bob, Decline, &["alice"], "").await), (0, ""));
    assert_eq!(told(&mut alice).await, [news(RemoteDecline, "bob", "alice")]);
    assert_eq!(status(&ask(&mut bob, Decline, &["alice"], "").await).0, 1, "nobody asks any more");
    ask(&mut alice, Add, &["bob"], "").await;
    told(&mut bob).await;
    assert_eq!(status(&ask(&mut bob, Accept, &["alice"], "").await), (0, ""));
    assert_eq!(told(&mut alice).await, [news(RemoteAccept, "bob", "alice"), news(Accept, "bob", "alice")]);
    assert_eq!(told(&mut bob).await, [news(Accept, "alice", "bob")]);
    assert!(gateway.node.are_contacts(&gateway.chat, &user("alice"), &user("bob")).await.expect("known"));
    // Twice is once.
    assert_eq!(status(&ask(&mut bob, Accept, &["alice"], "").await), (0, ""));
    assert_eq!(status(&ask(&mut bob, Add, &["alice"], "").await), (0, ""));
    for _ in 0..2 {
        assert_eq!(status(&ask(&mut bob, Remove, &["alice"], "").await), (0, ""));
    }
    assert_eq!(told(&mut alice).await, [news(Remove, "bob", "alice")]);
    alice.heard_nothing_else().await;
    assert_eq!(status(&ask(&mut bob, Accept, &["alice"], "").await).0, 1);
}

#[tokio::test]
async fn blocks_are_for_the_users_own_devices() {
    let gateway = gateway().await;
    let (mut alice, mut phone) = (gateway.sdk("alice").await, gateway.sdk_on("alice", "phone").await);
    let mut bob = gateway.sdk("bob").await;
    for operation in [RosterOperation::Ban, RosterOperation::Allow] {
        assert_eq!(status(&ask(&mut alice, operation, &["bob"], "").await), (0, ""));
        assert_eq!(told(&mut phone).await, [news(operation, "alice", "bob")]);
        let blocked = gateway.node.blocks(&gateway.chat, &user("alice"), &user("bob")).await.expect("known");
        assert_eq!(blocked, operation == RosterOperation::Ban);
    }
    bob.heard_nothing_else().await;
    // Who is not wanted is not heard, and does not learn of it.
    ask(&mut alice, RosterOperation::Ban, &["bob"], "").await;
    assert_eq!(status(&ask(&mut bob, RosterOperation::Add, &["alice"], "").await), (0, ""));
    // Of the blocks, and of nothing else.
    for operation in [RosterOperation::Ban, RosterOperation::Allow, RosterOperation::Ban] {
        assert_eq!(told(&mut alice).await, [news(operation, "alice", "bob")]);
    }
    alice.heard_nothing_else().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let gateway = gateway().await;
    let mut alice = gateway.sdk("alice").await;
    let eleven: Vec<_> = (0..11).map(|number| format!("user{number}")).collect();
    let eleven: Vec<_> = eleven.iter().map(String::as_str).collect();
    for (operation, to) in [
        (RosterOperation::Add, &[][..]),
        (RosterOperation::Add, &eleven),
        (RosterOperation::Add, &["alice"]),
        (RosterOperation::Add, &["nobody"]),
        (RosterOperation::Ban, &["nobody"]),
        (RosterOperation::Add, &["b b"]),
        (RosterOperation::GetRoster, &["bob"]),
        (RosterOperation::RemoteAccept, &["bob"]),
    ] {
        assert_eq!(status(&ask(&mut alice, operation, to, "").await).0, 1, "{operation:?} {to:?}");
    }
}

/// It waits for a user who is away, and clients in JSON have it as a notice.
#[tokio::test]
async fn an_invitation_waits() {
    let gateway = gateway().await;
    let payload = RelationNews::Invited { reason: "hi" }.payload();
    gateway.node.tell_user(&gateway.chat, &user("alice"), &user("bob"), payload.into()).await.expect("told");
    let mut bob = gateway.sdk("bob").await;
    assert_eq!(bob.unread().await, [("alice".to_owned(), 1)]);
    bob.say(&super::frame(
        stentor_msync::Command::Sync,
        &stentor_msync::SyncUp { queue: Some(jid("alice", USERS)), ..stentor_msync::SyncUp::default() },
    ))
    .await;
    assert_eq!(told(&mut bob).await, [news(RosterOperation::Add, "alice", "bob")]);
    let mut json = gateway.chat("bob").await;
    let notice = loop {
        match soon(json.next()).await.expect("an event") {
            stentor_gateway_ws::client::ChatEvent::Other(value) if value["type"] == "notice" => break value,
            _ => {}
        }
    };
    assert_eq!(
        (&notice["event"], &notice["reason"], &notice["from"]),
        (&"contact_invited".into(), &"hi".into(), &"alice".into())
    );
}
