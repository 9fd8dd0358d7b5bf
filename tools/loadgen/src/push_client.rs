//! The yardstick of push: the HTTP client that the server uses, with the same settings, sending one recorded request as
//! fast as it is answered, as many at once as the server does. Nothing is decided, written, rendered, signed or kept.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Client;
use serde_json::{Value, json};
use stentor_push::counterparts::Received;
use stentor_push::{Http, HttpSetup, LineSetup, Trust};

/// What the server sends of its own accord, whatever the client is told.
const OF_THE_CONNECTION: [&str; 3] = ["host", "content-length", "user-agent"];

/// The request as a file for [`run`]. `authority` is the certificate to trust (DER).
#[must_use]
pub fn recorded(url: &str, authority: Option<Vec<u8>>, request: &Received) -> Value {
    let headers = request.headers.iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()));
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
    json!({
        "url": format!("{url}{}", request.target), "headers": headers,
        "body": BASE64_STANDARD.encode(&request.body), "authority": authority.map(|der| BASE64_STANDARD.encode(der)),
    })
}

/// What is sent again and again.
#[derive(Debug, Clone)]
struct Request {
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

/// Sends until the process ends. Says that it has begun as servers do.
///
/// # Errors
/// When the file cannot be read, or an answer is not a good one.
pub fn run(file: &Path) -> anyhow::Result<()> {
    let recorded: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let (client, request) = read(&recorded)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // One alone first: it opens the connection that is shared where there is HTTP/2.
        send(&client, &request).await?;
        println!("listening on http://127.0.0.1:0");
        let mut lanes = tokio::task::JoinSet::new();
        for _ in 0..LineSetup::default().concurrency {
            let (client, request) = (client.clone(), request.clone());
            lanes.spawn(async move {
                loop {
                    send(&client, &request).await?;
                }
            });
        }
        lanes.join_next().await.context("no lane")??
    })
}

fn read(recorded: &Value) -> anyhow::Result<(Client, Request)> {
    let text = |name: &str| recorded[name].as_str().with_context(|| format!("no {name}"));
    let mut headers = HeaderMap::new();
    for header in recorded["headers"].as_array().context("no headers")? {
        let (name, value) = header[0].as_str().zip(header[1].as_str()).context("a header")?;
        headers.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    let authority = recorded["authority"].as_str().map(|text| BASE64_STANDARD.decode(text)).transpose()?;
    let setup = HttpSetup { allow_private: true, ..HttpSetup::new(Trust::only(authority)) };
    let client = Http::new(&setup)?.client();
    let body = BASE64_STANDARD.decode(text("body")?)?.into();
    Ok((client, Request { url: text("url")?.to_owned(), headers, body }))
}

async fn send(client: &Client, request: &Request) -> anyhow::Result<()> {
    let Request { url, headers, body } = request.clone();
    let response = client.post(url).headers(headers).body(body).timeout(Duration::from_secs(10)).send().await?;
    ensure!(response.status().is_success(), "the counterpart answered {}", response.status());
    response.bytes().await?;
    Ok(())
}
