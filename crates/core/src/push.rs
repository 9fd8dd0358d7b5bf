//! Offline push: what users have set, and what a push says. When a message finds its receiver away, these decide whether
//! and how the receiver's devices hear of it.

pub mod preferences;
pub mod quiet;
pub mod template;

pub use preferences::{ConversationPush, PushChange, PushConversation, PushMode, PushPreferences};
pub use quiet::DailyInterval;
pub use template::PushTemplate;
