//! Offline push: what users have set, and what a push says. When a message finds its receiver away, these decide whether
//! and how the receiver's devices hear of it.

pub mod bindings;
pub mod decision;
pub mod labels;
pub mod notifiers;
pub mod preferences;
pub mod prepare;
pub mod quiet;
pub mod template;
pub mod text;
pub mod translation;

pub use bindings::{Binding, PushBinding};
pub use decision::{
    DeviceFilter, DeviceLeftOut, Mentions, NotPushed, PushAsked, PushMoment, PushReceiver, PushSort, chosen, decide,
};
pub use labels::{LabelError, PushLabel};
pub use notifiers::{Notifier, NotifierChange, NotifierError, NotifierSetup};
pub use preferences::{ConversationPush, PushChange, PushConversation, PushMode, PushPreferences};
pub use prepare::{PreparedPush, PushRequest};
pub use quiet::DailyInterval;
pub use template::PushTemplate;
pub use text::{PushFrom, PushLanguage, PushText, PushWords, Said, SenderText, Templates, render};
pub use translation::{Translation, translated};
