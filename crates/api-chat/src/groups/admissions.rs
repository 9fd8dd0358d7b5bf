//! `chatgroups/{group_id}/apply`, `…/apply_verify`, `…/invite` and `…/invite_verify`: users apply to come into a group, or
//! are invited, and somebody answers. No document describes these calls; they are those of the vendor's SDKs.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_chat_content::AdmissionNews;
use stentor_core::directory::room_error::RoomError;
use stentor_core::directory::rooms::Room;
use stentor_core::id::UserId;

use crate::body::{Object, RawBody};
use crate::error::ChatError;
use crate::rooms::asked::{Asked, IdKeys, RoomCall};
use crate::rooms::create;
use crate::rooms::members::MAX_ADDED;
use crate::rooms::own::{come_in, own};
use crate::rooms::refusals;
use crate::rooms::rights::Right;
use crate::sizes::{Size, size};

/// Characters of what is said to who decides, or to who applied.
const MAX_REASON: usize = 512;

/// What is limited, for `docs/limits.md`.
pub(crate) fn sizes() -> Vec<Size> {
    let waiting = stentor_core::directory::admissions::MAX_WAITING;
    vec![
        size("Users who have applied to come into a group, and users who are invited into it", waiting, "403"),
        size("Characters of what is said with an application or its answer", MAX_REASON, "400"),
    ]
}

/// Join a group, or apply to
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/apply",
    operation_id = "joinGroup",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"message": "hello"})),
    responses((
        status = 200,
        description = "The user whose token it is is a member, or those who decide on it are asked",
        body = serde_json::Value
    )),
)]
pub(super) async fn apply(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let user = own(&asked)?.clone();
    let room = open_group(&asked).await?;
    if !room.members_only {
        return come_in(&asked).await;
    }
    let body = body.object()?;
    let reason = said(&body, "message")?;
    asked.limit_rooms()?;
    let (node, group) = (asked.node(), room.room_id());
    // Who was invited has its answer.
    let by = node.accept_invitation(&asked.app, &group, &user).await.map_err(|error| asked.refused(error))?;
    if let Some(by) = by {
        tell(&asked, &room, &user, &by, AdmissionNews::InvitationAccepted).await?;
        return Ok(done(&asked, "apply", &user));
    }
    if !room.public {
        asked.may_add(&room, std::slice::from_ref(&user)).await?;
    }
    if node.apply_to_group(&asked.app, &group, &user).await.map_err(|error| asked.refused(error))? {
        let told = tell_managers(&asked, &room, &user, AdmissionNews::Applied { reason }).await;
        if told.is_err() {
            // Applying again tells them.
            let _ = node.decline_application(&asked.app, &group, &user).await;
        }
        told?;
    }
    Ok(done(&asked, "apply", &user))
}

/// Answer an application
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/apply_verify",
    operation_id = "answerApplication",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"applicant": "user2", "verifyResult": true, "reason": ""})),
    responses((status = 200, description = "The user is a member, or does not come in", body = serde_json::Value)),
)]
pub(super) async fn answer_application(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let fields = body.object()?;
    let reason = said(&fields, "reason")?;
    let applicant = Asked::user_field(&fields, "applicant")?;
    let accepted = verdict(&fields)?;
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let (node, group) = (asked.node(), room.room_id());
    let found = match accepted {
        true => node.accept_application(&asked.app, &group, &applicant).await,
        false => node.decline_application(&asked.app, &group, &applicant).await,
    };
    if !found.map_err(|error| asked.refused(error))? {
        return Err(refusals::invalid_parameter(format!("there is no application of user {applicant}!")));
    }
    let news = if accepted { AdmissionNews::Accepted } else { AdmissionNews::Declined { reason } };
    let from = asked.principal().user().cloned().unwrap_or_else(|| room.owner_id());
    tell(&asked, &room, &from, &applicant, news).await?;
    Ok(done(&asked, "apply_verify", &applicant))
}

/// Invite users into a group
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/invite",
    operation_id = "inviteToGroup",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2", "user3"]})),
    responses((
        status = 200,
        description = "What became of each: is a member, or is asked if the group's invitations are to be confirmed",
        body = serde_json::Value
    )),
)]
pub(super) async fn invite(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let body = body.object()?;
    let room = open_group(&asked).await?;
    let too_many = format!("addMembers: addMembers number more than maxSize : {MAX_ADDED}");
    let users = Asked::users_in_body(&body, MAX_ADDED, &too_many)?;
    asked.may_add(&room, &users).await?;
    asked.limit_rooms()?;
    let views = match asked.principal().user().filter(|_| room.invite_need_confirm) {
        Some(by) => ask_each(&asked, &room, &users, by).await?,
        None => bring_in(&asked, &room, &users).await?,
    };
    Ok(asked.answer(views).send())
}

/// Answer an invitation
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/invite_verify",
    operation_id = "answerInvitation",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"invitee": "user2", "verifyResult": true})),
    responses((status = 200, description = "The user is a member, or does not come in", body = serde_json::Value)),
)]
pub(super) async fn answer_invitation(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    let fields = body.object()?;
    let invitee = Asked::user_field(&fields, "invitee")?;
    let accepted = verdict(&fields)?;
    if asked.principal().user().is_some_and(|user| *user != invitee) {
        return Err(asked.no_permission());
    }
    let room = open_group(&asked).await?;
    asked.limit_rooms()?;
    let (node, group) = (asked.node(), room.room_id());
    let by = match accepted {
        true => node.accept_invitation(&asked.app, &group, &invitee).await,
        false => node.decline_invitation(&asked.app, &group, &invitee).await,
    };
    let by = by.map_err(|error| asked.refused(error))?;
    let by = by.ok_or_else(|| refusals::invalid_parameter(format!("there is no invitation of user {invitee}!")))?;
    let news = if accepted { AdmissionNews::InvitationAccepted } else { AdmissionNews::InvitationDeclined };
    tell(&asked, &room, &invitee, &by, news).await?;
    Ok(done(&asked, "invite_verify", &invitee))
}

/// The group of the path; for users, one that is not switched off.
async fn open_group(asked: &Asked) -> Result<Room, ChatError> {
    let room = asked.room().await?;
    if room.disabled && asked.principal().user().is_some() { Err(refusals::disabled(&room.id)) } else { Ok(room) }
}

/// A user creates a group and says that nobody is put in unasked: the members whom it names are invited.
pub(super) async fn create_and_ask(asked: &Asked, body: &Object) -> Result<Response, ChatError> {
    let mut new = create::read(asked, body)?;
    let users = std::mem::take(&mut new.members);
    if users.len() as u64 >= new.max_users {
        return Err(create::refused(asked, RoomError::TooManyMembers));
    }
    let known = asked.node().are_users(&asked.app, &users).await?;
    if let Some((nobody, _)) = users.iter().zip(known).find(|(_, known)| !known) {
        return Err(asked.refused(RoomError::NoUser(nobody.clone())));
    }
    let owner = new.owner.clone();
    let room = create::made(asked, new).await?;
    ask_each(asked, &room, &users, &owner).await?;
    Ok(asked.answer(json!({ "groupid": room.id })).send())
}

/// Each is asked whether it wants to come in.
async fn ask_each(asked: &Asked, room: &Room, users: &[UserId], by: &UserId) -> Result<Vec<Value>, ChatError> {
    let mut views = Vec::with_capacity(users.len());
    for user in users {
        match asked.node().invite_to_group(&asked.app, &room.room_id(), user, by).await {
            Ok(tells) => {
                if tells {
                    tell(asked, room, by, user, AdmissionNews::Invited).await?;
                }
                views.push(outcome(asked, user, None));
            }
            Err(RoomError::Store(error)) => return Err(error.into()),
            Err(error) => views.push(outcome(asked, user, Some(error))),
        }
    }
    Ok(views)
}

/// All of them come in, unasked.
async fn bring_in(asked: &Asked, room: &Room, users: &[UserId]) -> Result<Vec<Value>, ChatError> {
    let added = asked.node().add_members(&asked.app, asked.kind(), &room.room_id(), users).await;
    let added = added.map_err(|error| asked.refused(error))?;
    let refused = |user: &UserId| (!added.contains(user)).then(|| RoomError::AlreadyMember(user.clone()));
    Ok(users.iter().map(|user| outcome(asked, user, refused(user))).collect())
}

fn outcome(asked: &Asked, user: &UserId, refused: Option<RoomError>) -> Value {
    let mut view = json!({ "result": refused.is_none(), "action": "invite", "user": user.as_str() });
    if let Some(error) = refused {
        view["reason"] = json!(asked.refused(error).description);
    }
    asked.with_id(view, IdKeys::One)
}

async fn tell_managers(asked: &Asked, room: &Room, from: &UserId, news: AdmissionNews<'_>) -> Result<(), ChatError> {
    let managers = asked.node().group_managers(&asked.app, &room.room_id(), from).await;
    for manager in managers.map_err(|error| asked.refused(error))? {
        tell(asked, room, from, &manager, news).await?;
    }
    Ok(())
}

async fn tell(
    asked: &Asked,
    room: &Room,
    from: &UserId,
    to: &UserId,
    news: AdmissionNews<'_>,
) -> Result<(), ChatError> {
    let payload = news.payload(&room.id, &room.name);
    Ok(asked.node().tell_user(&asked.app, from, to, payload.into()).await?)
}

fn done(asked: &Asked, action: &str, user: &UserId) -> Response {
    let data = json!({ "result": true, "action": action, "user": user.as_str() });
    asked.answer(asked.with_id(data, IdKeys::One)).send()
}

/// What somebody says with it.
fn said<'a>(body: &'a Object, field: &'static str) -> Result<&'a str, ChatError> {
    let said = body.text(field)?.unwrap_or_default();
    if said.chars().count() > MAX_REASON {
        return Err(refusals::invalid_parameter(format!("{field} is longer than {MAX_REASON}")));
    }
    Ok(said)
}

fn verdict(fields: &Object) -> Result<bool, ChatError> {
    fields.flag("verifyResult")?.ok_or_else(|| refusals::must_be_provided("verifyResult"))
}
