//! The bytes of a snapshot: numbers, texts and lists, one after the other; `docs/snapshot.md` has every byte of them.
//!
//! It reads form alone. A length is believed only once its bytes are there, so that none makes it reserve memory.

/// What is not of the form of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is something else.
    #[error("it begins neither as a snapshot nor as a delta of this version: look at the address, or update the gate")]
    Magic,
    /// It ends too early, or a length in it says more than there is.
    #[error("it is cut at byte {at}, or a length there says more than follows: fetch it again")]
    Cut {
        /// Where something was missing.
        at: usize,
    },
    /// It goes on.
    #[error("{bytes} bytes follow its end: fetch it again, and let nothing append to it")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A text that is not UTF-8.
    #[error("the text before byte {at} is not UTF-8: whoever made it has a defect")]
    Text {
        /// Where it ends.
        at: usize,
    },
    /// A number that stands for nothing.
    #[error("the number before byte {at} stands for no {what}: whoever made it has a defect, or is of another version")]
    Number {
        /// Where it ends.
        at: usize,
        /// What it should stand for.
        what: &'static str,
    },
    /// Records that are not in their order, or one that stands twice.
    #[error("the record before byte {at} stands twice or out of order: whoever made it has a defect")]
    Order {
        /// Where it ends.
        at: usize,
    },
}

/// Bytes, read from the front.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    bytes: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest, bytes: rest.len() }
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes were read.
    pub(crate) fn at(&self) -> usize {
        self.bytes - self.rest.len()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Unreadable::Cut { at: self.at() })?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Unreadable::Cut { at: self.at() })?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Unreadable> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Unreadable> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Unreadable> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Unreadable> {
        self.array().map(i64::from_be_bytes)
    }

    /// A length and as many bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let count = self.u32()?;
        self.take(count as usize)
    }

    /// A length and as many bytes of UTF-8.
    pub(crate) fn text(&mut self) -> Result<&'a str, Unreadable> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| Unreadable::Text { at: self.at() })
    }

    /// A count and as many items, none of which is of no bytes.
    pub(crate) fn list<T, E: From<Unreadable>>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        let count = self.u32()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub(crate) fn end(&self) -> Result<(), Unreadable> {
        if self.rest.is_empty() { Ok(()) } else { Err(Unreadable::Trailing { bytes: self.rest.len() }) }
    }
}

/// Bytes, written to the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn raw(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    /// A length or count: those of 4 GiB are cut, and so refused by whoever reads them.
    pub(crate) fn count(&mut self, count: usize) -> &mut Self {
        self.raw((count as u32).to_be_bytes())
    }

    pub(crate) fn bytes(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.count(bytes.as_ref().len()).raw(bytes)
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) -> &mut Self {
        self.count(items.len());
        items.iter().for_each(|one| item(self, one));
        self
    }
}
