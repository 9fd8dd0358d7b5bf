//! The content of a Chat message, from JSON to the wire and back.
//!
//! The fields are those of the REST API on one side and of the SDKs on the other. What the wire has no field for stays
//! out: an SDK would not look at it. Messages that are combined from others are texts with the fields of a file beside
//! them; the wire says so with a [`SubType`], and JSON with `"subType":"sub_combine"`.

use stentor_chat_content::{ContentType, ContentView, Members, Value};

use crate::value::{Nested, object_to_json, object_to_wire, push_number, push_text};
use crate::{Content, ContentKind, KeyValue, Size, SubType};

/// How JSON says that a text is a combined message.
const COMBINED: &str = "sub_combine";
/// How JSON says that an image moves.
const GIF: &str = "gif";

/// A content whose type is none that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the type of the content is unknown")]
pub struct UnknownType;

/// The content of a message, for the wire, and its extension.
#[must_use]
pub fn to_wire(view: ContentView<'_>) -> (Content, Vec<KeyValue>) {
    let body = view.body_members();
    let get = |key| body.get(key).filter(|value| !value.is_null());
    let text = |key| get(key).and_then(Value::text).map(std::borrow::Cow::into_owned);
    let number = |key| get(key).and_then(Value::number);
    let whole = |key| number(key).map(whole);
    let file = |kind| Content {
        kind: Some(kind as i32),
        display_name: text("filename"),
        remote_path: text("url"),
        secret_key: text("secret"),
        file_length: whole("file_length"),
        ..Content::default()
    };
    let content = match view.kind() {
        ContentType::Text if text("subType").as_deref() == Some(COMBINED) => Content {
            text: text("msg"),
            title: text("title"),
            summary: text("summary"),
            combine_level: whole("combineLevel"),
            sub_type: Some(SubType::SubCombine as i32),
            ..file(ContentKind::Text)
        },
        ContentType::Text => Content { kind: Some(ContentKind::Text as i32), text: text("msg"), ..Content::default() },
        ContentType::Image => Content {
            size: get("size").and_then(size),
            thumbnail_remote_path: text("thumb"),
            thumbnail_secret_key: text("thumb_secret"),
            sub_type: (text("subType").as_deref() == Some(GIF)).then_some(SubType::Gif as i32),
            ..file(ContentKind::Image)
        },
        ContentType::Audio => Content { duration: whole("length"), ..file(ContentKind::Voice) },
        ContentType::Video => Content {
            duration: whole("length"),
            size: get("size").and_then(size),
            thumbnail_remote_path: text("thumb"),
            thumbnail_secret_key: text("thumb_secret"),
            ..file(ContentKind::Video)
        },
        ContentType::File => file(ContentKind::File),
        ContentType::Location => Content {
            kind: Some(ContentKind::Location as i32),
            latitude: number("lat"),
            longitude: number("lng"),
            address: text("addr"),
            building_name: text("buildingName"),
            ..Content::default()
        },
        ContentType::Command => Content {
            kind: Some(ContentKind::Command as i32),
            action: text("action"),
            params: get("params").and_then(Value::object).map(object_to_wire).unwrap_or_default(),
            ..Content::default()
        },
        ContentType::Custom => Content {
            kind: Some(ContentKind::Custom as i32),
            custom_event: text("customEvent"),
            custom_exts: get("customExts").and_then(Value::object).map(object_to_wire).unwrap_or_default(),
            ..Content::default()
        },
    };
    (content, ext_to_wire(view.ext_members()))
}

/// An extension, for the wire.
#[must_use]
pub fn ext_to_wire(ext: Members<'_>) -> Vec<KeyValue> {
    object_to_wire(ext)
}

/// The nearest whole number that the wire can hold.
#[expect(clippy::cast_possible_truncation, reason = "a cast from floating point stops at the ends of the range")]
fn whole(number: f64) -> i32 {
    number.round() as i32
}

fn size(value: Value<'_>) -> Option<Size> {
    let size = value.object()?;
    let side = |key| size.get(key).and_then(Value::number);
    Some(Size { width: side("width"), height: side("height") })
}

/// The type of a content, and its body as the text of a JSON object. Nothing is checked here: `stentor-chat-content`
/// does that.
///
/// # Errors
/// [`UnknownType`].
pub fn to_json(content: &Content) -> Result<(ContentType, String), UnknownType> {
    let sub_type = content.sub_type.and_then(|sub_type| SubType::try_from(sub_type).ok());
    let mut body = Fields::default();
    let kind = match ContentKind::try_from(content.kind.unwrap_or_default()).map_err(|_| UnknownType)? {
        ContentKind::Text if sub_type != Some(SubType::SubCombine) => {
            body.text("msg", Some(content.text.as_deref().unwrap_or_default()));
            ContentType::Text
        }
        ContentKind::Text | ContentKind::Combine => {
            body.text("msg", Some(content.text.as_deref().unwrap_or_default()));
            body.text("subType", Some(COMBINED));
            body.text("title", content.title.as_deref());
            body.text("summary", content.summary.as_deref());
            body.whole("combineLevel", content.combine_level);
            body.file(content);
            ContentType::Text
        }
        ContentKind::Image => {
            body.file(content);
            body.picture(content);
            body.text("subType", (sub_type == Some(SubType::Gif)).then_some(GIF));
            ContentType::Image
        }
        ContentKind::Voice => {
            body.file(content);
            body.whole("length", content.duration);
            ContentType::Audio
        }
        ContentKind::Video => {
            body.file(content);
            body.whole("length", content.duration);
            body.picture(content);
            ContentType::Video
        }
        ContentKind::File => {
            body.file(content);
            ContentType::File
        }
        ContentKind::Location => {
            body.number("lat", content.latitude);
            body.number("lng", content.longitude);
            body.text("addr", Some(content.address.as_deref().unwrap_or_default()));
            body.text("buildingName", content.building_name.as_deref());
            ContentType::Location
        }
        ContentKind::Command => {
            body.text("action", Some(content.action.as_deref().unwrap_or_default()));
            body.object("params", &content.params, Nested::Kept);
            ContentType::Command
        }
        ContentKind::Custom => {
            body.text("customEvent", content.custom_event.as_deref());
            body.object("customExts", &content.custom_exts, Nested::AsText);
            ContentType::Custom
        }
    };
    Ok((kind, body.finish()))
}

/// An extension as the text of a JSON object; `None` if there is none.
#[must_use]
pub fn ext_to_json(ext: &[KeyValue]) -> Option<String> {
    (!ext.is_empty()).then(|| object_to_json(ext, Nested::Kept))
}

/// A JSON object that is being written.
#[derive(Default)]
struct Fields(String);

impl Fields {
    fn key(&mut self, key: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        push_text(&mut self.0, key);
        self.0.push(':');
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.key(key);
            push_text(&mut self.0, value);
        }
    }

    fn whole(&mut self, key: &str, value: Option<i32>) {
        if let Some(value) = value {
            self.key(key);
            self.0.push_str(&value.to_string());
        }
    }

    fn number(&mut self, key: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.key(key);
            push_number(&mut self.0, value);
        }
    }

    fn object(&mut self, key: &str, values: &[KeyValue], nested: Nested) {
        if !values.is_empty() {
            self.key(key);
            self.0.push_str(&object_to_json(values, nested));
        }
    }

    fn file(&mut self, content: &Content) {
        self.text("filename", content.display_name.as_deref());
        // A file that is nowhere is not refused: who sends it knows where it is.
        self.text("url", Some(content.remote_path.as_deref().unwrap_or_default()));
        self.text("secret", content.secret_key.as_deref());
        self.whole("file_length", content.file_length);
    }

    fn picture(&mut self, content: &Content) {
        if let Some(size) = &content.size {
            self.key("size");
            let mut sides = Self::default();
            sides.number("width", size.width);
            sides.number("height", size.height);
            self.0.push_str(&sides.finish());
        }
        self.text("thumb", content.thumbnail_remote_path.as_deref());
        self.text("thumb_secret", content.thumbnail_secret_key.as_deref());
    }

    fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}
