//! `Args`: the arguments of one request, as ranges into a byte buffer.
//!
//! Invariant `args.in_bounds`: every span lies inside `bytes`; the decoder that makes the spans
//! keeps it. The first argument is the command's name, and there is always at least one.

/// One argument: its first byte and the byte after its last.
///
/// Four bytes each are enough because the decoder refuses requests of 4 GiB and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The arguments of one request, borrowed from the connection's buffer. Copying it copies two
/// references.
#[derive(Clone, Copy)]
pub(crate) struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    pub(super) fn new(bytes: &'a [u8], spans: &'a [Span]) -> Self {
        Args { bytes, spans }
    }

    /// The number of arguments, the command's name included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Argument `i`.
    ///
    /// # Panics
    /// When there is no such argument: a command's arity is checked before it runs.
    #[inline]
    pub(crate) fn at(&self, i: usize) -> &'a [u8] {
        let span = self.spans[i];
        &self.bytes[span.start as usize..span.end as usize]
    }

    /// Argument `i`, if the request has so many.
    #[inline]
    pub(crate) fn get(&self, i: usize) -> Option<&'a [u8]> {
        self.spans.get(i).map(|span| &self.bytes[span.start as usize..span.end as usize])
    }

    /// The arguments from number `from` on, none when there are not so many.
    pub(crate) fn tail(&self, from: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let bytes = self.bytes;
        let spans = self.spans.get(from..).unwrap_or_default();
        spans.iter().map(move |span| &bytes[span.start as usize..span.end as usize])
    }
}

impl std::fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.tail(0).map(|arg| arg.escape_ascii().to_string())).finish()
    }
}
