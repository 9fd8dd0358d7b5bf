//! What clients ask of contacts and blocks. Newer SDKs do so over REST, those that connect by SockJS in items of their own.

use stentor_chat_content::RelationNews;
use stentor_core::directory::DirectoryError;
use stentor_core::directory::contact_requests::Requested;
use stentor_core::directory::user_blocks::BlockError;
use stentor_core::id::UserId;
use stentor_core::node::Node;
use stentor_core::store::StoreError;
use stentor_msync::{RosterBody, RosterOperation};

use crate::chat::answer::{Answer, Client, Outcome};
use crate::chat::codes;
use crate::codec::Refusal;

/// How many users one item may name.
const MAX_USERS: usize = 10;

/// What a client says to whom it asks, in characters; what is longer is cut.
const MAX_REASON: usize = 512;

impl Client {
    /// Asks, answers, ends or blocks, in the name of the client's user.
    pub(super) fn relate(self, body: &RosterBody) -> Answer {
        let operation = RosterOperation::try_from(body.operation.unwrap_or_default());
        let names = body.to.iter().map(|to| to.name.as_deref().unwrap_or_default());
        let users: Result<Vec<_>, _> = names.take(MAX_USERS + 1).map(|name| self.user(name)).collect();
        let (operation, users) = match (operation, users) {
            (Ok(operation), Ok(users)) if (1..=MAX_USERS).contains(&users.len()) => (operation, users),
            (_, Err(refusal)) => return Answer::Done(Err(refusal)),
            _ => return Answer::Done(Err(unknown())),
        };
        let reason: String = body.reason.as_deref().unwrap_or_default().chars().take(MAX_REASON).collect();
        Answer::waits(async move {
            let relation = Relation { client: &self, reason: &reason };
            let limited = self.state.node().limit_relation(&self.session);
            limited.map_err(|error| Refusal::new(codes::TOO_OFTEN, error))?;
            for user in &users {
                relation.change(operation, user).await?;
            }
            Ok(Outcome::Done)
        })
    }
}

/// Nothing that is known, or nobody whom it is about.
fn unknown() -> Refusal {
    Refusal::new(codes::INVALID_ARGUMENT, "unknown operation")
}

/// One user's change of what it is to another.
struct Relation<'a> {
    client: &'a Client,
    reason: &'a str,
}

impl Relation<'_> {
    async fn change(&self, operation: RosterOperation, other: &UserId) -> Result<(), Refusal> {
        let (node, app, user) = (self.node(), &self.client.app, self.client.session.user());
        if other == user {
            return Err(Refusal::new(codes::INVALID_USER, "nobody is a contact of itself"));
        }
        match operation {
            RosterOperation::Add => {
                let requested = node.request_contact(app, user, other, self.reason).await.map_err(refused)?;
                match requested {
                    Requested::Waits => self.tell(user, other, RelationNews::Invited { reason: self.reason }).await,
                    Requested::Contacts | Requested::Unheard => Ok(()),
                }
            }
            RosterOperation::Accept => {
                let known = node.are_contacts(app, user, other).await.map_err(failed)?;
                let accepted = node.accept_contact(app, user, other).await.map_err(refused)?;
                if known || !accepted {
                    return answered(accepted);
                }
                self.tell(user, other, RelationNews::Added { agreed: true }).await?;
                self.tell(other, user, RelationNews::Added { agreed: false }).await
            }
            RosterOperation::Decline => {
                let declined = node.decline_contact(app, user, other).await.map_err(refused)?;
                answered(declined)?;
                self.tell(user, other, RelationNews::Declined).await
            }
            RosterOperation::Remove => {
                let known = node.are_contacts(app, user, other).await.map_err(failed)?;
                node.remove_contact(app, user, other).await.map_err(refused)?;
                if known { self.tell(user, other, RelationNews::Removed).await } else { Ok(()) }
            }
            RosterOperation::Ban => {
                node.block_users(app, user, std::slice::from_ref(other)).await.map_err(not_blocked)?;
                self.tell_own(RelationNews::Blocked(&[other.as_str()])).await
            }
            RosterOperation::Allow => {
                node.unblock_user(app, user, other).await.map_err(refused)?;
                self.tell_own(RelationNews::Unblocked(&[other.as_str()])).await
            }
            RosterOperation::GetRoster
            | RosterOperation::GetBlacklist
            | RosterOperation::RemoteAccept
            | RosterOperation::RemoteDecline => Err(unknown()),
        }
    }

    async fn tell(&self, from: &UserId, to: &UserId, news: RelationNews<'_>) -> Result<(), Refusal> {
        self.node().tell_user(&self.client.app, from, to, news.payload().into()).await.map_err(failed)
    }

    async fn tell_own(&self, news: RelationNews<'_>) -> Result<(), Refusal> {
        let user = self.client.session.user();
        self.node().tell_devices(&self.client.app, user, news.payload().into()).await.map_err(failed)
    }

    fn node(&self) -> &Node {
        self.client.state.node()
    }
}

/// Whoever answers what nobody asked is refused.
fn answered(done: bool) -> Result<(), Refusal> {
    if done { Ok(()) } else { Err(Refusal::new(codes::FAILURE, "there is no contact request of this user")) }
}

fn refused(error: DirectoryError) -> Refusal {
    let code = match error {
        DirectoryError::NoUser(_) => codes::INVALID_USER,
        DirectoryError::Store(_) => codes::BUSY,
        _ => codes::FAILURE,
    };
    Refusal::new(code, error)
}

fn not_blocked(error: BlockError) -> Refusal {
    match error {
        BlockError::NoBlocked(_) => Refusal::new(codes::INVALID_USER, error),
        BlockError::Directory(error) => refused(error),
    }
}

fn failed(error: StoreError) -> Refusal {
    Refusal::new(codes::BUSY, error)
}
