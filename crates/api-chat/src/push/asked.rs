//! What the extension of a message asks of its push (push extension documents): whom it mentions, whether and to which
//! devices it is pushed, and with which words. Whatever is of another form than documented asks for nothing.

use serde_json::{Map, Value};
use stentor_core::push::{DeviceFilter, Mentions, PushAsked, SenderText};

use crate::names::any_user;

/// Names or arguments that are read of one list. Ours.
const MAX_ITEMS: usize = 1000;

/// What an extension asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ExtAsked {
    /// All but the sort of the message and its time.
    pub(crate) asked: PushAsked,
    pub(crate) sender: SenderText,
    pub(crate) template: Option<String>,
    pub(crate) group_nickname: Option<String>,
}

/// Reads an extension.
pub(crate) fn of_ext(ext: &Map<String, Value>) -> ExtAsked {
    let nothing = Map::new();
    let object = |name: &str| ext.get(name).and_then(Value::as_object).unwrap_or(&nothing);
    let (apns, push, template) = (object("em_apns_ext"), object("em_push_ext"), object("em_push_template"));
    let filter = object("em_push_filter");
    // Some clients write these beside the extension of APNs, others in it.
    let either = |name: &str| ext.get(name).or_else(|| apns.get(name));
    let asked = PushAsked {
        mentions: mentions(either("em_at_list")),
        ignore: either("em_ignore_notification").is_some_and(is_yes),
        force: either("em_force_notification").is_some_and(is_yes),
        filter: DeviceFilter {
            accepted_devices: texts(filter.get("accept_device_id")),
            ignored_devices: texts(filter.get("ignore_device_id")),
            accepted_notifiers: texts(filter.get("accept_notifier_name")),
            ignored_notifiers: texts(filter.get("ignore_notifier_name")),
        },
        ..PushAsked::default()
    };
    let sender = SenderText {
        title: text(apns.get("em_push_title")).or(text(push.get("title"))),
        content: text(apns.get("em_push_content")).or(text(push.get("content"))),
        title_args: texts(template.get("title_args")),
        content_args: texts(template.get("content_args")),
    };
    let (template, group_nickname) = (text(template.get("name")), text(push.get("group_user_nickname")));
    ExtAsked { asked, sender, template, group_nickname }
}

/// An array of users, or `all` in any case.
fn mentions(list: Option<&Value>) -> Mentions {
    match list {
        Some(Value::String(word)) if word.eq_ignore_ascii_case("all") => Mentions::All,
        Some(Value::Array(items)) => {
            let names = || items.iter().take(MAX_ITEMS).filter_map(Value::as_str);
            if names().any(|name| name.eq_ignore_ascii_case("all")) {
                Mentions::All
            } else {
                Mentions::Only(names().map(any_user).collect())
            }
        }
        _ => Mentions::Unsaid,
    }
}

/// `true`, or `"YES"` as the documents had it once.
fn is_yes(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::String(word) => word.eq_ignore_ascii_case("yes") || word.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The texts of an array; numbers among them are written out.
fn texts(value: Option<&Value>) -> Vec<String> {
    let item = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    value.and_then(Value::as_array).into_iter().flatten().take(MAX_ITEMS).filter_map(item).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stentor_core::id::UserId;

    use super::*;

    fn read(ext: Value) -> ExtAsked {
        let Value::Object(ext) = ext else { panic!("an object") };
        of_ext(&ext)
    }

    #[test]
    fn everything_that_is_documented() {
        let asked = read(json!({
            "em_at_list": ["Bob", "carol"], "em_force_notification": true, "em_ignore_notification": "YES",
            "em_push_filter": {
                "accept_device_id": ["d1"], "ignore_device_id": ["d2"],
                "accept_notifier_name": ["n1"], "ignore_notifier_name": ["n2", 3],
            },
            "em_push_template": { "name": "test7", "title_args": ["a", 1], "content_args": ["{$msg}"] },
            "em_push_ext": { "title": "T", "content": "C", "group_user_nickname": "Boss", "custom": { "k": 1 } },
        }));
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let expected = ExtAsked {
            asked: PushAsked {
                mentions: Mentions::Only(vec![UserId::from_trusted("bob"), UserId::from_trusted("carol")]),
                ignore: true,
                force: true,
                filter: DeviceFilter {
                    accepted_devices: list(&["d1"]),
                    ignored_devices: list(&["d2"]),
                    accepted_notifiers: list(&["n1"]),
                    ignored_notifiers: list(&["n2", "3"]),
                },
                ..PushAsked::default()
            },
            sender: SenderText {
                title: Some("T".to_owned()),
                content: Some("C".to_owned()),
                title_args: list(&["a", "1"]),
                content_args: list(&["{$msg}"]),
            },
            template: Some("test7".to_owned()),
            group_nickname: Some("Boss".to_owned()),
        };
        assert_eq!(asked, expected);
    }

    #[test]
    fn apns_comes_first_and_holds_what_others_write_beside_it() {
        let asked = read(json!({
            "em_apns_ext": { "em_push_title": "A", "em_at_list": "All", "em_force_notification": "no" },
            "em_push_ext": { "title": "T", "content": "C" },
        }));
        assert_eq!((asked.sender.title.as_deref(), asked.sender.content.as_deref()), (Some("A"), Some("C")));
        assert_eq!((asked.asked.mentions, asked.asked.force), (Mentions::All, false));
    }

    #[test]
    fn another_form_asks_for_nothing() {
        assert_eq!(read(json!({})), ExtAsked::default());
        let wrong = json!({
            "em_at_list": { "a": 1 }, "em_ignore_notification": 1, "em_push_filter": [], "em_push_template": "t",
            "em_push_ext": { "title": 7, "content": "" }, "em_apns_ext": null,
        });
        assert_eq!(read(wrong), ExtAsked::default());
        assert_eq!(read(json!({ "em_at_list": ["x", "ALL"] })).asked.mentions, Mentions::All);
        assert_eq!(read(json!({ "em_at_list": [] })).asked.mentions, Mentions::Only(Vec::new()));
    }
}
