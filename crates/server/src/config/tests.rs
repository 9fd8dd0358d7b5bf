//! The reader: what is accepted, what is refused, and that key and line are named.

use super::*;

const APP: &str = "[[apps]]\napp_id = \"970CA35de60c44645bbae8a215061b33\"\n";

fn refused(text: &str) -> Vec<String> {
    Config::parse("c.toml", text).unwrap_err().problems.iter().map(ToString::to_string).collect()
}

fn with_variables(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Config::load(&Sources {
        file: Some(file.path().to_owned()),
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        overrides: Overrides::default(),
    })
}

#[test]
fn the_sample_of_the_contract_is_read() {
    let config = Config::parse(
        "c.toml",
        r#"
[server]
listen = "127.0.0.1:8480"          # REST, WebSocket and docs
data_dir = "./stentor-data"
reconnect_grace_ms = 30000         # back within it: nobody notices
ack_timeout_ms = 8000              # wait_for_ack
allow_plain_http = false           # plain HTTP beyond loopback
cors_origins = ["*"]               # echoed where credentials are used

[[apps]]
app_id = "970CA35de60c44645bbae8a215061b33"           # 32 hex characters, case kept
app_certificate = "5CFd2fd1755d40ecb72977518be15d3b"  # absent = clients need no token
customers = [{ id = "cid", secret = "csec" }]         # HTTP Basic
org_name = "acme"                                     # reserved: app-id dev docs easemob healthz metrics readyz try websocket ws
app_name = "demo"
client_id = "YXA6demo"
client_secret = "YXA6secret"
[apps.limits]                                         # one table of named rules, defaults = the documents'
rtm_peer_messages_per_second = 500
[apps.features]                                       # everything on by default; false = the vendor's "not opened" answer
history = true
"#,
    )
    .unwrap();
    assert_eq!(config.apps[0].app_id(), "970CA35de60c44645bbae8a215061b33");
    assert_eq!(config.apps[0].app.customers[0].secret.expose(), "csec");
    assert_eq!(config.server.ack_timeout_ms.get(), 8000);
}

#[test]
fn the_example_is_read_and_changes_nothing() {
    let config = Config::parse("config.example.toml", &example::example()).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
}

#[test]
fn the_example_with_its_app_switched_on_is_read() {
    let text = example::example();
    let apps = text.find("# [[apps]]").unwrap();
    let on: String = text[apps..]
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.starts_with('[') || key.contains(" = ") => format!("{key}\n"),
            _ => "\n".to_owned(),
        })
        .collect();
    let config = Config::parse("config.example.toml", &on).unwrap();
    assert_eq!(config.apps[0].app.org_name.as_ref().unwrap().as_str(), "acme");
}

#[test]
fn unknown_keys_are_named_with_their_line() {
    assert_eq!(refused("[server]\n\nlisten = \"127.0.0.1:1\"\nlisen = 1\n").len(), 1);
    let problem = &refused("[server]\n\nlisten = \"127.0.0.1:1\"\nlisen = 1\n")[0];
    assert!(problem.starts_with("c.toml:4: server.lisen: unknown key; this section has listen, "), "{problem}");
    let problem = &refused("[sever]\n")[0];
    assert!(problem.starts_with("c.toml:1: sever: unknown section"), "{problem}");
    let problem = &refused(&format!("{APP}[apps.limits]\nrtm_peer_messages = 5\n"))[0];
    assert!(problem.starts_with("c.toml:4: apps[0].limits.rtm_peer_messages: unknown key"), "{problem}");
    let problem = &refused("x = 1\n")[0];
    assert!(problem.starts_with("c.toml:1: x: unknown section"), "{problem}");
}

#[test]
fn bad_values_are_named_with_their_line() {
    for (text, expected) in [
        (
            "[server]\nack_timeout_ms = 0\n",
            "c.toml:2: server.ack_timeout_ms: expected a whole number from 1 to 600000, found 0",
        ),
        (
            "[server]\nack_timeout_ms = \"8s\"\n",
            "c.toml:2: server.ack_timeout_ms: expected a whole number, found string",
        ),
        (
            "[server]\nallow_plain_http = 1\n",
            "c.toml:2: server.allow_plain_http: expected true or false, found integer",
        ),
        ("[server]\ncors_origins = \"*\"\n", "c.toml:2: server.cors_origins: expected an array, found string"),
        ("server = 3\n", "c.toml:1: server: expected a section"),
        ("[apps]\n", "c.toml:1: apps: expected [[apps]], with two brackets"),
        ("[[apps]]\napp_id = \"xyz\"\n", "c.toml:2: apps[0].app_id: expected 32 hex characters, found \"xyz\""),
        ("\n[[apps]]\n", "c.toml:2: apps[0].app_id: is missing"),
        ("[tls]\ncertificate = \"c\"\n", "c.toml:2: tls.certificate: key is missing: the two belong together"),
        ("[store]\nengine = \"redb\"\n", "c.toml:2: store.engine: expected one of embedded, memory, found \"redb\""),
        ("[log]\nfilter = \"=,=\"\n", "c.toml:2: log.filter: invalid filter directive"),
    ] {
        assert_eq!(refused(text), [expected], "{text}");
    }
    let problem = &refused("[server]\nlisten = 0.0.0.0\n")[0];
    assert!(problem.starts_with("c.toml:2: "), "{problem}");
    let problem = &refused("[server]\nlisten = \"0.0.0.0:8480\"\n")[0];
    assert!(problem.starts_with("c.toml:2: server.listen: plain HTTP beyond loopback"), "{problem}");
}

#[test]
fn secrets_are_not_in_errors() {
    let text =
        format!("{APP}app_certificate = \"hunter2\"\ncustomers = [{{ id = \"a\", secret = \"hunter2\", x = 1 }}]\n");
    let problems = refused(&text);
    assert_eq!(problems.len(), 2);
    assert!(!problems.join("\n").contains("hunter2"), "{problems:?}");
}

#[test]
fn duplicates_name_both_places() {
    let problems = refused(&format!("{APP}{APP}"));
    assert_eq!(
        problems,
        ["c.toml:4: apps[1].app_id: \"970CA35de60c44645bbae8a215061b33\" is taken by the app at c.toml:2"]
    );
    let problem = &refused("[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n")[0];
    assert!(problem.starts_with("c.toml:3: "), "{problem}");
}

#[test]
fn all_problems_are_reported_at_once() {
    assert_eq!(refused("[server]\na = 1\nb = 2\n").len(), 2);
}

#[test]
fn variables_override_the_file() {
    let config = with_variables(
        &format!("[server]\nlisten = \"127.0.0.1:1\"\nack_timeout_ms = 5\n{APP}"),
        &[
            ("STENTOR_SERVER_LISTEN", "127.0.0.1:2"),
            ("STENTOR_SERVER_CORS_ORIGINS", "https://a.example, https://b.example"),
            ("STENTOR_APPS_0_CUSTOMERS", "cid:csec,other:x"),
            ("STENTOR_APPS_0_LIMITS_RTM_PEER_MESSAGES_PER_SECOND", "7"),
            ("STENTOR_APPS_0_FEATURES_HISTORY", "false"),
            ("STENTOR_APPS_1_APP_ID", "0123456789abcdef0123456789abcdef"),
            ("STENTOR_LOG", "debug"),
            ("STENTOR_CONFIG", "ignored"),
            ("PATH", "ignored"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.listen.0.to_string(), "127.0.0.1:2");
    assert_eq!(config.server.ack_timeout_ms.get(), 5);
    assert_eq!(config.server.cors_origins.len(), 2);
    assert_eq!(config.apps[0].app.customers[1].id, "other");
    assert_eq!(config.apps[0].limits.rtm_peer_messages_per_second.get(), 7);
    assert!(!config.apps[0].features.history);
    assert_eq!(config.apps[1].app_id(), "0123456789abcdef0123456789abcdef");
    assert_eq!(config.log.filter, "debug");
}

#[test]
fn unknown_or_bad_variables_are_named() {
    for (name, value, expected) in [
        ("STENTOR_SERVER_LISEN", "x", "STENTOR_SERVER_LISEN: server.lisen: unknown key"),
        ("STENTOR_NONSENSE", "x", "STENTOR_NONSENSE: names no key"),
        ("STENTOR_APPS_7_APP_ID", "x", "STENTOR_APPS_7_APP_ID: expected STENTOR_APPS_<number>_<key>"),
        (
            "STENTOR_SERVER_ACK_TIMEOUT_MS",
            "soon",
            "STENTOR_SERVER_ACK_TIMEOUT_MS: server.ack_timeout_ms: expected a whole",
        ),
    ] {
        let error = with_variables("", &[(name, value)]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn flags_override_everything() {
    let config = Config::load(&Sources {
        file: None,
        variables: vec![("STENTOR_SERVER_LISTEN".to_owned(), "127.0.0.1:2".to_owned())],
        overrides: Overrides { listen: Some("127.0.0.1:3".to_owned()), data: Some("/tmp/x".to_owned()) },
    })
    .unwrap();
    assert_eq!(config.server.listen.0.port(), 3);
    assert_eq!(config.data_dir(), Path::new("/tmp/x"));
    let error = Config::load(&Sources {
        overrides: Overrides { listen: Some("nowhere".to_owned()), data: None },
        ..Sources::default()
    })
    .unwrap_err();
    assert!(error.to_string().starts_with("--listen: server.listen: expected an IP address"), "{error}");
}

/// An app with a Chat side, and the beginning of a callback rule.
const CHAT_APP: &str =
    "[[apps]]\napp_id = \"970CA35de60c44645bbae8a215061b33\"\norg_name = \"acme\"\napp_name = \"demo\"\n";
const RULE: &str = "[[apps.callbacks]]\nname = \"audit\"\nurl = \"https://hooks.example.com/\"\nsecret = \"hunter2\"\n";

#[test]
fn callback_rules_are_read() {
    let config = Config::parse("c.toml", &format!("{CHAT_APP}{RULE}{}", RULE.replace("audit", "copy"))).unwrap();
    let names: Vec<_> = config.apps[0].callbacks.iter().map(|rule| rule.name.as_ref().unwrap().as_str()).collect();
    assert_eq!(names, ["audit", "copy"]);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn bad_callback_rules_are_named_with_their_line() {
    for (lines, expected) in [
        ("[[apps.callbacks]]\n", "c.toml:5: apps[0].callbacks[0].name: is missing"),
        (
            "[[apps.callbacks]]\nname = \"a b\"\nurl = \"https://a\"\nsecret = \"s\"\n",
            "c.toml:6: apps[0].callbacks[0].name: expected 1 to 32 letters, digits, '_', '-' or '.', found \"a b\"",
        ),
        (
            "[[apps.callbacks]]\nname = \"a\"\nurl = \"ftp://hunter2\"\nsecret = \"s\"\n",
            "c.toml:7: apps[0].callbacks[0].url: must begin with http:// or https://",
        ),
        (
            &format!("{RULE}events = [\"chat\", \"chats\"]\n"),
            "c.toml:9: apps[0].callbacks[0].events: expected one of chat, chat_offline, recall, edit, read_ack, status, \
             push, group, room, found \"chats\"",
        ),
        (
            &format!("{RULE}retry_first_ms = 600000\n"),
            "apps[0].callbacks[0].retry_longest_ms: is shorter than retry_first_ms",
        ),
        (
            &format!("{RULE}secrets = 1\n"),
            "c.toml:9: apps[0].callbacks[0].secrets: unknown key; this section has name, ",
        ),
        (&format!("{RULE}{RULE}"), "c.toml:10: apps[0].callbacks[1].name: callback rule 0 has the same name"),
        ("[apps.callbacks]\nname = \"a\"\n", "c.toml:5: apps[0].callbacks: expected a section in two brackets"),
        (
            &(0..5).map(|number| RULE.replace("audit", &format!("r{number}"))).collect::<String>(),
            "c.toml:21: apps[0].callbacks[4]: an app has at most 4 callback rules",
        ),
    ] {
        let problem = &refused(&format!("{CHAT_APP}{lines}"))[0];
        assert!(problem.starts_with(expected), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
    let problem = &refused(&format!("{APP}{RULE}"))[0];
    assert!(problem.starts_with("c.toml:3: apps[0].callbacks[0]: org_name and app_name are missing"), "{problem}");
}

#[test]
fn a_callback_to_a_private_address_must_be_meant() {
    for host in ["localhost", "127.0.0.1:80", "10.1.2.3", "[::1]", "[fd00::1]:8080", "169.254.169.254"] {
        let rule = RULE.replace("hooks.example.com", host);
        let problem = &refused(&format!("{CHAT_APP}{rule}"))[0];
        assert!(problem.starts_with("c.toml:7: apps[0].callbacks[0].url: leads to a private address"), "{problem}");
        Config::parse("c.toml", &format!("{CHAT_APP}{rule}allow_private = true\n")).unwrap();
    }
}

#[test]
fn variables_reach_callback_rules() {
    let config = with_variables(
        &format!("{CHAT_APP}{RULE}"),
        &[
            ("STENTOR_APPS_0_CALLBACKS_0_SECRET", "better"),
            ("STENTOR_APPS_0_CALLBACKS_0_EVENTS", "chat, status"),
            ("STENTOR_APPS_0_CALLBACKS_1_NAME", "copy"),
            ("STENTOR_APPS_0_CALLBACKS_1_URL", "https://b.example/"),
            ("STENTOR_APPS_0_CALLBACKS_1_SECRET", "s"),
            // Not `limits_…` of `chat`.
            ("STENTOR_APPS_0_CHAT_LIMITS_CHAT_TOKENS_PER_SECOND", "7"),
        ],
    )
    .unwrap();
    let rules = &config.apps[0].callbacks;
    assert_eq!(rules[0].secret.as_ref().unwrap().expose(), "better");
    assert_eq!((rules[0].events.len(), rules[1].name.as_ref().unwrap().as_str()), (2, "copy"));
    assert_eq!(config.apps[0].chat_limits.rate(stentor_api_chat::ChatRule::Tokens).unwrap().count, 7);
    for (name, expected) in [
        (
            "STENTOR_APPS_0_CALLBACKS_2_NAME",
            "STENTOR_APPS_0_CALLBACKS_2_NAME: expected …_CALLBACKS_<number>_<key>, the number at most 1",
        ),
        ("STENTOR_APPS_0_CALLBACKS_NAME", "STENTOR_APPS_0_CALLBACKS_NAME: expected …_CALLBACKS_<number>_<key>"),
        (
            "STENTOR_APPS_0_CALLBACKS_0_NAMES",
            "STENTOR_APPS_0_CALLBACKS_0_NAMES: apps[0].callbacks[0].names: unknown key",
        ),
    ] {
        let error = with_variables(&format!("{CHAT_APP}{RULE}"), &[(name, "x")]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
