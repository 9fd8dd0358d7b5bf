//! One connection: HTTP requests until one of them upgrades, then a subscriber's frames.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use anyhow::{Context, bail};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use super::hub::{Hub, Subscriber};
use crate::stentor::notice;
use crate::wire::frame;
use crate::wire::head::Head;
use crate::wire::websocket::{FrameSource, Scratch, accept};

const SENT: &str = r#"{"result":"success","code":"message_sent","request_id":"10116762670167749259"}"#;
const DELIVERED: &str = r#"{"result":"success","code":"message_delivered","request_id":"10116762670167749259"}"#;
const OFFLINE: &str = r#"{"code":"message_offline","request_id":"10116762670167749259"}"#;

/// What a request asks for, and how many bytes of the buffer it was.
enum Request {
    Room,
    User { number: u32, acked: bool },
    Subscribe { user: Option<u32>, key: String },
}

/// Serves a connection until it ends.
pub(super) async fn serve(stream: TcpStream, hub: Rc<Hub>, scratch: Scratch) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let (mut read, write) = stream.into_split();
    let client = Subscriber::new(write);
    let mut buffer = Vec::new();
    while read_some(&mut read, &scratch, &mut buffer).await? {
        while let Some(head) = Head::read(&buffer)? {
            let (start, end) = (head.len, head.len + head.content_length);
            if buffer.len() < end {
                break;
            }
            let answer = match Request::read(&head)? {
                Request::Room => {
                    hub.publish_to_room(&buffer[start..end]);
                    SENT
                }
                Request::User { number, acked } => publish(&hub, number, acked, &buffer[start..end]).await?,
                Request::Subscribe { user, key } => {
                    subscribe(&hub, client, user, &key);
                    let early = buffer.split_off(end);
                    return listen(FrameSource::new(read, scratch, early), hub).await;
                }
            };
            client.send(&http_ok(answer));
            buffer.drain(..end);
        }
    }
    Ok(())
}

async fn publish(hub: &Hub, number: u32, acked: bool, payload: &[u8]) -> anyhow::Result<&'static str> {
    let Some(id) = hub.publish_to_user(number, payload) else { return Ok(OFFLINE) };
    if !acked {
        return Ok(SENT);
    }
    hub.ack_of(id).await.context("the hub is gone")?;
    Ok(DELIVERED)
}

fn subscribe(hub: &Hub, client: Rc<Subscriber>, user: Option<u32>, key: &str) {
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept(key)
    );
    client.send(answer.as_bytes());
    match user {
        Some(number) => hub.add_user(number, client),
        None => hub.enter_room(client),
    }
}

/// Reads a subscriber's frames: acks matter, the rest does not.
async fn listen(mut source: FrameSource, hub: Rc<Hub>) -> anyhow::Result<()> {
    loop {
        let open = source.read(|opcode, payload| {
            match opcode {
                frame::TEXT => notice::acked_ids(payload).for_each(|id| hub.acked(id)),
                frame::CLOSE => bail!("closed by the client"),
                _ => {}
            }
            Ok(())
        });
        if !open.await? {
            return Ok(());
        }
    }
}

impl Request {
    fn read(head: &Head<'_>) -> anyhow::Result<Self> {
        let mut parts = head.first_line.split(' ');
        let (method, path) = (parts.next(), parts.next().unwrap_or_default());
        let mut segments = path.split('/').skip(1);
        match (method, segments.next(), segments.next(), segments.next()) {
            (Some("POST"), Some("room"), None, None) => Ok(Self::Room),
            (Some("POST"), Some("user"), Some(number), acked) => {
                Ok(Self::User { number: number.parse()?, acked: acked == Some("acked") })
            }
            (Some("GET"), Some("ws"), Some(who), None) => {
                let key = head.field("sec-websocket-key").context("no Sec-WebSocket-Key")?.to_owned();
                let user = if who == "room" { None } else { Some(who.parse()?) };
                Ok(Self::Subscribe { user, key })
            }
            _ => bail!("unknown request: {}", head.first_line),
        }
    }
}

fn http_ok(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=utf-8\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// `false` at the end of the stream.
async fn read_some(read: &mut OwnedReadHalf, scratch: &Scratch, buffer: &mut Vec<u8>) -> anyhow::Result<bool> {
    poll_fn(|context| {
        let mut scratch = scratch.borrow_mut();
        let mut chunk = ReadBuf::new(scratch.as_mut_slice());
        match Pin::new(&mut *read).poll_read(context, &mut chunk) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Ready(Ok(())) => {
                buffer.extend_from_slice(chunk.filled());
                Poll::Ready(Ok(!chunk.filled().is_empty()))
            }
        }
    })
    .await
}
