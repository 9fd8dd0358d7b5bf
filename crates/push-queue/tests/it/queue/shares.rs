//! Devices whose push service hangs leave room for others.

use tokio::sync::watch;

use super::*;

/// Takes pushes, but those to tokens that begin with `hang` only when it is let. A token's part is what stands before the colon.
#[derive(Debug)]
struct Hanging {
    told: Told,
    lets: watch::Sender<bool>,
    part: bool,
}

#[async_trait]
impl Provider for Hanging {
    fn name(&self) -> &'static str {
        "hanging"
    }

    fn part(&self, push: &Push) -> String {
        let part = push.token.as_str().split(':').next().unwrap_or_default();
        if self.part { part.to_owned() } else { String::new() }
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        if push.token.as_str().starts_with("hang") {
            let mut lets = self.lets.subscribe();
            lets.wait_for(|lets| *lets).await.expect("the sender lives");
        }
        self.told.send(push).await
    }
}

fn hanging(pushing: &Pushing, part: bool) -> Arc<Hanging> {
    let provider = Arc::new(Hanging { told: Told::default(), lets: watch::Sender::new(false), part });
    let setup = LineSetup { concurrency: 16, ..LineSetup::default() };
    let line = Line::new(provider.clone(), setup, pushing.world.clock.clone());
    pushing.lines.routes.lock().insert("hanging".to_owned(), Route::Open(Arc::new(line)));
    provider
}

impl Pushing {
    async fn say(&self, users: &[String]) {
        let say = DirectPush { title: "T".to_owned(), ..DirectPush::default() };
        let users: Vec<_> = users.iter().map(|name| user(name)).collect();
        self.queue.direct(&users, &say, false).await.expect("queued");
    }

    /// Users with so many devices each, all of which hang.
    async fn hung(&self, count: usize, devices: usize, token: impl Fn(&str, usize) -> String) -> Vec<String> {
        let crowd: Vec<_> = (0..count).map(|number| format!("u{number}")).collect();
        for name in &crowd {
            let new = NewUser { name: user(name), password_hash: None, nickname: None };
            self.world.node.register(&self.world.app, new).await.expect("registers");
            for device in 0..devices {
                self.bind(name, &format!("d{device}"), "hanging", &token(name, device)).await;
            }
        }
        self.bind("carol", "phone", "hanging", "fine:x").await;
        crowd
    }

    /// How many pushes came to devices that hang, and to others, once so many came.
    async fn got(&self, provider: &Hanging, count: usize) -> (usize, usize) {
        let came = async {
            while provider.told.came.lock().len() < count {
                tokio::task::yield_now().await;
            }
        };
        let in_time = timeout(DEADLINE, came).await;
        let came = provider.told.came.lock().clone();
        assert!(in_time.is_ok(), "{} of {count}", came.len());
        let hung = came.iter().filter(|push| push.token.as_str().starts_with("hang")).count();
        (hung, came.len() - hung)
    }
}

#[tokio::test]
async fn a_user_whose_devices_hang_holds_up_nobody() {
    let pushing = pushing(PushBounds::default(), true).await;
    let provider = hanging(&pushing, true);
    let crowd = pushing.hung(1, 64, |_, device| format!("hang{device}:x")).await;
    let carol = ["carol".to_owned()];
    for _ in 0..6 {
        pushing.say(&crowd).await;
    }
    pushing.say(&carol).await;
    assert_eq!(pushing.got(&provider, 1).await, (0, 1));
    for _ in 0..3 {
        pushing.say(&carol).await;
    }
    assert_eq!(pushing.got(&provider, 4).await, (0, 4));
    provider.lets.send_replace(true);
    // None is forgotten.
    assert_eq!(pushing.got(&provider, 6 * 64 + 4).await, (6 * 64, 4));
    pushing.emptied().await;
}

#[tokio::test]
async fn a_push_service_that_hangs_leaves_half_to_others() {
    let pushing = pushing(PushBounds::default(), true).await;
    let provider = hanging(&pushing, true);
    let crowd = pushing.hung(40, 1, |_, _| "hang:x".to_owned()).await;
    // One token is told once for each user.
    pushing.say(&crowd).await;
    pushing.say(&["carol".to_owned()]).await;
    assert_eq!(pushing.got(&provider, 1).await, (0, 1));
    provider.lets.send_replace(true);
    assert_eq!(pushing.got(&provider, 41).await, (40, 1));
    pushing.emptied().await;
}

#[tokio::test]
async fn where_there_is_one_service_only_users_have_shares() {
    let pushing = pushing(PushBounds::default(), true).await;
    let provider = hanging(&pushing, false);
    let crowd = pushing.hung(7, 3, |name, device| format!("hang:{name}{device}")).await;
    pushing.say(&crowd).await;
    pushing.say(&["carol".to_owned()]).await;
    assert_eq!(pushing.got(&provider, 1).await, (0, 1), "seven users have 14 of 16");
    provider.lets.send_replace(true);
    assert_eq!(pushing.got(&provider, 22).await, (21, 1));
    pushing.emptied().await;
}
