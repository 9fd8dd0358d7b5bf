//! Reads a client's frames out of whatever pieces the socket delivers, unmasks them in place and puts fragmented
//! messages together. Holds memory only for what is incomplete.

use std::ops::Range;

use super::{FrameError, Opcode, is_close_code};

/// What a client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A complete text message.
    Text(&'a str),
    /// A complete binary message.
    Binary(&'a [u8]),
    /// A ping; answer with its payload.
    Ping(&'a [u8]),
    /// A pong, with the payload of the ping that it answers.
    Pong(&'a [u8]),
    /// The client closes, perhaps with a code. Nothing that follows means anything.
    Close(Option<u16>),
}

/// Bytes from the socket, handed to [`Parser::next`] until it returns `None`.
#[derive(Debug)]
pub struct Input<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Input<'a> {
    /// All of `bytes`, which are unmasked in place.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn unread(&mut self) -> &mut [u8] {
        &mut self.bytes[self.at..]
    }
}

/// The state of one connection between two reads.
#[derive(Debug)]
pub struct Parser {
    /// Bytes of earlier reads that no event was made of, behind `taken` others.
    rest: Vec<u8>,
    taken: usize,
    /// The parts of a fragmented message so far.
    message: Option<Box<Message>>,
    max: usize,
    messages: Messages,
}

/// The messages that a protocol has; the others end the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// Text.
    Text,
    /// Binary.
    Binary,
    /// Without WebSocket: each message behind its length, in four bytes, the highest first.
    Prefixed,
}

impl Messages {
    const fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::Text,
            Self::Binary | Self::Prefixed => Opcode::Binary,
        }
    }

    const fn refused(self) -> FrameError {
        match self {
            Self::Text => FrameError::Binary,
            Self::Binary | Self::Prefixed => FrameError::Text,
        }
    }
}

#[derive(Debug, Default)]
struct Message {
    bytes: Vec<u8>,
    complete: bool,
}

struct Header {
    fin: bool,
    opcode: Opcode,
    mask: [u8; 4],
    payload: Range<usize>,
}

enum Head {
    /// At least so many bytes are needed to say more.
    Needs(usize),
    Whole(Header),
}

/// A frame whose payload was unmasked, and where it is.
struct Frame {
    fin: bool,
    opcode: Opcode,
    place: Place,
    payload: Range<usize>,
}

#[derive(Clone, Copy)]
enum Place {
    Rest,
    Input,
    Message,
}

impl Parser {
    /// A parser that refuses messages of more than `max` bytes, and those of the other kind.
    #[must_use]
    pub const fn new(messages: Messages, max: usize) -> Self {
        Self { rest: Vec::new(), taken: 0, message: None, max, messages }
    }

    /// The next event; `None` when `input` is used up, whose incomplete end is kept.
    ///
    /// # Errors
    /// When the client broke the protocol: the connection cannot go on.
    pub fn next<'a>(&'a mut self, input: &'a mut Input<'_>) -> Result<Option<Event<'a>>, FrameError> {
        self.forget_what_was_handed_out();
        let (opcode, place, payload) = loop {
            let Some(frame) = self.frame(input)? else { return Ok(None) };
            if frame.opcode.is_control() || (frame.fin && frame.opcode != Opcode::Continuation) {
                break (frame.opcode, frame.place, frame.payload);
            }
            let message = self.message.get_or_insert_default();
            let part = match frame.place {
                Place::Rest => &self.rest[frame.payload],
                Place::Input | Place::Message => &input.bytes[frame.payload],
            };
            message.bytes.extend_from_slice(part);
            if frame.fin {
                message.complete = true;
                break (self.messages.opcode(), Place::Message, 0..message.bytes.len());
            }
        };
        let bytes = match place {
            Place::Rest => &self.rest[payload],
            Place::Input => &input.bytes[payload],
            Place::Message => self.message.as_ref().map_or(&[][..], |message| &message.bytes),
        };
        event(opcode, bytes).map(Some)
    }

    /// Keeps what [`Parser::next`] has not looked at yet, for a caller that stops before it returned `None`.
    pub fn keep(&mut self, input: Input<'_>) {
        self.forget_what_was_handed_out();
        let Input { bytes, at } = input;
        self.append(&bytes[at..]);
    }

    /// Whether bytes wait that no event was made of: an incomplete frame, or whole ones after
    /// [`Parser::keep`].
    #[must_use]
    pub fn has_rest(&self) -> bool {
        self.rest.len() > self.taken
    }

    /// Whether a fragmented message has begun and not ended.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        self.message.as_ref().is_some_and(|message| !message.complete)
    }

    fn forget_what_was_handed_out(&mut self) {
        if self.message.as_ref().is_some_and(|message| message.complete) {
            self.message = None;
        }
        if self.taken == self.rest.len() && self.taken > 0 {
            // An idle connection holds no buffer.
            self.rest = Vec::new();
            self.taken = 0;
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.rest.drain(..self.taken);
            self.taken = 0;
            self.rest.extend_from_slice(bytes);
        }
    }

    /// The next whole frame, out of the rest (topped up with no more than it needs) or straight out of the
    /// input.
    fn frame(&mut self, input: &mut Input<'_>) -> Result<Option<Frame>, FrameError> {
        while self.has_rest() {
            match self.head(&self.rest[self.taken..])? {
                Head::Whole(header) => {
                    let at = self.taken;
                    self.taken += header.payload.end;
                    return Ok(Some(unmask(&mut self.rest, at, header, Place::Rest)));
                }
                Head::Needs(size) => {
                    let missing = size - (self.rest.len() - self.taken);
                    let unread = input.unread();
                    let count = missing.min(unread.len());
                    if count == 0 {
                        return Ok(None);
                    }
                    self.append(&unread[..count]);
                    input.at += count;
                }
            }
        }
        if input.unread().is_empty() {
            return Ok(None);
        }
        match self.head(input.unread())? {
            Head::Whole(header) => {
                let at = input.at;
                input.at += header.payload.end;
                Ok(Some(unmask(input.bytes, at, header, Place::Input)))
            }
            Head::Needs(_) => {
                self.append(input.unread());
                input.at = input.bytes.len();
                Ok(None)
            }
        }
    }

    /// Checks everything as soon as its byte is there, in the order of the bytes: how the bytes were split over
    /// reads does not change the answer.
    fn head(&self, bytes: &[u8]) -> Result<Head, FrameError> {
        if self.messages == Messages::Prefixed {
            return self.prefixed_head(bytes);
        }
        let Some(&first) = bytes.first() else { return Ok(Head::Needs(2)) };
        let fin = first & 0x80 != 0;
        let opcode = self.opcode(first, fin)?;
        let Some(&second) = bytes.get(1) else { return Ok(Head::Needs(2)) };
        if second & 0x80 == 0 {
            return Err(FrameError::Unmasked);
        }
        let short = second & 0x7f;
        if opcode.is_control() && short > 125 {
            return Err(FrameError::Control);
        }
        let size = match short {
            0..=125 => 2,
            126 => 4,
            _ => 10,
        };
        let Some(extended) = bytes.get(2..size) else { return Ok(Head::Needs(size)) };
        let length = length(short, extended)?;
        let so_far = self.message.as_ref().map_or(0, |message| message.bytes.len());
        let allowed = if opcode.is_control() { 125 } else { self.max.saturating_sub(so_far) };
        let payload = match usize::try_from(length) {
            Ok(length) if length <= allowed => size + 4..size + 4 + length,
            _ => return Err(FrameError::TooLarge),
        };
        match bytes.get(size..size + 4) {
            Some(&[a, b, c, d]) if bytes.len() >= payload.end => {
                Ok(Head::Whole(Header { fin, opcode, mask: [a, b, c, d], payload }))
            }
            _ => Ok(Head::Needs(payload.end)),
        }
    }

    fn prefixed_head(&self, bytes: &[u8]) -> Result<Head, FrameError> {
        let Some(&[a, b, c, d]) = bytes.first_chunk() else { return Ok(Head::Needs(4)) };
        let payload = match usize::try_from(u32::from_be_bytes([a, b, c, d])) {
            Ok(length) if length <= self.max => 4..4 + length,
            _ => return Err(FrameError::TooLarge),
        };
        if bytes.len() < payload.end {
            return Ok(Head::Needs(payload.end));
        }
        Ok(Head::Whole(Header { fin: true, opcode: Opcode::Binary, mask: [0; 4], payload }))
    }

    fn opcode(&self, first: u8, fin: bool) -> Result<Opcode, FrameError> {
        if first & 0x70 != 0 {
            return Err(FrameError::ReservedBit);
        }
        let opcode = Opcode::from_number(first & 0x0f).ok_or(FrameError::UnknownOpcode)?;
        match opcode {
            Opcode::Text | Opcode::Binary if opcode != self.messages.opcode() => Err(self.messages.refused()),
            Opcode::Text | Opcode::Binary if self.is_mid_message() => Err(FrameError::Fragment),
            Opcode::Continuation if !self.is_mid_message() => Err(FrameError::Fragment),
            _ if opcode.is_control() && !fin => Err(FrameError::Control),
            _ => Ok(opcode),
        }
    }
}

fn length(short: u8, extended: &[u8]) -> Result<u64, FrameError> {
    let length = extended.iter().fold(0u64, |length, &byte| length << 8 | u64::from(byte));
    match short {
        126 if length < 126 => Err(FrameError::Length),
        127 if length < 1 << 16 || length >> 63 != 0 => Err(FrameError::Length),
        126 | 127 => Ok(length),
        _ => Ok(u64::from(short)),
    }
}

fn unmask(bytes: &mut [u8], at: usize, header: Header, place: Place) -> Frame {
    let Header { fin, opcode, mask, payload } = header;
    let payload = at + payload.start..at + payload.end;
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut words = bytes[payload.clone()].chunks_exact_mut(8);
    for word in &mut words {
        for (byte, mask) in word.iter_mut().zip(wide.to_ne_bytes()) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
    Frame { fin, opcode, place, payload }
}

fn event(opcode: Opcode, bytes: &[u8]) -> Result<Event<'_>, FrameError> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| FrameError::NotUtf8);
    match opcode {
        Opcode::Ping => Ok(Event::Ping(bytes)),
        Opcode::Pong => Ok(Event::Pong(bytes)),
        Opcode::Close => match bytes {
            [] => Ok(Event::Close(None)),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                if !is_close_code(code) {
                    return Err(FrameError::Close);
                }
                text(reason).map(|_| Event::Close(Some(code)))
            }
            [_] => Err(FrameError::Close),
        },
        Opcode::Binary => Ok(Event::Binary(bytes)),
        Opcode::Text | Opcode::Continuation => text(bytes).map(Event::Text),
    }
}

#[cfg(test)]
mod tests;
