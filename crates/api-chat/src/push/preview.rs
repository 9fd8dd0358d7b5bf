//! `POST push/preview`: what would become of the push of a message, and what it would say. Sends nothing, keeps nothing.
//! Ours: no vendor has it.

use axum::response::Response;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use stentor_chat_content::{Content, MAX_BYTES};
use stentor_core::id::RoomId;
use stentor_core::push::{PreparedPush, PushBinding, PushRequest};
use stentor_push_queue::PushQueue;

use super::direct::open_queue;
use super::words::wording;
use super::{invalid, owner_of, refused};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::messages::{of_content, read_message, sender};
use crate::rates::ChatRule;

/// The body: a message as it would be sent, and the receiver.
#[derive(Debug, Deserialize)]
struct Preview<'a> {
    from: Option<String>,
    to: Option<String>,
    /// The group, if it is a group's message.
    group: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    ext: Option<&'a RawValue>,
    /// When it was sent: Unix time in milliseconds; now, if it is not said.
    timestamp: Option<u64>,
}

/// See what would become of a push
#[utoipa::path(
    post,
    path = "/push/preview",
    operation_id = "previewPush",
    tag = "push",
    request_body(content = serde_json::Value, example = json!({
        "from": "user1", "to": "user2", "type": "txt", "body": { "msg": "hi" },
        "ext": { "em_at_list": ["user2"] }
    })),
    responses((status = 200, description = "Whether it is pushed, why not, to which devices, and what it says",
        body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let queue = open_queue(&call)?;
    call.limit(ChatRule::PushPreviews)?;
    let request: Preview<'_> = read_message(&body)?;
    let from = sender(request.from.as_deref().filter(|from| !from.is_empty()))?;
    let to = owner_of(request.to.as_deref().ok_or_else(|| invalid("to"))?)?;
    let content = Content::parse(request.kind.as_deref(), request.body, request.ext, MAX_BYTES).map_err(of_content)?;
    let view = content.view();
    let now_ms = call.now_ms();
    let mut wording = wording(view);
    wording.asked.sent_at_ms = request.timestamp.unwrap_or(now_ms);
    let group = request.group.as_deref().filter(|group| !group.is_empty()).map(RoomId::from_trusted);
    let push = PushRequest {
        asked: &wording.asked,
        from: &from,
        group: group.as_ref(),
        translations: &wording.translations,
        said: wording.said(),
        sender: &wording.sender,
        template: wording.template.as_deref(),
        group_nickname: wording.group_nickname.as_deref(),
        language: call.chat.push_language,
    };
    let moment = call.chat.push_zone.moment(now_ms);
    let prepared = call.node().prepare_push(&call.app, &push, &to, moment).await.map_err(refused)?;
    Ok(call.reply().path("/push").data(shown(prepared, queue)).send())
}

fn shown(prepared: PreparedPush, queue: &PushQueue) -> Value {
    let PreparedPush { decision, text, devices, untranslated } = prepared;
    let mut why = decision.err().map(|why| (why.to_string(), format!("{why:?}")));
    let reached = queue.reach(devices).into_iter();
    let devices: Vec<_> = reached.map(|(binding, reached)| (binding, reached.err())).collect();
    let nobody = devices.iter().all(|(_, reason)| reason.is_some());
    if why.is_none() && nobody {
        let reason = devices.iter().find_map(|(_, reason)| reason.clone());
        why = reason.map(|reason| (reason, "NoDeviceReached".to_owned()));
    }
    let device = |(binding, reason): &(PushBinding, Option<String>)| {
        let pushed = why.is_none() && reason.is_none();
        let mut device = json!({ "device_id": binding.device, "notifier_name": binding.notifier, "pushed": pushed });
        if let Some(reason) = reason {
            device["reason"] = reason.as_str().into();
        }
        device
    };
    let mut data = json!({
        "pushed": why.is_none(), "title": text.title, "content": text.content,
        "devices": devices.iter().map(device).collect::<Vec<_>>(),
    });
    if let Some(language) = untranslated {
        data["untranslated"] = language.into();
    }
    if let Some((reason, detail)) = why {
        data["reason"] = reason.into();
        data["detail"] = detail.into();
    }
    data
}
