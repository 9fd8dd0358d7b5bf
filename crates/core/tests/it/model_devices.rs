//! Random programs against a small model of inboxes: users with several devices, copies for the sender, and a group.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use stentor_core::app::DevicePolicy;
use stentor_core::delivery::{Origin, SendGroup, SendOptions, SendPeer};
use stentor_core::id::DeviceId;

use crate::harness::{Client, World, group, peer, user_id, world_with};

/// All are members of the group; the last one never logs in.
const USERS: [&str; 3] = ["ann", "bob", "cat"];
const DEVICES: [&str; 3] = ["phone", "laptop", "watch"];

/// A device of a user.
type Place = (usize, usize);

#[derive(Debug, Clone)]
enum Step {
    Login(Place),
    Logout(Place),
    Cut(Place),
    Resume(Place),
    /// From a device that is connected, or from the backend; to a user or to the group.
    Send {
        from: Place,
        to: Option<usize>,
        keep: bool,
        sync: bool,
    },
    TakeAndAck(Place),
    TakeOnly(Place),
    Forget(Place),
    Crash,
    GraceEnds,
}

fn step() -> impl Strategy<Value = Step> {
    let place = (0..2usize, 0..DEVICES.len());
    let to = prop::option::of(0..USERS.len());
    let send = (place.clone(), to, prop::bool::weighted(0.8), any::<bool>());
    prop_oneof![
        4 => place.clone().prop_map(Step::Login),
        1 => place.clone().prop_map(Step::Logout),
        2 => place.clone().prop_map(Step::Cut),
        2 => place.clone().prop_map(Step::Resume),
        9 => send.prop_map(|(from, to, keep, sync)| Step::Send { from, to, keep, sync }),
        4 => place.clone().prop_map(Step::TakeAndAck),
        2 => place.clone().prop_map(Step::TakeOnly),
        1 => place.prop_map(Step::Forget),
        1 => Just(Step::Crash),
        1 => Just(Step::GraceEnds),
    ]
}

/// What should be the case for one device.
#[derive(Debug, Default)]
struct Device {
    registered: bool,
    there: bool,
    attached: bool,
    /// Offered to its session, not kept and not acked.
    live: BTreeSet<u64>,
    /// Taken on this connection.
    taken: BTreeSet<u64>,
}

/// What should be the case for one user.
#[derive(Debug, Default)]
struct Model {
    devices: [Device; DEVICES.len()],
    /// Kept messages, and which devices have acked them.
    inbox: BTreeMap<u64, BTreeSet<usize>>,
}

impl Model {
    /// What a device has still to ack, in the order of the numbers.
    fn pending(&self, device: usize) -> BTreeSet<u64> {
        let unread = self.inbox.iter().filter(|(_, acked)| {
            if self.devices[device].registered { !acked.contains(&device) } else { acked.is_empty() }
        });
        unread.map(|(number, _)| *number).chain(self.devices[device].live.iter().copied()).collect()
    }

    fn register(&mut self, device: usize) {
        if !std::mem::replace(&mut self.devices[device].registered, true) {
            self.inbox.values_mut().filter(|acked| !acked.is_empty()).for_each(|acked| _ = acked.insert(device));
        }
    }

    /// What every device has that has to leaves.
    fn tidy(&mut self) {
        let registered: Vec<_> = (0..DEVICES.len()).filter(|device| self.devices[*device].registered).collect();
        self.inbox.retain(|_, acked| acked.is_empty() || registered.iter().any(|device| !acked.contains(device)));
    }

    fn keep(&mut self, number: u64, had_by: Option<usize>) {
        let others = (0..DEVICES.len()).any(|device| self.devices[device].registered && Some(device) != had_by);
        if had_by.is_none() || others {
            self.inbox.insert(number, had_by.into_iter().collect());
        }
    }

    fn offer(&mut self, number: u64, had_by: Option<usize>) {
        for (device, state) in self.devices.iter_mut().enumerate() {
            if state.there && Some(device) != had_by {
                state.live.insert(number);
            }
        }
    }
}

impl Device {
    fn ends(&mut self) {
        (self.there, self.attached) = (false, false);
        self.live.clear();
    }
}

struct Run {
    world: World,
    clients: BTreeMap<Place, Client>,
    models: [Model; USERS.len()],
    number: u64,
}

fn text(number: u64) -> String {
    format!("m{number:05}")
}

impl Run {
    fn device(&mut self, (user, device): Place) -> &mut Device {
        &mut self.models[user].devices[device]
    }

    async fn apply(&mut self, step: Step) {
        match step {
            Step::Login(place) => self.login(place).await,
            Step::Logout(place) => {
                if let Some(client) = self.clients.remove(&place) {
                    client.logout().await;
                    self.device(place).ends();
                }
            }
            Step::Cut(place) => {
                if let Some(client) = self.clients.get(&place) {
                    client.cut();
                    self.device(place).attached = false;
                }
            }
            Step::Resume(place) => self.resume(place).await,
            Step::Send { from, to, keep, sync } => self.send(from, to, keep, sync).await,
            Step::TakeAndAck(place) => self.take(place, true).await,
            Step::TakeOnly(place) => self.take(place, false).await,
            Step::Forget((user, device)) => {
                let (name, id) = (user_id(USERS[user]), DeviceId::from_trusted(DEVICES[device]));
                self.world.node.forget_device(&self.world.app, &name, &id).await.expect("forgotten");
                self.clients.remove(&(user, device));
                self.device((user, device)).ends();
                self.device((user, device)).registered = false;
                self.models[user].tidy();
            }
            Step::Crash => {
                self.world = self.world.restarted().await;
                for device in self.models.iter_mut().flat_map(|model| &mut model.devices) {
                    device.attached = false;
                    device.live.clear();
                }
            }
            Step::GraceEnds => self.grace_ends().await,
        }
        self.world.settle().await;
    }

    async fn login(&mut self, place: Place) {
        let client = self.world.connect(USERS[place.0], DEVICES[place.1], None).await;
        self.device(place).ends();
        self.models[place.0].register(place.1);
        self.attached(place, client).await;
    }

    async fn resume(&mut self, place: Place) {
        if self.device(place).attached {
            return;
        }
        let Some(old) = self.clients.get(&place) else { return };
        let back = self.world.connect(USERS[place.0], DEVICES[place.1], old.resume()).await;
        assert_eq!(back.connected.resumed, self.device(place).there);
        if !back.connected.resumed {
            self.models[place.0].register(place.1);
        }
        self.attached(place, back).await;
    }

    /// Everything that was not acked comes again, in order, on a new connection.
    async fn attached(&mut self, place: Place, client: Client) {
        self.clients.insert(place, client);
        let device = self.device(place);
        (device.there, device.attached) = (true, true);
        device.taken.clear();
        self.take(place, false).await;
    }

    async fn send(&mut self, from: Place, to: Option<usize>, keep: bool, sync: bool) {
        self.number += 1;
        let number = self.number;
        let options = SendOptions { keep, sync_sender: sync, ..SendOptions::default() };
        let client = self.clients.get(&from).filter(|_| self.models[from.0].devices[from.1].attached);
        let origin = client.map_or(Origin::Backend, |client| Origin::Client(client.session()));
        let had_by = client.map(|_| from.1);
        let (sender, node, app) = (USERS[from.0], &self.world.node, &self.world.app);
        let receivers = match to {
            Some(to) => {
                let send = SendPeer { options, ..peer(sender, USERS[to], &text(number)) };
                node.send_peer(app, origin, send).await.expect("taken");
                vec![to]
            }
            None => {
                let send = SendGroup { options, ..group(sender, "team", &text(number)) };
                node.send_group(app, origin, send).await.expect("taken");
                (0..USERS.len()).filter(|user| *user != from.0).collect()
            }
        };
        let copy = sync && !receivers.contains(&from.0);
        let copies = copy.then_some((from.0, had_by));
        let own = |user: usize| if sync && user == from.0 { had_by } else { None };
        for (user, had_by) in receivers.into_iter().map(|user| (user, own(user))).chain(copies) {
            if keep {
                self.models[user].keep(number, had_by);
            } else {
                self.models[user].offer(number, had_by);
            }
        }
    }

    async fn take(&mut self, place: Place, ack: bool) {
        self.world.settle().await;
        if !self.device(place).attached {
            return;
        }
        let Some(client) = self.clients.get(&place) else { return };
        let messages = client.take_messages();
        let model = &mut self.models[place.0];
        let pending = model.pending(place.1);
        let got: Vec<u64> = messages
            .iter()
            .map(|(message, _)| {
                String::from_utf8(message.payload.to_vec()).expect("text")[1..].parse().expect("number")
            })
            .collect();
        let device = &mut model.devices[place.1];
        let expected: Vec<u64> = pending.iter().copied().filter(|number| !device.taken.contains(number)).collect();
        assert_eq!(got, expected, "each comes once on a connection, in order, at {place:?}");
        device.taken.extend(&got);
        if ack {
            client.ack(&messages.iter().map(|(message, _)| message.id).collect::<Vec<_>>());
            for number in got {
                device.live.remove(&number);
                if let Some(acked) = model.inbox.get_mut(&number) {
                    acked.insert(place.1);
                }
            }
            model.tidy();
        }
        self.world.settle().await;
    }

    async fn grace_ends(&mut self) {
        let heard = |run: &Self| {
            for ((user, device), client) in &run.clients {
                if run.models[*user].devices[*device].attached {
                    client.heard();
                }
            }
        };
        heard(self);
        self.world.clock.advance(Duration::from_secs(30));
        heard(self);
        self.world.node.tick();
        for device in self.models.iter_mut().flat_map(|model| &mut model.devices) {
            if !device.attached {
                device.ends();
            }
        }
    }

    /// What waits for each user, by the store's own count.
    async fn check_counts(&self) {
        for (user, model) in self.models.iter().enumerate() {
            let waiting = model.inbox.values().filter(|acked| acked.is_empty()).count();
            assert_eq!(self.world.inbox_of(USERS[user]).await, waiting, "{}", USERS[user]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_of_devices_do_what_the_model_says(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let world = world_with(|policy| policy.devices = DevicePolicy::Many { max: DEVICES.len() }).await;
            world.add_members("team", &USERS).await;
            let mut run = Run { world, clients: BTreeMap::new(), models: Default::default(), number: 0 };
            for step in steps {
                run.apply(step).await;
                run.check_counts().await;
            }
        });
    }
}
