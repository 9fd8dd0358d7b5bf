//! Random programs against a small model of rooms, inbox and events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;
use stentor_core::clock::Clock;
use stentor_core::delivery::DeliveryOutcome;
use stentor_core::id::{DeviceId, MessageId};
use stentor_core::notice::Notice;

use crate::harness::{Client, World, user_id, world};

/// Room messages that a client gets that comes back, at most.
const REPLAYED: usize = 32;
const USERS: [&str; 3] = ["ann", "bob", "cat"];
const ROOMS: [&str; 2] = ["red", "blue"];

#[derive(Debug, Clone)]
enum Step {
    Login(usize),
    Logout(usize),
    Cut(usize),
    Resume(usize),
    /// Comes back and does not say which session was its, nor what it has; the connection of before may still stand.
    Return(usize),
    /// Has taken everything, and the server knows.
    Confirm(usize),
    Join(usize, usize),
    Leave(usize, usize),
    Send {
        from: usize,
        to: usize,
        keep: bool,
    },
    SendRoom {
        from: usize,
        room: usize,
    },
    TakeAndAck(usize),
    TakeOnly(usize),
    Crash,
    GraceEnds,
}

fn step() -> impl Strategy<Value = Step> {
    let user = 0..USERS.len();
    let room = 0..ROOMS.len();
    prop_oneof![
        3 => user.clone().prop_map(Step::Login),
        1 => user.clone().prop_map(Step::Logout),
        2 => user.clone().prop_map(Step::Cut),
        2 => user.clone().prop_map(Step::Resume),
        2 => user.clone().prop_map(Step::Return),
        1 => user.clone().prop_map(Step::Confirm),
        3 => (user.clone(), room.clone()).prop_map(|(u, r)| Step::Join(u, r)),
        1 => (user.clone(), room.clone()).prop_map(|(u, r)| Step::Leave(u, r)),
        6 => (user.clone(), user.clone(), any::<bool>()).prop_map(|(from, to, keep)| Step::Send { from, to, keep }),
        4 => (user.clone(), room).prop_map(|(from, room)| Step::SendRoom { from, room }),
        4 => user.clone().prop_map(Step::TakeAndAck),
        2 => user.prop_map(Step::TakeOnly),
        1 => Just(Step::Crash),
        1 => Just(Step::GraceEnds),
    ]
}

/// What should be the case for one user.
#[derive(Debug, Default)]
struct Model {
    there: bool,
    attached: bool,
    rooms: BTreeSet<usize>,
    /// Kept and not acked, oldest first.
    inbox: VecDeque<String>,
    /// Not kept, and neither acked nor lost with the session.
    unacked: BTreeMap<u64, String>,
    /// What a client that is attached has still to get of its rooms.
    room_queue: Vec<String>,
    /// What was said in its rooms since it confirmed something last.
    unconfirmed: Vec<(usize, String)>,
    seen: BTreeSet<String>,
}

#[derive(Default)]
struct Expected {
    user_events: Vec<String>,
    room_events: Vec<String>,
}

struct Run {
    world: World,
    clients: Vec<Option<Client>>,
    models: Vec<Model>,
    expected: Expected,
    number: u64,
}

impl Run {
    fn ends(&mut self, user: usize) {
        let model = &mut self.models[user];
        if std::mem::take(&mut model.there) {
            model.attached = false;
            model.unacked.clear();
            model.room_queue.clear();
            model.unconfirmed.clear();
            let rooms = std::mem::take(&mut model.rooms);
            self.expected.room_events.extend(rooms.iter().map(|r| format!("Leave {} {}", USERS[user], ROOMS[*r])));
            self.expected.user_events.push(format!("Logout {}", USERS[user]));
        }
    }

    async fn apply(&mut self, step: Step) {
        match step {
            Step::Login(user) => self.login(user).await,
            Step::Logout(user) => {
                // A client of before a crash cannot say anything.
                if self.models[user].attached
                    && let Some(client) = self.clients[user].take()
                {
                    client.logout().await;
                    self.ends(user);
                }
            }
            Step::Cut(user) => {
                if let Some(client) = &self.clients[user] {
                    client.cut();
                    self.models[user].attached = false;
                }
            }
            Step::Resume(user) => self.resume(user).await,
            Step::Return(user) => self.come_back(user).await,
            Step::Confirm(user) => {
                self.take(user, false).await;
                if let Some(client) = self.clients[user].as_ref().filter(|_| self.models[user].attached) {
                    self.world.clock.advance(Duration::from_millis(1));
                    client.confirm(self.world.clock.monotonic_ms());
                    self.models[user].unconfirmed.clear();
                }
            }
            Step::Join(user, room) => {
                if let Some(client) = self.clients[user].as_ref().filter(|_| self.models[user].attached)
                    && self.models[user].rooms.insert(room)
                {
                    client.join(ROOMS[room]).await;
                    self.expected.room_events.push(format!("Join {} {}", USERS[user], ROOMS[room]));
                }
            }
            Step::Leave(user, room) => {
                if let Some(client) = self.clients[user].as_ref().filter(|_| self.models[user].attached)
                    && self.models[user].rooms.remove(&room)
                {
                    self.models[user].unconfirmed.retain(|(of, _)| *of != room);
                    client.leave(ROOMS[room]).await;
                    self.expected.room_events.push(format!("Leave {} {}", USERS[user], ROOMS[room]));
                }
            }
            Step::Send { from, to, keep } => self.send(from, to, keep).await,
            Step::SendRoom { from, room } => {
                let text = self.text();
                self.world.send_room(USERS[from], ROOMS[room], &text).await;
                for (user, model) in self.models.iter_mut().enumerate() {
                    if user != from && model.rooms.contains(&room) {
                        model.unconfirmed.push((room, text.clone()));
                        if model.attached {
                            model.room_queue.push(text.clone());
                        }
                    }
                }
            }
            Step::TakeAndAck(user) => self.take(user, true).await,
            Step::TakeOnly(user) => self.take(user, false).await,
            Step::Crash => self.crash().await,
            Step::GraceEnds => self.grace_ends().await,
        }
        self.world.settle().await;
    }

    fn text(&mut self) -> String {
        self.number += 1;
        format!("m{}", self.number)
    }

    async fn resume(&mut self, user: usize) {
        let Some(old) = &self.clients[user] else { return };
        if self.models[user].attached {
            return; // its rooms' messages would be replayed; the resume tests look at that
        }
        let back = self.world.connect(USERS[user], "", old.resume()).await;
        assert_eq!(back.connected.resumed, self.models[user].there);
        if !self.models[user].there {
            self.expected.user_events.push(format!("Login {}", USERS[user]));
        }
        let model = &mut self.models[user];
        (model.there, model.attached) = (true, true);
        // What the rooms replay is looked at elsewhere: here it is taken away.
        let mut peers = Vec::new();
        for (message, _) in back.take_messages() {
            peers.push(String::from_utf8(message.payload.to_vec()).expect("text"));
        }
        let expected: Vec<_> = self.models[user].pending();
        assert_eq!(peers, expected, "everything that was not acked comes again, in order");
        self.models[user].seen.extend(peers);
        self.models[user].room_queue.clear();
        self.clients[user] = Some(back);
    }

    async fn come_back(&mut self, user: usize) {
        let resume = self.world.node.away(&self.world.app, &user_id(USERS[user]), &DeviceId::only());
        assert_eq!(resume.is_some(), self.models[user].there);
        if !self.models[user].there {
            return self.login(user).await;
        }
        let back = self.world.connect(USERS[user], "", resume).await;
        assert!(back.connected.resumed, "nobody notices");
        let (peers, rooms, _) = texts(&back);
        let model = &mut self.models[user];
        assert_eq!(peers, model.pending(), "everything that was not acked comes again, in order");
        let missed = model.unconfirmed.iter().map(|(_, text)| text.clone());
        let missed: Vec<_> = missed.skip(model.unconfirmed.len().saturating_sub(REPLAYED)).collect();
        assert_eq!(rooms, missed, "everything that was not confirmed comes again, in order");
        model.attached = true;
        model.seen.extend(peers);
        model.room_queue.clear();
        self.clients[user] = Some(back);
    }

    async fn login(&mut self, user: usize) {
        self.ends(user);
        self.expected.user_events.push(format!("Login {}", USERS[user]));
        self.clients[user] = Some(self.world.login(USERS[user]).await);
        (self.models[user].there, self.models[user].attached) = (true, true);
    }

    async fn send(&mut self, from: usize, to: usize, keep: bool) {
        let text = self.text();
        let model = &mut self.models[to];
        if keep {
            assert_eq!(self.world.keep(USERS[from], USERS[to], &text).await, DeliveryOutcome::Sent);
            model.inbox.push_back(text);
        } else {
            self.world.send(USERS[from], USERS[to], &text).await;
            if model.there {
                model.unacked.insert(self.number, text);
            }
        }
    }

    async fn take(&mut self, user: usize, ack: bool) {
        let Some(client) = self.clients[user].as_ref().filter(|_| self.models[user].attached) else { return };
        let (peers, rooms, ids) = texts(client);
        let model = &mut self.models[user];
        assert_eq!(rooms, std::mem::take(&mut model.room_queue));
        let pending = model.pending();
        let fresh: Vec<_> = pending.iter().filter(|text| !model.seen.contains(*text)).cloned().collect();
        let got_fresh: Vec<_> = peers.iter().filter(|text| !model.seen.contains(*text)).cloned().collect();
        assert_eq!(got_fresh, fresh, "each comes once, in order");
        model.seen.extend(peers.iter().cloned());
        if ack {
            client.ack(&ids);
            model.inbox.retain(|text| !peers.contains(text));
            model.unacked.retain(|_, text| !peers.contains(text));
        }
        self.world.settle().await;
    }

    async fn crash(&mut self) {
        self.world = self.world.restarted().await;
        for model in &mut self.models {
            model.attached = false;
            model.unacked.clear();
            model.room_queue.clear();
            model.unconfirmed.clear();
        }
    }

    async fn grace_ends(&mut self) {
        for (user, client) in self.clients.iter().enumerate() {
            if let Some(client) = client.as_ref().filter(|_| self.models[user].attached) {
                client.heard();
            }
        }
        self.world.clock.advance(Duration::from_secs(30));
        for (user, client) in self.clients.iter().enumerate() {
            if let Some(client) = client.as_ref().filter(|_| self.models[user].attached) {
                client.heard();
            }
        }
        self.world.node.tick();
        self.world.settle().await;
        for user in 0..USERS.len() {
            // Nothing of it is remembered any more.
            self.models[user].unconfirmed.clear();
            if !self.models[user].attached {
                self.ends(user);
            }
        }
    }

    /// Everything pulled, as sets per moment: sessions that end at the same tick end in no particular order.
    async fn check_events(&mut self) {
        let (mut users, mut rooms) = (self.world.user_events().await, self.world.room_events().await);
        let mut expected = std::mem::take(&mut self.expected);
        for user in USERS {
            let of = |events: &[String]| -> Vec<_> {
                events.iter().filter(|event| event.split(' ').nth(1) == Some(user)).cloned().collect()
            };
            assert_eq!(of(&users), of(&expected.user_events), "in order per user");
        }
        for list in [&mut users, &mut rooms, &mut expected.user_events, &mut expected.room_events] {
            list.sort();
        }
        assert_eq!((users, rooms), (expected.user_events, expected.room_events));
    }
}

impl Model {
    /// What a client that comes must get, in the order of the numbers.
    fn pending(&self) -> Vec<String> {
        let number = |text: &String| text[1..].parse::<u64>().expect("a number");
        let mut all: Vec<_> = self.inbox.iter().chain(self.unacked.values()).cloned().collect();
        all.sort_by_key(number);
        all
    }
}

/// What waits for a client: of users, of rooms; and what it can ack.
fn texts(client: &Client) -> (Vec<String>, Vec<String>, Vec<MessageId>) {
    let (mut peers, mut rooms, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for notice in client.take() {
        match notice {
            Notice::PeerMessage { message, .. } => {
                ids.push(message.id);
                peers.push(String::from_utf8(message.payload.to_vec()).expect("text"));
            }
            Notice::RoomMessage { message, .. } => {
                rooms.push(String::from_utf8(message.payload.to_vec()).expect("text"));
            }
            _ => {}
        }
    }
    (peers, rooms, ids)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_do_what_the_model_says(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let mut run = Run {
                world: world().await,
                clients: USERS.iter().map(|_| None).collect(),
                models: USERS.iter().map(|_| Model::default()).collect(),
                expected: Expected::default(),
                number: 0,
            };
            for step in steps {
                run.apply(step).await;
            }
            run.check_events().await;
        });
    }
}
