//! All that is to be known for the push of one message to its receivers, read and put together: whether, to which
//! devices, and what it says.

use std::collections::{BTreeSet, HashMap};

use super::bindings::PushBinding;
use super::decision::{DeviceLeftOut, NotPushed, PushAsked, PushMoment, PushReceiver, chosen, decide};
use super::preferences::{ConversationPush, PushConversation, PushPreferences};
use super::template::PushTemplate;
use super::text::{PushFrom, PushLanguage, PushText, PushWords, Said, SenderText, Templates, render};
use super::translation::{Translation, translated};
use crate::app::App;
use crate::directory::DirectoryError;
use crate::directory::users::{PushStyle, User};
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::store::StoreError;

/// The template that is used if nobody has chosen one and the app has one of this name (push template documents).
pub const DEFAULT_TEMPLATE: &str = "default";

/// The same for receivers whose pushes show what messages say (newer push template documents). Without one of this name
/// theirs are made with [`DEFAULT_TEMPLATE`], too, as older documents have it.
pub const DETAIL_TEMPLATE: &str = "detail";

/// A message that found receivers away.
#[derive(Debug, Clone, Copy)]
pub struct PushRequest<'a> {
    /// What of it matters for the decision.
    pub asked: &'a PushAsked,
    /// Who sent it. It need not be registered.
    pub from: &'a UserId,
    /// The group, if it is a group's message.
    pub group: Option<&'a RoomId>,
    /// What it says.
    pub said: Said<'a>,
    /// What it says in other languages, if it is a text.
    pub translations: &'a [Translation],
    /// What its sender asks for.
    pub sender: &'a SenderText,
    /// The name of the template that its sender asks for.
    pub template: Option<&'a str>,
    /// What the sender is called in the group, by its own word.
    pub group_nickname: Option<&'a str>,
    /// The language of what is not the message's own, if the receiver has set none that is known.
    pub language: PushLanguage,
}

/// What becomes of it for one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedPush {
    /// Whether it is pushed.
    pub decision: Result<(), NotPushed>,
    /// What it says, or would say.
    pub text: PushText,
    /// The receiver's language, if the push shows the message's text and has it in no language that the receiver has set.
    pub untranslated: Option<String>,
    /// The receiver's devices, and which of them are meant.
    pub devices: Vec<(PushBinding, Result<(), DeviceLeftOut>)>,
}

/// What is the same for all receivers.
struct Shared {
    sender: Option<User>,
    /// By their names, those of which there are none left out.
    templates: HashMap<String, PushTemplate>,
}

/// What one receiver has set.
struct Settings {
    user: User,
    general: PushPreferences,
    conversation: ConversationPush,
    bindings: Vec<PushBinding>,
    blocks_sender: bool,
    remark: Option<String>,
}

impl Node {
    /// Reads what a receiver has set, and decides and words a push. Sends nothing.
    ///
    /// # Errors
    /// When the receiver is not registered, or the store fails.
    pub async fn prepare_push(
        &self,
        app: &App,
        request: &PushRequest<'_>,
        to: &UserId,
        moment: PushMoment,
    ) -> Result<PreparedPush, DirectoryError> {
        let prepared = self.prepare_pushes(app, request, std::slice::from_ref(to), moment).await?;
        prepared.into_iter().next().flatten().ok_or_else(|| DirectoryError::NoUser(to.to_string()))
    }

    /// The same for many receivers, in the order asked; `None`: not registered. What they have set is read in as many
    /// steps as for one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn prepare_pushes(
        &self,
        app: &App,
        request: &PushRequest<'_>,
        to: &[UserId],
        moment: PushMoment,
    ) -> Result<Vec<Option<PreparedPush>>, StoreError> {
        let settings = self.read_push_settings(app, request, to).await?;
        let chosen = settings.iter().flatten().filter_map(|settings| settings.general.template.as_deref());
        let names: BTreeSet<_> = chosen.chain(request.template).chain([DEFAULT_TEMPLATE, DETAIL_TEMPLATE]).collect();
        let names: Vec<_> = names.into_iter().map(str::to_owned).collect();
        let (sender, templates) =
            tokio::try_join!(self.find_user(app, request.from), self.find_all::<PushTemplate>(app, names.clone()),)?;
        let templates =
            names.into_iter().zip(templates).filter_map(|(name, template)| Some((name, template?))).collect();
        let shared = Shared { sender, templates };
        let prepare =
            |(to, settings): (&UserId, Option<Settings>)| Some(prepare(request, to, settings?, &shared, moment));
        Ok(to.iter().zip(settings).map(prepare).collect())
    }

    async fn read_push_settings(
        &self,
        app: &App,
        request: &PushRequest<'_>,
        to: &[UserId],
    ) -> Result<Vec<Option<Settings>>, StoreError> {
        let conversation = match request.group {
            Some(group) => PushConversation::Group(group.clone()),
            None => PushConversation::User(request.from.clone()),
        };
        let names = || to.iter().map(|user| user.as_str().to_owned()).collect::<Vec<_>>();
        let conversations = to.iter().map(|user| conversation.key(user)).collect();
        let (users, general, conversations, bindings, blocks, remarks) = tokio::try_join!(
            self.find_all::<User>(app, names()),
            self.find_all::<PushPreferences>(app, names()),
            self.find_all::<ConversationPush>(app, conversations),
            self.push_bindings_of(app, to),
            self.who_blocks(app, to, request.from),
            self.contact_remarks(app, to, request.from),
        )?;
        let settings = users.into_iter().zip(general).zip(conversations).zip(bindings).zip(blocks).zip(remarks);
        let settings = settings.map(|(((((user, general), conversation), bindings), blocks_sender), remark)| {
            let (general, conversation) = (general.unwrap_or_default(), conversation.unwrap_or_default());
            Some(Settings { user: user?, general, conversation, bindings, blocks_sender, remark })
        });
        Ok(settings.collect())
    }
}

fn prepare(
    request: &PushRequest<'_>,
    to: &UserId,
    settings: Settings,
    shared: &Shared,
    moment: PushMoment,
) -> PreparedPush {
    let PushRequest { asked, from, group, .. } = *request;
    let Settings { user, general, conversation, bindings, blocks_sender, remark } = settings;
    let template = |name: Option<&str>| name.and_then(|name| shared.templates.get(name));
    let translation = match request.said {
        Said::Text(_) => translated(request.translations, &general.language),
        _ => None,
    };
    let style = user.push_style.unwrap_or_default();
    let detail = template(Some(DETAIL_TEMPLATE)).filter(|_| style == PushStyle::Content);
    let words = PushWords {
        style,
        from: PushFrom {
            user: from.as_str(),
            nickname: shared.sender.as_ref().and_then(|sender| sender.nickname.as_deref()),
            remark: remark.as_deref(),
            group_nickname: request.group_nickname,
            group: group.map(RoomId::as_str),
        },
        said: translation.map_or(request.said, Said::Text),
        language: PushLanguage::of_code(&general.language).unwrap_or(request.language),
        templates: Templates {
            default: detail.or_else(|| template(Some(DEFAULT_TEMPLATE))),
            receivers: template(general.template.as_deref()),
            senders: template(request.template),
        },
        sender: request.sender,
    };
    let text = render(&words);
    let shows_said = || text != render(&PushWords { said: Said::Text(""), ..words });
    let untranslated = matches!(request.said, Said::Text(said) if !said.is_empty())
        && translation.is_none()
        && !general.language.is_empty()
        && shows_said();
    let untranslated = untranslated.then(|| general.language.clone());
    let ignores = |group: &RoomId| user.ignored_groups.iter().any(|ignored| ignored == group.as_str());
    let receiver = PushReceiver {
        user: to.clone(),
        general,
        conversation,
        quiet_hours: user.quiet_hours,
        deactivated: !user.active,
        ignores_group: group.is_some_and(ignores),
        blocks_sender,
    };
    let meant = |binding: PushBinding| {
        let meant = chosen(&asked.filter, &binding.device, &binding.notifier);
        (binding, meant)
    };
    let devices: Vec<_> = bindings.into_iter().map(meant).collect();
    let decision = match decide(asked, &receiver, moment) {
        Ok(()) if devices.is_empty() => Err(NotPushed::NoBinding),
        Ok(()) if devices.iter().all(|(_, meant)| meant.is_err()) => Err(NotPushed::NoDeviceMeant),
        decision => decision,
    };
    PreparedPush { decision, text, untranslated, devices }
}
