//! Clients of the vendor's Chat SDKs, as frames.

mod admissions;
mod again;
mod carriers;
mod compression;
mod contacts;
mod dead;
mod joining;
mod login;
mod queues;
mod requests;
mod silenced;
mod told;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::SinkExt;
use stentor_core::id::RoomId;
use stentor_gateway_ws::Carrier;
use stentor_msync::compress::{Packer, Unpacker};
use stentor_msync::{
    BodyType, Command, Content, ContentKind, ErrorCode, Jid, MSync, Message as _, MessageBody, Meta, MucBody,
    MucOperation, NameSpace, Provision, QueueNotice, SyncDown, SyncUp, UnreadDown, decode,
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{CHAT_APP, Gateway, Raw, soon};

/// No two clients number alike: what has the number of before is sent again.
static NEXT: AtomicU64 = AtomicU64::new(0);

const USERS: &str = "easemob.com";
const CONFERENCES: &str = "conference.easemob.com";

fn jid(name: &str, domain: &str) -> Jid {
    Jid {
        app_key: Some(CHAT_APP.to_owned()),
        name: Some(name.to_owned()),
        domain: Some(domain.to_owned()),
        client_resource: None,
    }
}

/// A login by token, as the newer SDKs have it.
fn provision(user: &str, device: &str, token: &str) -> MSync {
    let provision = Provision {
        resource: Some(device.to_owned()),
        auth_token: Some(format!(r#"{{"token":"$t${token}"}}"#)),
        session_id: Some("1700000000000:".to_owned()),
        action_version: Some("v5.2".to_owned()),
        ..Provision::default()
    };
    login(user, &provision)
}

fn login(user: &str, provision: &Provision) -> MSync {
    MSync { guid: Some(jid(user, USERS)), ..frame(Command::Provision, provision) }
}

fn frame(command: Command, payload: &impl stentor_msync::Message) -> MSync {
    MSync { command: Some(command as i32), payload: Some(payload.encode_to_vec().into()), ..MSync::default() }
}

fn text(kind: BodyType, text: &str) -> MessageBody {
    let content = Content { kind: Some(ContentKind::Text as i32), text: Some(text.to_owned()), ..Content::default() };
    MessageBody { kind: Some(kind as i32), contents: vec![content], ..MessageBody::default() }
}

fn about(kind: BodyType, id: u64) -> MessageBody {
    MessageBody {
        kind: Some(kind as i32),
        ack_message_id: Some(id),
        contents: vec![Content::default()],
        ..MessageBody::default()
    }
}

fn body(meta: &Meta) -> MessageBody {
    assert_eq!(meta.ns, Some(NameSpace::Chat as i32));
    decode(meta.payload.clone().expect("a payload")).expect("a body")
}

fn status(down: &SyncDown) -> (i32, &str) {
    let status = down.status.as_ref().expect("a status");
    (status.error_code.expect("a code"), status.reason.as_deref().unwrap_or_default())
}

/// A client that speaks the protocol, and acks only when told to.
struct Sdk {
    raw: Raw,
    /// What its messages travel in.
    carrier: Carrier,
    /// What came while something else was waited for.
    told: VecDeque<MSync>,
    next: u64,
    /// Once it was agreed to compress.
    packing: Option<(Packer, Unpacker)>,
}

impl Gateway {
    async fn sdk(&self, user: &str) -> Sdk {
        self.sdk_on(user, "web").await
    }

    async fn sdk_on(&self, user: &str, device: &str) -> Sdk {
        let (sdk, answer) = self.try_sdk(provision(user, device, "good")).await;
        assert_eq!(answer.status.expect("a status").error_code, Some(ErrorCode::Ok as i32));
        sdk
    }

    async fn try_sdk(&self, login: MSync) -> (Sdk, Provision) {
        let mut sdk = self.stranger(Carrier::WebSocket).await;
        let answer = sdk.login(&login).await;
        (sdk, answer)
    }

    /// A client that has not logged in.
    async fn stranger(&self, carrier: Carrier) -> Sdk {
        let path = match carrier {
            Carrier::WebSocket => "/websocket",
            Carrier::SockJs => "/ws/123/abcdefgh/websocket",
            Carrier::Tcp => "",
        };
        let raw = match carrier {
            Carrier::Tcp => Raw::unframed(TcpStream::connect(self.tcp_address).await.expect("connected")).await,
            _ => self.raw_at(path).await,
        };
        let mut sdk = Sdk {
            raw,
            carrier,
            told: VecDeque::new(),
            next: 1 + (NEXT.fetch_add(1, Ordering::Relaxed) << 32),
            packing: None,
        };
        if carrier == Carrier::SockJs {
            assert_eq!(sdk.raw.message().await, Some(Message::text("o")));
        }
        sdk
    }
}

impl Sdk {
    async fn say(&mut self, frame: &MSync) {
        self.bytes(frame.encode_to_vec()).await;
    }

    async fn login(&mut self, login: &MSync) -> Provision {
        self.say(login).await;
        let answer = self.of(Command::Provision).await;
        decode(answer.payload.expect("a payload")).expect("a provision")
    }

    async fn bytes(&mut self, bytes: Vec<u8>) {
        let bytes = match &mut self.packing {
            Some((packer, _)) => packer.pack(&bytes),
            None => bytes,
        };
        self.as_they_are(bytes).await;
    }

    async fn as_they_are(&mut self, bytes: Vec<u8>) {
        match self.carrier {
            Carrier::WebSocket => soon(self.raw.0.send(Message::binary(bytes))).await.expect("sent"),
            Carrier::SockJs => self.raw.send(&format!("[\"{}\"]", STANDARD.encode(bytes))).await,
            Carrier::Tcp => {
                let length = u32::try_from(bytes.len()).expect("short").to_be_bytes();
                self.raw.bytes(&[&length[..], &bytes].concat()).await;
            }
        }
    }

    async fn frame(&mut self) -> MSync {
        if self.carrier == Carrier::Tcp {
            let frame = self.raw.prefixed().await.expect("a frame");
            return self.unpacked(&frame);
        }
        match (self.carrier, self.raw.message().await) {
            (Carrier::WebSocket, Some(Message::Binary(bytes))) => self.unpacked(&bytes),
            (Carrier::SockJs, Some(Message::Text(text))) => {
                let texts: Vec<String> =
                    serde_json::from_str(text.strip_prefix('a').expect("a message")).expect("JSON");
                let [text] = <[String; 1]>::try_from(texts).expect("one message");
                decode(STANDARD.decode(text).expect("base64").into()).expect("a frame")
            }
            (_, other) => panic!("a frame was expected: {other:?}"),
        }
    }

    fn unpacked(&mut self, bytes: &[u8]) -> MSync {
        let frame = match &mut self.packing {
            Some((_, unpacker)) => unpacker.unpack(bytes, 1 << 20).expect("packed"),
            None => bytes.to_vec(),
        };
        decode(frame.into()).expect("a frame")
    }

    /// The next frame that fits; the others are kept.
    async fn wait<T>(&mut self, fits: impl Fn(&MSync) -> Option<T>) -> T {
        for at in 0..self.told.len() {
            if let Some(found) = fits(&self.told[at]) {
                self.told.remove(at);
                return found;
            }
        }
        loop {
            let frame = self.frame().await;
            match fits(&frame) {
                Some(found) => return found,
                None => self.told.push_back(frame),
            }
        }
    }

    async fn of(&mut self, command: Command) -> MSync {
        self.wait(|frame| (frame.command == Some(command as i32)).then(|| frame.clone())).await
    }

    async fn down(&mut self, fits: impl Fn(&SyncDown) -> bool) -> SyncDown {
        let down = |frame: &MSync| -> Option<SyncDown> {
            (frame.command == Some(Command::Sync as i32))
                .then(|| decode(frame.payload.clone().unwrap_or_default()).expect("a sync"))
        };
        self.wait(|frame| down(frame).filter(|down| fits(down))).await
    }

    /// The next items.
    async fn items(&mut self) -> SyncDown {
        self.down(|down| !down.metas.is_empty()).await
    }

    /// The next item, alone in its frame.
    async fn item(&mut self) -> Meta {
        let [meta]: [Meta; 1] = self.items().await.metas.try_into().expect("one item");
        meta
    }

    /// The next that happened to a room or group.
    async fn event(&mut self, operation: MucOperation) -> MucBody {
        let event = |meta: &Meta| -> Option<MucBody> {
            (meta.ns == Some(NameSpace::Muc as i32))
                .then(|| decode(meta.payload.clone().expect("a payload")).expect("a body"))
        };
        let of =
            |down: &SyncDown| down.metas.iter().filter_map(event).find(|body| body.operation == Some(operation as i32));
        let down = self.down(|down| of(down).is_some()).await;
        of(&down).expect("it was there")
    }

    /// Sends an item, and waits for its answer.
    async fn ask(&mut self, meta: Meta) -> SyncDown {
        self.next += 1;
        self.ask_as(self.next, meta).await
    }

    /// The same, as the item of this number.
    async fn ask_as(&mut self, id: u64, meta: Meta) -> SyncDown {
        let meta = Meta { id: Some(id), ..meta };
        self.say(&frame(Command::Sync, &SyncUp { meta: Some(meta), ..SyncUp::default() })).await;
        self.down(|down| down.meta_id == Some(id)).await
    }

    async fn send(&mut self, to: Jid, body: &MessageBody) -> SyncDown {
        self.ask(message(to, body)).await
    }

    /// Sends what must go well; its number.
    async fn sent(&mut self, to: Jid, body: &MessageBody) -> u64 {
        let answer = self.send(to, body).await;
        assert_eq!(status(&answer), (0, ""));
        answer.server_id.expect("a number")
    }

    async fn muc(&mut self, room: &RoomId, operation: MucOperation) -> SyncDown {
        let body = MucBody {
            muc_id: Some(jid(room.as_str(), CONFERENCES)),
            operation: Some(operation as i32),
            is_chatroom: Some(true),
            ..MucBody::default()
        };
        let payload = Some(body.encode_to_vec().into());
        self.ask(Meta { ns: Some(NameSpace::Muc as i32), payload, ..Meta::default() }).await
    }

    async fn join(&mut self, room: &RoomId) {
        assert_eq!(status(&self.muc(room, MucOperation::Join).await), (0, ""));
    }

    /// Pulls a queue, and acks up to a number.
    async fn pull(&mut self, queue: Jid, key: Option<u64>) -> SyncDown {
        let name = queue.name.clone();
        self.say(&frame(Command::Sync, &SyncUp { key, queue: Some(queue), ..SyncUp::default() })).await;
        let of_queue = |down: &SyncDown| down.queue.as_ref().is_some_and(|queue| queue.name == name);
        self.down(|down| of_queue(down) && (down.is_last == Some(true) || down.metas.len() > 1)).await
    }

    /// What there is to pull: the other sides and how much.
    async fn unread(&mut self) -> Vec<(String, u32)> {
        self.say(&MSync { command: Some(Command::Unread as i32), ..MSync::default() }).await;
        let frame = self.of(Command::Unread).await;
        let unread: UnreadDown = decode(frame.payload.expect("a payload")).expect("an unread");
        assert_eq!(unread.status.expect("a status").error_code, Some(0));
        let of = |queue: &stentor_msync::QueueCount| {
            (queue.queue.clone().and_then(|queue| queue.name).expect("a name"), queue.n.expect("a number"))
        };
        unread.unread.iter().map(of).collect()
    }

    async fn notice(&mut self) -> String {
        let frame = self.of(Command::Notice).await;
        let notice: QueueNotice = decode(frame.payload.expect("a payload")).expect("a notice");
        notice.queue.and_then(|queue| queue.name).expect("a name")
    }

    /// Nothing else was told than what was waited for: an answer comes behind it.
    async fn heard_nothing_else(&mut self) {
        self.unread().await;
        let told = std::mem::take(&mut self.told);
        assert!(told.is_empty(), "{told:?}");
    }
}

fn message(to: Jid, body: &MessageBody) -> Meta {
    Meta {
        to: Some(to),
        ns: Some(NameSpace::Chat as i32),
        payload: Some(body.encode_to_vec().into()),
        routetype: Some(0),
        ..Meta::default()
    }
}
