//! Writes `config.example.toml` from the sections' own descriptions.

use super::apps::{AppSection, FeaturesSection};
use super::callbacks::CallbackSection;
use super::chat::{ChatLimitsSection, ChatSection};
use super::files::FilesSection;
use super::limits::LimitsSection;
use super::log::LogSection;
use super::push::PushSection;
use super::section::{KeyDoc, Section};
use super::server::ServerSection;
use super::storage::StoreSection;
use super::transport::{GatewaySection, HttpSection, TlsSection};

const HEAD: &str = "\
# Every setting of Stentor with its default. Generated from the doc comments of the configuration types by
# `cargo xtask generate`; do not edit.
#
# A variable overrides the file: STENTOR_SERVER_LISTEN is server.listen, STENTOR_APPS_0_APP_ID is app_id of the first
# app, STENTOR_APPS_0_CALLBACKS_0_URL the URL of its first callback rule, lists are comma-separated, customers are
# id:secret. A flag overrides both. An unknown key is an error.
";

/// The text of `config.example.toml`.
#[must_use]
pub fn example() -> String {
    let mut text = HEAD.to_owned();
    section::<ServerSection>(&mut text, "[server]", "");
    section::<TlsSection>(&mut text, "[tls]", "");
    section::<HttpSection>(&mut text, "[http]", "");
    section::<GatewaySection>(&mut text, "[gateway]", "");
    section::<StoreSection>(&mut text, "[store]", "");
    section::<FilesSection>(&mut text, "[files]", "");
    section::<PushSection>(&mut text, "[push]", "");
    section::<LogSection>(&mut text, "[log]", "");
    section::<AppSection>(&mut text, "[[apps]]", "# ");
    section::<LimitsSection>(&mut text, "[apps.limits]", "# ");
    section::<FeaturesSection>(&mut text, "[apps.features]", "# ");
    section::<ChatSection>(&mut text, "[apps.chat]", "# ");
    section::<ChatLimitsSection>(&mut text, "[apps.chat_limits]", "# ");
    section::<CallbackSection>(&mut text, "[[apps.callbacks]]", "# ");
    text
}

/// Writes one section. `off` stands before everything that would take effect.
fn section<S: Section>(text: &mut String, title: &str, off: &str) {
    text.push('\n');
    for line in S::ABOUT {
        text.push_str(&format!("#{line}\n"));
    }
    text.push_str(&format!("{off}{title}\n"));
    for key in S::keys() {
        key_lines(text, &key, off);
    }
}

fn key_lines(text: &mut String, key: &KeyDoc, off: &str) {
    for line in &key.doc {
        text.push_str(&format!("#{line}\n"));
    }
    match (&key.default, key.example) {
        (_, Some(example)) => text.push_str(&format!("# {} = {example}\n", key.name)),
        (Some(default), None) => text.push_str(&format!("{off}{} = {default}\n", key.name)),
        (None, None) => {}
    }
}
