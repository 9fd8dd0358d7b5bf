//! What clients are told of who is to come into a group.

use stentor_chat_content::AdmissionNews;
use stentor_msync::{Meta, MucBody, MucOperation, NameSpace, decode};

use super::{CONFERENCES, jid};
use crate::chat::{chat_gateway, user};

#[tokio::test]
async fn applications_and_invitations_are_items_of_groups_that_wait_for_an_ack() {
    let gateway = chat_gateway(|_| {}).await;
    let mut bob = gateway.sdk("bob").await;
    for (news, operation, reason) in [
        (AdmissionNews::Applied { reason: "please" }, MucOperation::Apply, Some("please")),
        (AdmissionNews::Accepted, MucOperation::ApplyAccept, None),
        (AdmissionNews::Declined { reason: "no" }, MucOperation::ApplyDecline, Some("no")),
        (AdmissionNews::Invited, MucOperation::Invite, None),
        (AdmissionNews::InvitationAccepted, MucOperation::InviteAccept, None),
        (AdmissionNews::InvitationDeclined, MucOperation::InviteDecline, None),
    ] {
        let payload = news.payload("12", "team").into();
        gateway.node.tell_user(&gateway.chat, &user("alice"), &user("bob"), payload).await.expect("told");
        let is_muc = |meta: &Meta| meta.ns == Some(NameSpace::Muc as i32);
        let down = bob.down(|down| down.metas.iter().any(is_muc)).await;
        assert_eq!((down.is_last, down.next_key), (Some(false), down.metas[0].id), "{operation:?}");
        let body: MucBody = decode(down.metas[0].payload.clone().expect("a payload")).expect("a body");
        let names = |jid: &stentor_msync::Jid| jid.name.clone().expect("a name");
        assert_eq!(body.muc_id, Some(jid("12", CONFERENCES)));
        assert_eq!((body.operation, body.reason.as_deref()), (Some(operation as i32), reason));
        assert_eq!((body.muc_name.as_deref(), body.is_chatroom), (Some("team"), Some(false)));
        assert_eq!(
            (body.from.as_ref().map(names), body.to.iter().map(names).collect()),
            (Some("alice".to_owned()), vec!["bob".to_owned()])
        );
    }
}
