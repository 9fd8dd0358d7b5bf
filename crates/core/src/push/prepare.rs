//! All that is to be known for the push of one message to one receiver, read and put together: whether, to which
//! devices, and what it says.

use super::bindings::PushBinding;
use super::decision::{DeviceLeftOut, NotPushed, PushAsked, PushMoment, PushReceiver, chosen, decide};
use super::preferences::PushConversation;
use super::text::{PushFrom, PushLanguage, PushText, PushWords, Said, SenderText, Templates, render};
use crate::app::App;
use crate::directory::DirectoryError;
use crate::id::{RoomId, UserId};
use crate::node::Node;

/// The template that is used for everything, if the app has one of this name (push template documents).
pub const DEFAULT_TEMPLATE: &str = "default";

/// A message that found its receiver away.
#[derive(Debug, Clone, Copy)]
pub struct PushRequest<'a> {
    /// What of it matters for the decision.
    pub asked: &'a PushAsked,
    /// Who sent it. It need not be registered.
    pub from: &'a UserId,
    /// Who is away.
    pub to: &'a UserId,
    /// The group, if it is a group's message.
    pub group: Option<&'a RoomId>,
    /// What it says.
    pub said: Said<'a>,
    /// What its sender asks for.
    pub sender: &'a SenderText,
    /// The name of the template that its sender asks for.
    pub template: Option<&'a str>,
    /// What the sender is called in the group, by its own word.
    pub group_nickname: Option<&'a str>,
    /// The language of what is not the message's own, if the receiver has set none that is known.
    pub language: PushLanguage,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedPush {
    /// Whether it is pushed.
    pub decision: Result<(), NotPushed>,
    /// What it says, or would say.
    pub text: PushText,
    /// The receiver's devices, and which of them are meant.
    pub devices: Vec<(PushBinding, Result<(), DeviceLeftOut>)>,
}

impl Node {
    /// Reads what the receiver has set, and decides and words a push. Sends nothing.
    ///
    /// # Errors
    /// When the receiver is not registered, or the store fails.
    pub async fn prepare_push(
        &self,
        app: &App,
        request: &PushRequest<'_>,
        moment: PushMoment,
    ) -> Result<PreparedPush, DirectoryError> {
        let PushRequest { asked, from, to, group, .. } = *request;
        let conversation = match group {
            Some(group) => PushConversation::Group(group.clone()),
            None => PushConversation::User(from.clone()),
        };
        let receiver = self.user(app, to).await?;
        let ((general, own), bindings, blocks_sender) = tokio::try_join!(
            self.push_settings_of(app, to, &conversation),
            self.push_bindings(app, to),
            self.blocks(app, to, from),
        )?;
        let text = self.word_push(app, request, receiver.push_style.unwrap_or_default(), &general).await?;
        let ignores = |group: &RoomId| receiver.ignored_groups.iter().any(|ignored| ignored == group.as_str());
        let receiver = PushReceiver {
            user: to.clone(),
            general,
            conversation: own,
            quiet_hours: receiver.quiet_hours,
            ignores_group: group.is_some_and(ignores),
            blocks_sender,
        };
        let meant = |binding: PushBinding| {
            let meant = chosen(&asked.filter, &binding.device, &binding.notifier);
            (binding, meant)
        };
        let devices: Vec<_> = bindings.into_iter().map(meant).collect();
        let decision = decide(asked, &receiver, moment);
        let decision = match decision {
            Ok(()) if devices.is_empty() => Err(NotPushed::NoBinding),
            Ok(()) if devices.iter().all(|(_, meant)| meant.is_err()) => Err(NotPushed::NoDeviceMeant),
            decision => decision,
        };
        Ok(PreparedPush { decision, text, devices })
    }

    async fn word_push(
        &self,
        app: &App,
        request: &PushRequest<'_>,
        style: crate::directory::users::PushStyle,
        general: &super::PushPreferences,
    ) -> Result<PushText, DirectoryError> {
        let template = async |name: Option<&str>| match name {
            Some(name) => self.push_template(app, name).await,
            None => Ok(None),
        };
        let (sender, remark, default, receivers, senders) = tokio::try_join!(
            self.find_user(app, request.from),
            self.contact_remark(app, request.to, request.from),
            template(Some(DEFAULT_TEMPLATE)),
            template(general.template.as_deref()),
            template(request.template),
        )?;
        Ok(render(&PushWords {
            style,
            from: PushFrom {
                user: request.from.as_str(),
                nickname: sender.as_ref().and_then(|sender| sender.nickname.as_deref()),
                remark: remark.as_deref(),
                group_nickname: request.group_nickname,
                group: request.group.map(RoomId::as_str),
            },
            said: request.said,
            language: PushLanguage::of_code(&general.language).unwrap_or(request.language),
            templates: Templates {
                default: default.as_ref(),
                receivers: receivers.as_ref(),
                senders: senders.as_ref(),
            },
            sender: request.sender,
        }))
    }
}
