//! A Chat user's client on one device: tells oracle and ledgers what arrives, acks if that is its habit, and sends.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::callbacks::Event;
use super::{STAY_MS, roster};
use crate::crash::World;
use crate::crash::connection::{Connection, Ear};
use crate::crash::oracle::{Mailbox, Number, Sender, To, Wish};
use crate::stentor::chat::{Login, log_in};
use crate::stentor::login::{LoggedIn, Refused};

/// Logins of one user come too often: this passes.
const TOO_OFTEN: u64 = 4;
const A_WHILE: Duration = Duration::from_millis(100);

/// Who logs in.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) mailbox: Mailbox,
    pub(super) user: &'static str,
    pub(super) device: String,
}

impl Who {
    /// A device of the roster, or a watcher.
    pub(super) fn of(mailbox: Mailbox) -> Self {
        let (user, device) = roster::device(mailbox);
        Self { mailbox, user, device: device.to_owned() }
    }
}

/// The newest ID of each room and level.
type Newest = HashMap<String, HashMap<String, u64>>;

/// A session to be continued, and what its client has.
#[derive(Debug, Clone)]
pub(super) struct Resume {
    session: String,
    newest: Newest,
}

impl Resume {
    /// The field of the login.
    fn to_json(&self) -> Value {
        let ids = |levels: &HashMap<String, u64>| levels.values().map(ToString::to_string).collect::<Vec<_>>();
        let rooms: HashMap<_, _> = self.newest.iter().map(|(room, levels)| (room, ids(levels))).collect();
        json!({"session": self.session, "rooms": rooms})
    }
}

/// A connected client. Dropping it cuts the connection.
pub(super) struct Client {
    connection: Connection<Listener>,
    session: String,
    resumed: bool,
}

struct Listener {
    world: Rc<World>,
    who: Who,
    acks: bool,
    received: RefCell<BTreeSet<Number>>,
    from_inbox: Cell<usize>,
    last_message: Cell<Instant>,
    newest: RefCell<Newest>,
    /// Acked, and not known to be durable.
    unconfirmed: RefCell<Vec<Number>>,
}

impl Client {
    /// Logs in, or continues a session.
    pub(super) async fn log_in(
        world: &Rc<World>,
        who: Who,
        acks: bool,
        resume: Option<Resume>,
    ) -> anyhow::Result<Self> {
        let logged_in = connect(world, &who, resume.as_ref().map(Resume::to_json)).await?;
        let session = logged_in.welcome["session"].as_str().context("no session in the welcome")?.to_owned();
        let resumed = logged_in.welcome["resumed"] == true;
        {
            let counts = &mut world.chat.oracle.borrow_mut().counts;
            counts.logins += 1;
            counts.resumed += u64::from(resumed);
        }
        let listener = Listener {
            world: Rc::clone(world),
            who,
            acks,
            received: RefCell::default(),
            from_inbox: Cell::new(0),
            last_message: Cell::new(Instant::now()),
            newest: RefCell::new(resume.map(|resume| resume.newest).unwrap_or_default()),
            unconfirmed: RefCell::default(),
        };
        let connection = Connection::new(logged_in, Duration::from_millis(STAY_MS / 4), listener)?;
        Ok(Self { connection, session, resumed })
    }

    pub(super) fn resumed(&self) -> bool {
        self.resumed
    }

    /// How a later login continues this session.
    pub(super) fn resume(&self) -> Resume {
        Resume { session: self.session.clone(), newest: self.connection.ear().newest.borrow().clone() }
    }

    /// Waits until the connection has ended.
    pub(super) async fn ended(&mut self) {
        self.connection.ended().await;
    }

    pub(super) async fn log_out(&self) -> anyhow::Result<()> {
        self.connection.expect_ok(json!({"type": "logout"})).await.map(drop)
    }

    /// Sends to a user, or to the group. The answer says that earlier acks are durable, too.
    pub(super) async fn send(&self, sender: Sender, user: Option<&'static str>) -> anyhow::Result<()> {
        let Listener { world, who, unconfirmed, .. } = self.connection.ear();
        let made = world.chat.made()?;
        let others = roster::mailboxes_of(who.user).filter(|other| *other != who.mailbox);
        let (to, name, chat_type) = match user {
            Some(user) => (To::mailboxes(roster::mailboxes_of(user).chain(others).collect::<Vec<_>>()), user, "chat"),
            None => {
                let members: Vec<_> = roster::mailboxes().filter(|other| *other != who.mailbox).collect();
                (To::group(roster::GROUP, members), made.group.as_str(), "groupchat")
            }
        };
        let acked = unconfirmed.take();
        let number = world.chat.oracle.borrow_mut().begin(sender, to, Wish { keep: true, history: false });
        let request = json!({
            "type": "send", "chat_type": chat_type, "to": name, "body_type": "txt", "body": {"msg": format!("{number}:")},
        });
        let reply = self.connection.expect_ok(request).await?;
        let id = reply["message_id"].as_str().and_then(|id| id.parse().ok()).context("no message ID")?;
        let mut oracle = world.chat.oracle.borrow_mut();
        oracle.answered(number, 200, false);
        oracle.acks_confirmed(who.mailbox, &acked);
        world.chat.pushes.borrow_mut().acked(who.user, acked);
        world.chat.callbacks.borrow_mut().owe(Event::Sent, number, name, id);
        Ok(())
    }

    /// Waits until no message came for some time.
    pub(super) async fn quiet_for(&self, span: Duration) -> anyhow::Result<()> {
        let listener = self.connection.ear();
        loop {
            ensure!(!self.connection.is_over(), "the server closed the connection of {:?}", listener.who);
            let left = span.saturating_sub(listener.last_message.get().elapsed());
            if left.is_zero() {
                return Ok(());
            }
            sleep(left).await;
        }
    }

    /// The messages to users and groups that came over this connection, and how many came from the inbox.
    pub(super) fn received(&self) -> (BTreeSet<Number>, usize) {
        let listener = self.connection.ear();
        (listener.received.borrow().clone(), listener.from_inbox.get())
    }
}

async fn connect(world: &World, who: &Who, resume: Option<Value>) -> anyhow::Result<LoggedIn> {
    let made = world.chat.made()?;
    let token = made.user_tokens.get(who.user).context("no token")?;
    let login = Login { user: who.user, device: &who.device, token };
    loop {
        let logged_in = log_in(world.address.get(), None, login, resume.clone(), &world.scratch).await;
        match &logged_in {
            Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.code == TOO_OFTEN) => {
                sleep(A_WHILE).await;
            }
            _ => return logged_in,
        }
    }
}

impl Ear for Listener {
    fn take(&self, frame: &Value) -> anyhow::Result<Option<(u64, Number)>> {
        match (frame["type"].as_str(), frame["chat_type"].as_str()) {
            (Some("chat_message"), Some("chatroom")) => self.room_message(frame).map(|()| None),
            (Some("chat_message"), _) => self.message(frame).map(Some),
            (Some("room_messages_missed"), _) => {
                let room = self.room(frame["room"].as_str())?;
                self.world.chat.rooms.borrow_mut().missed(room, frame["count"].as_u64().context("no count")?);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn acking(&self, messages: &[(u64, Number)]) -> bool {
        if self.acks {
            let mut oracle = self.world.chat.oracle.borrow_mut();
            messages.iter().for_each(|(_, number)| oracle.acking(self.who.mailbox, *number));
            self.unconfirmed.borrow_mut().extend(messages.iter().map(|(_, number)| *number));
        }
        self.acks
    }

    fn wrong(&self, what: String) {
        self.world.chat.oracle.borrow_mut().violations.push(format!("{:?}: {what}", self.who));
    }
}

impl Listener {
    fn message(&self, frame: &Value) -> anyhow::Result<(u64, Number)> {
        let Text { id, from, to, text } = Text::of(frame)?;
        let place = (frame["chat_type"] == "groupchat").then_some(roster::GROUP);
        self.last_message.set(Instant::now());
        let mut oracle = self.world.chat.oracle.borrow_mut();
        let number = oracle.delivered(self.who.mailbox, place, from, id, text);
        let number = number.context("a message that does not make sense")?;
        if self.received.borrow_mut().insert(number) && oracle.is_ack_confirmed(self.who.mailbox, number) {
            bail!("message {number} comes again, though its ack was durable");
        }
        if frame["from_inbox"] == true {
            self.from_inbox.set(self.from_inbox.get() + 1);
            // It is durable, and what is told of it with it.
            self.world.chat.callbacks.borrow_mut().owe(Event::Sent, number, to, id);
        }
        Ok((id, number))
    }

    fn room_message(&self, frame: &Value) -> anyhow::Result<()> {
        let Text { id, from, to, text } = Text::of(frame)?;
        let level = frame["level"].as_str().context("no level")?;
        self.newest.borrow_mut().entry(to.to_owned()).or_default().insert(level.to_owned(), id);
        self.last_message.set(Instant::now());
        let room = self.room(Some(to))?;
        if frame["broadcast"] == true {
            self.world.chat.rooms.borrow_mut().seen(room, text, id);
            return Ok(());
        }
        let place = Some(roster::place(room));
        let number = self.world.chat.oracle.borrow_mut().delivered(self.who.mailbox, place, from, id, text);
        number.map(drop).context("a message that does not make sense")
    }

    fn room(&self, id: Option<&str>) -> anyhow::Result<usize> {
        id.and_then(|id| self.world.chat.rooms.borrow().find(id)).context("an unknown room")
    }
}

/// What a message says.
struct Text<'a> {
    id: u64,
    from: &'a str,
    to: &'a str,
    text: &'a str,
}

impl<'a> Text<'a> {
    fn of(frame: &'a Value) -> anyhow::Result<Self> {
        let id = frame["id"].as_str().and_then(|id| id.parse().ok()).context("no message ID")?;
        let words = (frame["from"].as_str(), frame["to"].as_str(), frame["body"]["msg"].as_str());
        let (Some(from), Some(to), Some(text)) = words else { bail!("no sender, receiver or text") };
        Ok(Self { id, from, to, text })
    }
}
