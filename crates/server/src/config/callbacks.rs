//! `[[apps.callbacks]]`: the callback rules of an app's Chat side.

use stentor_callbacks::{BadUrl, Endpoint};

use super::names::SecretText;
use super::section::section;
use super::value::{Bounded, Invalid, Setting, Shape, quoted, words};

/// The name of a callback rule: 1 to 32 letters, digits, `_`, `-` and `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleName(String);

impl RuleName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for RuleName {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid(format!("expected 1 to 32 letters, digits, '_', '-' or '.', found {text:?}")))
        }
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// The URL of a callback rule. It may hold a token in its path or query, so errors do not repeat it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUrl(Endpoint);

impl CallbackUrl {
    /// Where it leads.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.0
    }
}

impl Setting for CallbackUrl {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        Endpoint::parse(text).map(Self).map_err(|error: BadUrl| Invalid(error.to_string()))
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(self.0.as_str()))
    }
}

words! {
    /// When a rule is called.
    pub enum CallbackKind {
        /// When something has happened.
        Post = "post",
        /// Before a client's message is taken.
        Pre = "pre",
    }
}

words! {
    /// What a rule can be told.
    pub enum EventWord {
        /// A message was sent.
        Chat = "chat",
        /// The receiver of a message was away.
        ChatOffline = "chat_offline",
        /// A message was taken back.
        Recall = "recall",
        /// A message was changed.
        Edit = "edit",
        /// A message was read.
        ReadAck = "read_ack",
        /// A user logged in or out.
        Status = "status",
        /// The offline push of a message ended.
        Push = "push",
        /// Something happened to a group.
        Group = "group",
        /// Something happened to a room.
        Room = "room",
    }
}

words! {
    /// Where a message goes.
    pub enum ChatTypeWord {
        /// To a user.
        Chat = "chat",
        /// To a group.
        Groupchat = "groupchat",
        /// To a room.
        Chatroom = "chatroom",
    }
}

words! {
    /// What a message holds.
    pub enum MessageTypeWord {
        /// Text.
        Txt = "txt",
        /// A picture.
        Img = "img",
        /// A voice message.
        Audio = "audio",
        /// A video.
        Video = "video",
        /// Any file.
        File = "file",
        /// A place.
        Loc = "loc",
        /// A command for the client program.
        Cmd = "cmd",
        /// A custom message.
        Custom = "custom",
    }
}

words! {
    /// Who sent a message.
    pub enum SourceWord {
        /// A client.
        Client = "client",
        /// The backend.
        Rest = "rest",
    }
}

words! {
    /// What a missing answer means.
    pub enum OnFailureWord {
        /// The message is taken.
        Allow = "allow",
        /// It is not.
        Deny = "deny",
    }
}

section! {
    /// A callback rule of the app's Chat side: a URL that is told what happens, or is asked before a client's message is
    /// taken. Repeat the section for more, up to four.
    pub struct CallbackSection {
        /// Its name: unique in the app. What waits for it is kept under this name. Required.
        name: Option<RuleName> = None, example "\"audit\"";
        /// "post": called when something has happened. "pre": asked before a client's message is taken.
        kind: CallbackKind = CallbackKind::Post;
        /// Whether it is used. What waits for a rule that is not becomes failed callbacks.
        enabled: bool = true;
        /// Where it goes: http or https, without credentials. Required.
        url: Option<CallbackUrl> = None, example "\"https://hooks.example.com/chat\"";
        /// What it is signed with. Required.
        secret: Option<SecretText> = None, example "\"a long random text\"";
        /// What it is told: "chat", "chat_offline", "recall", "edit", "read_ack", "status", "push", "group",
        /// "room".
        events: Vec<EventWord> = vec![EventWord::Chat];
        /// Only messages of these kinds: "chat", "groupchat", "chatroom". Empty, here and below: all.
        chat_types: Vec<ChatTypeWord> = Vec::new();
        /// Only messages of these types: "txt", "img", "audio", "video", "file", "loc", "cmd", "custom".
        message_types: Vec<MessageTypeWord> = Vec::new();
        /// Only messages sent by a "client", or over "rest".
        sources: Vec<SourceWord> = Vec::new();
        /// Only from these users, or done by them.
        from: Vec<String> = Vec::new();
        /// Only messages to these users: none to groups and rooms.
        to: Vec<String> = Vec::new();
        /// Only in these groups and rooms: no messages to users.
        groups: Vec<String> = Vec::new();
        /// Only messages whose ext has one of these keys.
        ext_keys: Vec<String> = Vec::new();
        /// Not from these users, nor done by them.
        exclude_from: Vec<String> = Vec::new();
        /// Not in these groups and rooms.
        exclude_groups: Vec<String> = Vec::new();
        /// How long an answer may take. Without it 10000, or 200 for "pre".
        timeout_ms: Option<Bounded<1, 60_000>> = None, example "10000";
        /// How many requests there are at once. Without it 8, or 64 for "pre".
        concurrency: Option<Bounded<1, 1_024>> = None, example "8";
        /// Of "pre": what happens to a message when there is no answer: "allow" or "deny".
        on_failure: OnFailureWord = OnFailureWord::Allow;
        /// The first wait before a callback is sent again; each further one is twice as long.
        retry_first_ms: Bounded<0, 3_600_000> = Bounded::clamped(1_000);
        /// The longest of these waits.
        retry_longest_ms: Bounded<0, 86_400_000> = Bounded::clamped(300_000);
        /// How long a callback is sent again before it is a failed one: 6 hours. It is always sent twice.
        retry_for_s: Bounded<0, 604_800> = Bounded::clamped(21_600);
        /// Callbacks that wait. More become failed ones at once.
        waiting: Bounded<1, 10_000_000> = Bounded::clamped(100_000);
        /// Whether it may lead to this machine or a private network.
        allow_private: bool = false;
    }
}
