//! The first start: without any app in the configuration, one is made up with random credentials, and kept.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::config::names::SecretText;
use crate::config::{AppConfig, Config, ConfigError};
use crate::data_dir::{DataDir, DataDirError};
use crate::local::LocalChat;

/// Where the made-up app is kept, in the data directory.
pub const CREDENTIALS: &str = "credentials.toml";

/// Why the made-up app is not there.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read or written.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The file does not say what it should.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The file is there, but empty.
    #[error("{0} has no app; remove the file to get a new one, or configure [[apps]]")]
    Empty(String),
    /// The operating system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
}

/// The apps that are served without any in the configuration.
#[derive(Debug)]
pub struct MadeUp {
    /// As if they stood in the configuration.
    pub apps: Vec<AppConfig>,
    /// They are new.
    pub new: bool,
}

/// Reads the made-up app, or makes it up.
///
/// # Errors
/// When the file cannot be used.
pub fn made_up(directory: &DataDir) -> Result<MadeUp, CredentialsError> {
    if let Some(text) = directory.read(CREDENTIALS)? {
        return Ok(MadeUp { apps: parse(directory.path(), &text)?, new: false });
    }
    let text = make_up().map_err(CredentialsError::Random)?;
    let apps = parse(directory.path(), &text)?;
    directory.write_secret(CREDENTIALS, &text)?;
    Ok(MadeUp { apps, new: true })
}

fn parse(directory: &Path, text: &str) -> Result<Vec<AppConfig>, CredentialsError> {
    let file = directory.join(CREDENTIALS).display().to_string();
    let apps = Config::parse(&file, text)?.apps;
    if apps.is_empty() { Err(CredentialsError::Empty(file)) } else { Ok(apps) }
}

fn hex<const N: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn base64<const N: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn make_up() -> Result<String, getrandom::Error> {
    Ok(format!(
        "\
# One app with random credentials, made up at the first start because the configuration had no [[apps]].
# It is served for as long as that is so. To keep it, copy it into your configuration.
[[apps]]
app_id = \"{app_id}\"
app_certificate = \"{certificate}\"
customers = [{{ id = \"{customer}\", secret = \"{secret}\" }}]
org_name = \"org-{org}\"
app_name = \"app-{app}\"
client_id = \"YXA6{client_id}\"
client_secret = \"YXA6{client_secret}\"
",
        app_id = hex::<16>()?,
        certificate = hex::<16>()?,
        customer = hex::<16>()?,
        secret = hex::<16>()?,
        org = hex::<4>()?,
        app = hex::<4>()?,
        client_id = base64::<16>()?,
        client_secret = base64::<20>()?,
    ))
}

/// What a newcomer is shown once: the credentials, and commands to paste.
#[must_use]
pub fn introduction(app: &AppConfig, url: &str, program: &str, data_dir: &Path) -> String {
    let app_id = app.app_id();
    let certificate = app.app.app_certificate.as_ref().map_or("", |certificate| certificate.expose());
    let (customer, secret) = app
        .app
        .customers
        .first()
        .map_or(("", ""), |customer| (customer.id.as_str(), SecretText::expose(&customer.secret)));
    let data = if data_dir == Path::new("./stentor-data") {
        String::new()
    } else {
        format!(" --data {}", shell_word(&data_dir.display().to_string()))
    };
    format!(
        "
A first app was created. Its credentials are kept in {file} and not shown again:

  App ID           {app_id}
  App certificate  {certificate}
  Customer ID      {customer}
  Customer secret  {secret}

Try it. In a second terminal, be bob:

  {program} listen{data} --user bob --channel lobby

In a third, post a message to bob, then one to the channel:

  curl -u {customer}:{secret} -H 'Content-Type: application/json' \\
    -d '{{\"destination\":\"bob\",\"payload\":\"hello bob\"}}' \\
    '{url}/dev/v2/project/{app_id}/rtm/users/alice/peer_messages?wait_for_ack=true'

  curl -u {customer}:{secret} -H 'Content-Type: application/json' \\
    -d '{{\"channel_name\":\"lobby\",\"payload\":\"hello lobby\"}}' \\
    '{url}/dev/v2/project/{app_id}/rtm/users/alice/channel_messages'
{chat}
The APIs are described at {url}/docs
",
        file = data_dir.join(CREDENTIALS).display(),
        chat = chat_introduction(app, url, program, &data),
    )
}

/// The same for the Chat side: register a user, make a room, be the user, send to the room.
fn chat_introduction(app: &AppConfig, url: &str, program: &str, data: &str) -> String {
    let Some(chat) = LocalChat::of(app) else { return String::new() };
    let LocalChat { org, name, .. } = chat;
    format!(
        "
Its Chat side has the App Key {org}#{name}. Register bob, make a room, and be bob in it:

  TOKEN=$({program} token chat-app{data})
  CHAT='{url}/{org}/{name}'
  curl -H \"Authorization: Bearer $TOKEN\" $CHAT/users -d '{{\"username\":\"bob\",\"password\":\"secret\"}}'
  ROOM=$(curl -s -H \"Authorization: Bearer $TOKEN\" $CHAT/chatrooms \\
    -d '{{\"name\":\"lobby\",\"description\":\"-\",\"owner\":\"bob\"}}' | grep -o '\"id\":\"[0-9]*' | grep -o '[0-9]*')
  {program} listen --chat{data} --user bob --password secret --room $ROOM &

  curl -H \"Authorization: Bearer $TOKEN\" $CHAT/messages/chatrooms \\
    -d '{{\"from\":\"alice\",\"to\":[\"'$ROOM'\"],\"type\":\"txt\",\"body\":{{\"msg\":\"hello room\"}}}}'
"
    )
}

/// A word that a shell takes as one.
fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// How this program is called from the working directory: the path that works when it is pasted.
#[must_use]
pub fn program() -> String {
    let Ok(path) = std::env::current_exe() else { return "stentor".to_owned() };
    let from_here = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    shell_word(&from_here.unwrap_or(path).display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_made_up_app_stays_the_same() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = DataDir::open(temporary.path()).unwrap();
        let first = made_up(&directory).unwrap();
        assert!(first.new);
        let second = made_up(&directory).unwrap();
        assert!(!second.new);
        assert_eq!(first.apps[0].app_id(), second.apps[0].app_id());
        assert_eq!(first.apps[0].app.app_certificate, second.apps[0].app.app_certificate);
        assert!(first.apps[0].app.org_name.is_some() && first.apps[0].app.client_secret.is_some());
    }

    #[test]
    fn two_apps_differ() {
        assert_ne!(make_up().unwrap(), make_up().unwrap());
    }

    #[test]
    fn a_broken_file_is_named() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = DataDir::open(temporary.path()).unwrap();
        directory.write_secret(CREDENTIALS, "[[apps]]\napp_id = 7\n").unwrap();
        let error = made_up(&directory).unwrap_err().to_string();
        assert!(error.contains("credentials.toml:2: apps[0].app_id: expected a string"), "{error}");
        directory.write_secret(CREDENTIALS, "").unwrap();
        assert!(matches!(made_up(&directory), Err(CredentialsError::Empty(_))));
    }

    #[test]
    fn the_introduction_can_be_pasted() {
        let temporary = tempfile::tempdir().unwrap();
        let app = made_up(&DataDir::open(temporary.path()).unwrap()).unwrap().apps.remove(0);
        let text = introduction(&app, "http://127.0.0.1:8480", "target/release/stentor", Path::new("./stentor-data"));
        assert!(text.contains("  target/release/stentor listen --user bob --channel lobby\n"));
        assert!(text.contains(app.app_id()));
        let text = introduction(&app, "http://127.0.0.1:1", "stentor", Path::new("/var/my data"));
        assert!(text.contains("stentor listen --data '/var/my data' --user bob"));
        assert!(text.contains("TOKEN=$(stentor token chat-app --data '/var/my data')\n"));
        let org = app.app.org_name.as_ref().unwrap().as_str();
        assert!(text.contains(&format!("CHAT='http://127.0.0.1:1/{org}/")));
    }
}
