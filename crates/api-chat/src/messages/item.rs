//! A message of the past as the vendor's SDKs read it: an item of their protocol, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use stentor_chat_content::ContentView;
use stentor_core::message::{Message, Target};
use stentor_msync::translations::translations_of;
use stentor_msync::{BodyType, CONFERENCES, Jid, Message as _, MessageBody, Meta, NameSpace, USERS, content};

/// The item.
pub(super) fn item(app: &str, message: &Message, view: ContentView<'_>) -> String {
    let (content, ext) = content::to_wire(view);
    let (kind, domain) = match message.to {
        Target::User(_) => (BodyType::Chat, USERS),
        Target::Group(_) => (BodyType::Groupchat, CONFERENCES),
        Target::Room(_) => (BodyType::Chatroom, CONFERENCES),
    };
    let named = |name: &str| Jid { name: Some(name.to_owned()), ..Jid::default() };
    let address =
        |name, domain: &str| Jid { app_key: Some(app.to_owned()), domain: Some(domain.to_owned()), ..named(name) };
    let (from, to) = (message.from.as_str(), message.to.name());
    let body = MessageBody {
        kind: Some(kind as i32),
        from: Some(named(from)),
        to: Some(named(to)),
        contents: vec![content],
        ext,
        meta: translations_of(view).map(|translations| translations.to_string()),
        ..MessageBody::default()
    };
    let meta = Meta {
        id: Some(message.id.0),
        from: Some(address(from, USERS)),
        to: Some(address(to, domain)),
        timestamp: Some(message.sent_at_ms),
        ns: Some(NameSpace::Chat as i32),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    };
    BASE64.encode(meta.encode_to_vec())
}
