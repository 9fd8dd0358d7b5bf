//! What a client may not say as a message it says neither by an edit nor beside a recall; it may still take back.

use stentor_core::app::RegisteredRooms;
use stentor_core::delivery::{
    Edit, EditError, Edited, Forbidden, Origin, Recall, RecallError, Recalled, SendError, SendGroup, SendOptions,
    SendPeer, SendRoom,
};
use stentor_core::directory::mutes::{MuteScope, MuteTime};
use stentor_core::directory::rooms::{NewRoom, RoomKind};
use stentor_core::directory::silenced::Silenced;
use stentor_core::directory::users::NewUser;
use stentor_core::id::{MessageId, RoomId, UserId};
use stentor_core::message::{Message, MessageKind, Target};
use stentor_core::notice::Notice;
use stentor_core::store::HistoryStore;

use crate::harness::{Client, World, group, kept, peer, text, to_room, user_id, world_with};

/// `alice` talks to `bob`, in a group or room of `carol`'s if there is one.
struct Scene {
    world: World,
    alice: Client,
    bob: Client,
    to: Target,
}

async fn scene(kind: Option<RoomKind>) -> Scene {
    let world = world_with(|policy| {
        let limits = RegisteredRooms { rooms_per_user: 3, groups_per_user: 3, rooms: 5, groups: 5 };
        policy.rooms.registered = Some(limits);
    })
    .await;
    for name in ["alice", "bob", "carol"] {
        let new = NewUser { name: user_id(name), password_hash: None, nickname: None };
        world.node.register(&world.app, new).await.expect("registers");
    }
    let to = match kind {
        None => Target::User(user_id("bob")),
        Some(RoomKind::Group) => Target::Group(place(&world, RoomKind::Group).await),
        Some(RoomKind::Room) => Target::Room(place(&world, RoomKind::Room).await),
    };
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    Scene { world, alice, bob, to }
}

async fn place(world: &World, kind: RoomKind) -> RoomId {
    let new = NewRoom {
        kind,
        name: "name".to_owned(),
        description: String::new(),
        owner: user_id("carol"),
        max_users: 10,
        members: vec![user_id("alice"), user_id("bob")],
        custom: String::new(),
        public: true,
        members_only: false,
        allow_invites: false,
        invite_need_confirm: true,
        avatar: String::new(),
    };
    world.node.create_room(&world.app, new).await.expect("creates").room_id()
}

impl Scene {
    fn by_alice(&self) -> Origin<'_> {
        Origin::Client(self.alice.session())
    }

    async fn say(&self) -> Result<MessageId, SendError> {
        let (node, app, origin) = (&self.world.node, &self.world.app, self.by_alice());
        let options = SendOptions { history: true, ..kept() };
        match &self.to {
            Target::User(_) => {
                node.send_peer(app, origin, SendPeer { options, ..peer("alice", "bob", "a") }).await.map(|sent| sent.id)
            }
            Target::Group(id) => {
                let send = SendGroup { options, ..group("alice", id.as_str(), "a") };
                node.send_group(app, origin, send).await.map(|sent| sent.id)
            }
            Target::Room(id) => {
                let send = SendRoom { options, ..to_room("alice", id.as_str(), "a") };
                node.send_room(app, origin, send).await.map(|sent| sent.id)
            }
        }
    }

    async fn edit(&self, origin: Origin<'_>, id: MessageId) -> Result<MessageId, EditError<()>> {
        let change = |_: &Message, _| Ok(Edited { payload: text("b"), news: text("news") });
        let edit = Edit { id, to: Some(self.to.clone()), by: user_id("alice") };
        self.world.node.edit(&self.world.app, origin, edit, change).await
    }

    async fn recall(&self, origin: Origin<'_>, id: MessageId) -> Result<Recalled, RecallError> {
        let recall = Recall {
            id,
            to: self.to.clone(),
            by: user_id("alice"),
            payload: text("gone, and words"),
            if_silenced: Some(text("gone")),
            within_ms: None,
            even_if_gone: false,
            sync_sender: false,
        };
        self.world.node.recall(&self.world.app, origin, recall).await
    }

    /// What bob is told.
    fn heard(&self) -> Vec<(MessageKind, String)> {
        let read = |notice| match notice {
            Notice::PeerMessage { message, .. } | Notice::RoomMessage { message, .. } => {
                Some((message.marks.kind, String::from_utf8(message.payload.to_vec()).expect("text")))
            }
            _ => None,
        };
        self.bob.take().into_iter().filter_map(read).collect()
    }

    /// An edit is refused like a message, and a recall done without words. The backend does as it likes.
    async fn is_silent(&self, before: [MessageId; 2], why: Forbidden) {
        self.heard();
        let refused = self.say().await;
        assert!(matches!(refused, Err(SendError::Forbidden(how)) if how == why), "{why:?}: {refused:?}");
        let refused = self.edit(self.by_alice(), before[0]).await;
        assert!(
            matches!(refused, Err(EditError::Send(SendError::Forbidden(how))) if how == why),
            "{why:?}: {refused:?}"
        );
        assert_eq!(self.heard(), [], "{why:?}");
        let found = self.world.store.message(self.world.app.id(), before[0]).await.expect("reads").expect("is there");
        assert_eq!((&found.payload, found.marks.edits), (&text("a"), 0), "{why:?}");
        self.recall(self.by_alice(), before[0]).await.expect("takes back");
        self.edit(Origin::Backend, before[1]).await.expect("edits");
        self.recall(Origin::Backend, before[1]).await.expect("takes back");
        let told =
            [(MessageKind::Recall, "gone"), (MessageKind::Edit, "news"), (MessageKind::Recall, "gone, and words")];
        assert_eq!(self.heard(), told.map(|(kind, text)| (kind, text.to_owned())), "{why:?}");
    }

    /// Nothing is refused, and two messages are there for later.
    async fn speaks(&self) -> [MessageId; 2] {
        let id = self.say().await.expect("sends");
        self.heard();
        self.edit(self.by_alice(), id).await.expect("edits");
        self.recall(self.by_alice(), id).await.expect("takes back");
        let told = [(MessageKind::Edit, "news"), (MessageKind::Recall, "gone, and words")];
        assert_eq!(self.heard(), told.map(|(kind, text)| (kind, text.to_owned())));
        [self.say().await.expect("sends"), self.say().await.expect("sends")]
    }

    async fn muted_by_app(&self, scope: MuteScope) {
        let (node, app, alice) = (&self.world.node, &self.world.app, user_id("alice"));
        let said = self.speaks().await;
        node.mute_user(app, &alice, &[(scope, MuteTime::Forever)]).await.expect("mutes");
        self.is_silent(said, Forbidden::Muted).await;
        node.mute_user(app, &alice, &[(scope, MuteTime::None)]).await.expect("lifts");
        self.speaks().await;
    }
}

fn alice() -> [UserId; 1] {
    [user_id("alice")]
}

#[tokio::test]
async fn by_who_blocks_and_by_the_app_between_two() {
    let scene = scene(None).await;
    let (node, app, bob) = (&scene.world.node, &scene.world.app, user_id("bob"));
    let said = scene.speaks().await;
    node.block_users(app, &bob, &alice()).await.expect("blocks");
    scene.is_silent(said, Forbidden::Blocked).await;
    node.unblock_user(app, &bob, &user_id("alice")).await.expect("unblocks");
    scene.muted_by_app(MuteScope::Users).await;
}

#[tokio::test]
async fn in_groups_and_rooms() {
    for (kind, scope) in [(RoomKind::Group, MuteScope::Groups), (RoomKind::Room, MuteScope::Rooms)] {
        let scene = scene(Some(kind)).await;
        let (Target::Group(id) | Target::Room(id)) = scene.to.clone() else { unreachable!("it is a place") };
        let (node, app) = (&scene.world.node, &scene.world.app);
        let said = scene.speaks().await;
        node.mute_members(app, kind, &id, &alice(), u64::MAX).await.expect("mutes");
        scene.is_silent(said, Silenced::Muted.into()).await;
        node.unmute_members(app, kind, &id, &alice()).await.expect("lifts");
        let said = scene.speaks().await;
        node.mute_all(app, kind, &id, true).await.expect("mutes");
        scene.is_silent(said, Silenced::AllMuted.into()).await;
        // Who is exempt says what it wants.
        node.allow_members(app, kind, &id, &alice(), true).await.expect("allows");
        let said = scene.speaks().await;
        node.disable_room(app, kind, &id, true).await.expect("switches off");
        scene.is_silent(said, Silenced::Disabled.into()).await;
        node.disable_room(app, kind, &id, false).await.expect("switches on");
        scene.muted_by_app(scope).await;
    }
}

#[tokio::test]
async fn who_is_out_changes_nothing() {
    for kind in [RoomKind::Group, RoomKind::Room] {
        let scene = scene(Some(kind)).await;
        let (Target::Group(id) | Target::Room(id)) = scene.to.clone() else { unreachable!("it is a place") };
        let [said, _] = scene.speaks().await;
        scene.world.node.remove_members(&scene.world.app, kind, &id, &alice()).await.expect("is there");
        scene.heard();
        let refused = scene.edit(scene.by_alice(), said).await;
        let outside = Forbidden::Silenced(Silenced::NotMember);
        assert!(matches!(refused, Err(EditError::Send(SendError::Forbidden(why))) if why == outside), "{refused:?}");
        let refused = scene.recall(scene.by_alice(), said).await;
        assert!(matches!(refused, Err(RecallError::Send(SendError::NotInRoom))), "{refused:?}");
        assert_eq!(scene.heard(), []);
    }
}
