//! The head of an HTTP message: where it ends, its first line, and the few fields that matter here.

use anyhow::{Context, bail};

/// Longest head that is read.
const MAX_HEAD: usize = 16 * 1024;

/// A complete head at the start of a buffer.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The request or status line.
    pub first_line: &'a str,
    fields: &'a str,
    /// Bytes of the head with its empty line; the body follows.
    pub len: usize,
    /// The body's length; 0 if the message names none.
    pub content_length: usize,
}

impl<'a> Head<'a> {
    /// Reads the head if it is complete.
    ///
    /// # Errors
    /// When it is too long, not text, or sends its body in chunks.
    pub fn read(buffer: &'a [u8]) -> anyhow::Result<Option<Self>> {
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
            if buffer.len() > MAX_HEAD {
                bail!("an HTTP head of more than {MAX_HEAD} bytes");
            }
            return Ok(None);
        };
        let text = std::str::from_utf8(&buffer[..end]).context("an HTTP head that is not text")?;
        let (first_line, fields) = text.split_once("\r\n").unwrap_or((text, ""));
        let mut head = Self { first_line, fields, len: end + 4, content_length: 0 };
        if head.field("transfer-encoding").is_some() {
            bail!("chunked bodies are not supported: {text}");
        }
        if let Some(length) = head.field("content-length") {
            head.content_length = length.parse().context("content-length")?;
        }
        Ok(Some(head))
    }

    /// The value of a field; its name is given in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.fields.split("\r\n").find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The status of a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.first_line.split(' ').nth(1)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_complete() {
        let message = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Other: a:b \r\n\r\nhello";
        assert!(Head::read(&message[..40]).unwrap().is_none());
        let head = Head::read(message).unwrap().unwrap();
        assert_eq!((head.status(), head.content_length, &message[head.len..]), (Some(200), 5, &b"hello"[..]));
        assert_eq!(head.field("x-other"), Some("a:b"));
        assert_eq!(head.field("x-none"), None);
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        assert!(Head::read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(Head::read(&[b'a'; MAX_HEAD + 1]).is_err());
    }
}
