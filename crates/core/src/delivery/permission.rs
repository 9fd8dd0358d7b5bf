//! Whether a message may go where it is sent, by what the directory says of sender and receiver. The backend may send
//! where its users may not, but not for a user whom it has muted.

use super::{Origin, SendError};
use crate::app::App;
use crate::directory::members::Role;
use crate::directory::mutes::MuteScope;
use crate::directory::rooms::RoomKind;
use crate::directory::silenced::Silenced;
use crate::id::UserId;
use crate::message::{MessageKind, Target};
use crate::node::Node;
use crate::store::StoreError;

/// Why a message may not go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The app's backend has muted the sender.
    #[error("the sender is muted")]
    Muted,
    /// The receiver does not want to hear from the sender.
    #[error("the receiver does not want to hear from the sender")]
    Blocked,
    /// The room or group does not take it.
    #[error(transparent)]
    Silenced(#[from] Silenced),
}

impl Node {
    /// Whether what others have sent there is the user's to take back: of the owner and the admins of a group or room.
    pub(super) async fn moderates(&self, app: &App, user: &UserId, to: &Target) -> Result<bool, StoreError> {
        let (Target::Group(room) | Target::Room(room)) = to else { return Ok(false) };
        let member = self.find_member(app, room, user).await?;
        Ok(member.is_some_and(|member| member.role != Role::Member))
    }

    /// Refuses what the directory forbids. An app without registered rooms has no such rules. Who is muted may still
    /// say what it has read; who is blocked may not even that.
    pub(crate) async fn permit(
        &self,
        app: &App,
        from: &UserId,
        to: &Target,
        kind: MessageKind,
    ) -> Result<(), SendError> {
        let says = kind == MessageKind::Content;
        let scope = MuteScope::of(to);
        let place = match to {
            Target::User(to) => {
                if self.blocks(app, to, from).await? {
                    return Err(Forbidden::Blocked.into());
                }
                None
            }
            Target::Room(room) => Some((RoomKind::Room, room)),
            Target::Group(group) => Some((RoomKind::Group, group)),
        };
        if says && self.is_muted(app, from, scope).await? {
            return Err(Forbidden::Muted.into());
        }
        let Some((kind, room)) = place else { return Ok(()) };
        match self.may_send(app, kind, room, from).await? {
            Err(Silenced::Muted | Silenced::AllMuted) if !says => Ok(()),
            Err(silenced) => Err(Forbidden::Silenced(silenced).into()),
            Ok(()) => Ok(()),
        }
    }

    /// Refuses a client's words that are no message of their own where the directory would refuse a message of it. The
    /// backend's are its own affair.
    pub(super) async fn permit_words(&self, app: &App, origin: Origin<'_>, to: &Target) -> Result<(), SendError> {
        match origin {
            Origin::Client(session) if app.policy().rooms.registered.is_some() => {
                self.permit(app, session.user(), to, MessageKind::Content).await
            }
            Origin::Client(_) | Origin::Backend => Ok(()),
        }
    }

    /// Whether the directory would refuse a message of the client there.
    pub(super) async fn is_silenced(&self, app: &App, origin: Origin<'_>, to: &Target) -> Result<bool, SendError> {
        match self.permit_words(app, origin, to).await {
            Ok(()) => Ok(false),
            Err(SendError::Forbidden(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Refuses what the backend sends for a user who is muted: no way of sending is left to the user (Easemob account
    /// documents). Nothing else is looked at.
    pub(crate) async fn permit_backend(
        &self,
        app: &App,
        from: &UserId,
        to: &Target,
        kind: MessageKind,
    ) -> Result<(), SendError> {
        if kind == MessageKind::Content && self.is_muted(app, from, MuteScope::of(to)).await? {
            return Err(Forbidden::Muted.into());
        }
        Ok(())
    }
}
