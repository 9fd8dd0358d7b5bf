//! The little-endian byte layout that the binary token formats share.

use crate::{BuildError, Refusal};

/// Reads fields off a byte slice; every read past the end is [`Refusal::Invalid`].
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (head, tail) = self.0.split_first_chunk().ok_or(Refusal::Invalid)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Refusal> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Refusal> {
        self.array().map(i16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Refusal> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Refusal> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Refusal> {
        self.array().map(u64::from_le_bytes)
    }

    /// `u16` length and that many bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Refusal> {
        let len = usize::from(self.u16()?);
        let (head, tail) = self.0.split_at_checked(len).ok_or(Refusal::Invalid)?;
        self.0 = tail;
        Ok(head)
    }

    /// As [`Self::bytes`]; must be UTF-8, as every Agora string is.
    pub(crate) fn string(&mut self) -> Result<String, Refusal> {
        let text = str::from_utf8(self.bytes()?).map_err(|_| Refusal::Invalid)?;
        Ok(text.to_owned())
    }
}

/// Writes fields; a length that does not fit its `u16` is [`BuildError::TooLong`].
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn count(&mut self, count: usize) -> Result<(), BuildError> {
        self.u16(u16::try_from(count).map_err(|_| BuildError::TooLong)?);
        Ok(())
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), BuildError> {
        self.count(bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
