//! Logins and logouts.

use serde_json::json;
use stentor_testkit::START_MS;

use super::{KEY, bodies, receiver, with_rule};
use crate::chat::{Connection, app};

#[tokio::test]
async fn logins_and_logouts_are_told_with_their_reason() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "events = [\"status\"]").start().await;
    server.register(&["bob"]).await;
    let step = || server.advance(std::time::Duration::from_millis(1));
    let phone = Connection::open(&server, "bob", "ios_6d580737").await;
    step();
    server.node().logout(&phone.connected.session).await;
    step();
    let _web = Connection::open(&server, "bob", "web").await;
    step();
    let reply = server.chat().await.get(&server.chat_path("users/bob/disconnect")).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    let told = bodies(&receiver, 4).await;
    let expected = json!({
        "reason": "login",
        "os": "ios",
        "ip": "",
        "host": "stentor",
        "appkey": KEY,
        "user": format!("{KEY}_bob@easemob.com/ios_6d580737"),
        "version": "",
        "timestamp": START_MS,
        "status": "online",
    });
    assert_eq!(told[0], expected);
    let brief: Vec<_> = told.iter().map(|body| (body["reason"].as_str(), body["status"].as_str())).collect();
    assert_eq!(
        brief,
        [
            (Some("login"), Some("online")),
            (Some("logout"), Some("offline")),
            (Some("login"), Some("online")),
            (Some("replaced"), Some("offline")),
        ]
    );
    assert_eq!(told[3]["user"], format!("{KEY}_bob@easemob.com/web"));
    drop(app(&server));
}
