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
