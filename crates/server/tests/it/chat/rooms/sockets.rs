//! A room of 5 000 clients on sockets of loopback: while they come, hear something, go, and lose the room, others are
//! served.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::json;
use stentor_testkit::{
    APP, CERTIFICATE, ChatClient, ChatCredential, ChatEvent, ChatLogin, ClientOptions, DEADLINE, Http, eventually,
};
use stentor_token::v007;

use super::large::{Crowd, MEMBERS};

/// Logins at a time: a client connects, is answered, and lets the next one in.
const AT_A_TIME: usize = 100;

async fn connect(crowd: &Crowd) -> Vec<ChatClient> {
    let issue_ts_s = u32::try_from(crowd.server.now_ms() / 1000).unwrap();
    let login = |user: &str| {
        let (issue, service) =
            (v007::Issue { issue_ts_s, expire_s: 3600, salt: 1 }, v007::Service::chat_user(user, 3600));
        let token = v007::build(APP, CERTIFICATE, issue, &[service]).unwrap();
        ChatLogin { credential: ChatCredential::Token(token), ..crowd.server.chat_login(user) }
    };
    // The first ones hear of all who come until there are 512.
    let options = || ClientOptions { event_queue: 2048, ..ClientOptions::default() };
    stream::iter(&crowd.names)
        .map(|user| async { crowd.server.chat_connect(login(user.as_str()), options()).await.unwrap() })
        .buffered(AT_A_TIME)
        .collect()
        .await
}

/// Carries something out, and meanwhile asks for the first page of members again and again: whoever asks is answered
/// before all is done.
async fn while_others_are_served<T>(chat: &Http, page: &str, storm: impl Future<Output = T>) -> T {
    let answered = AtomicUsize::new(0);
    let asking = async {
        loop {
            assert_eq!(chat.get(page).await.code(), 200);
            answered.fetch_add(1, Ordering::Relaxed);
        }
    };
    let done = tokio::select! {
        done = storm => done,
        never = asking => never,
    };
    assert!(answered.into_inner() > 0, "nobody else was served");
    done
}

/// What a client hears until something is as wanted.
async fn hears(client: &mut ChatClient, wanted: impl Fn(&ChatEvent) -> bool) {
    let heard = async {
        loop {
            match client.next().await {
                Some(ChatEvent::Closed { code }) => panic!("closed: {code:?}"),
                Some(event) if wanted(&event) => return,
                Some(_) => {}
                None => panic!("the connection ended"),
            }
        }
    };
    tokio::time::timeout(DEADLINE, heard).await.expect("in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_clients_on_sockets() {
    // Both ends of all connections, and what other tests have open meanwhile.
    if let Err(error) = loadgen::machine::allow_open_files(2 * MEMBERS as u64 + 4000) {
        eprintln!("SKIPPED: {error}");
        return;
    }
    let crowd = Crowd::gather().await;
    let room = crowd.create(&[]).await;
    let (chat, name) = (crowd.server.chat().await, room.as_str());
    let path = |rest: &str| crowd.server.chat_path(&format!("chatrooms/{name}{rest}"));
    let page = path("/users?limit=100");
    let mut clients = connect(&crowd).await;

    while_others_are_served(&chat, &page, async {
        for joined in join_all(clients.iter().map(|client| client.join(name))).await {
            joined.unwrap();
        }
    })
    .await;
    assert_eq!(crowd.members(&room).await, MEMBERS as u64);

    let said = json!({ "from": "admin", "to": [name], "type": "txt", "body": { "msg": "hello, everybody" } });
    let sent = chat.post(&crowd.server.chat_path("messages/chatrooms"), &said).await.json();
    let id = sent["data"][name].as_str().unwrap().to_owned();
    let is_it = |event: &ChatEvent| matches!(event, ChatEvent::Message(message) if message.id.to_string() == id);
    join_all(clients.iter_mut().map(|client| hears(client, is_it))).await;

    let (leaving, mut staying) = {
        let staying = clients.split_off(MEMBERS / 2);
        (clients, staying)
    };
    while_others_are_served(&chat, &page, async {
        // The first one is the owner, who cannot leave.
        for left in join_all(leaving[1..].iter().map(|client| client.leave(name))).await {
            left.unwrap();
        }
    })
    .await;
    assert_eq!(crowd.members(&room).await, (MEMBERS - MEMBERS / 2 + 1) as u64);

    while_others_are_served(&chat, &crowd.server.chat_path("chatrooms"), async {
        assert_eq!(chat.delete(&path("")).await.code(), 200);
        let is_gone = |event: &ChatEvent| {
            matches!(event, ChatEvent::Other(fields) if fields["event"] == "deleted" && fields["room"] == name)
        };
        join_all(staying.iter_mut().map(|client| hears(client, is_gone))).await;
    })
    .await;
    for client in [&leaving[0], &leaving[1], &staying[0]] {
        assert_eq!(client.rooms().await.unwrap(), Vec::<String>::new());
    }
    drop((leaving, staying));
    let node = crowd.server.node();
    eventually("the connections are gone", || async {
        let app = super::super::app(&crowd.server);
        let online = crowd.names.iter().filter(|user| node.is_online(&app, user)).count();
        if online == 0 { Ok(()) } else { Err(online) }
    })
    .await;
}
