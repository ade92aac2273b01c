//! The JSON body of a recognition request, written into one buffer.
//!
//! The body is `{"image":"<base64>"` followed by the members of an object that
//! the caller has already serialised. The base64 text is RFC 4648, section 4:
//! the standard alphabet, padded, without line breaks.

use std::fmt;

use base64_turbo::STANDARD;

const HEAD: &str = r#"{"image":""#;

/// Bytes of the image that are encoded at a time, a multiple of 3. So little
/// that clearing the room for a piece is a few stores; from about 2 KB on, the
/// C library clears memory in a way that starts slowly.
const PIECE: usize = 768;

/// Why a body cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// The fields are not the text of a JSON object.
    FieldsNotAnObject,
    /// There is less room than [`Body::len`] bytes.
    NoRoom,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FieldsNotAnObject => f.write_str("fields must be a JSON object, as {\"a\":1}"),
            Self::NoRoom => f.write_str("there is no room for the whole body"),
        }
    }
}

impl std::error::Error for BodyError {}

/// Where a body is written to, from front to back.
pub trait Room {
    /// The next `len` bytes; `None` if there are fewer.
    fn next(&mut self, len: usize) -> Option<&mut [u8]>;
}

/// Length of `bytes` bytes in base64, in characters.
#[must_use]
pub const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

/// A body that is about to be written.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    image: &'a [u8],
    /// What follows the text of the image: a quote, the other members, a brace.
    tail: [&'a str; 3],
}

impl<'a> Body<'a> {
    /// The body that carries `image` and the members of `fields_json`.
    ///
    /// Beyond its braces `fields_json` is copied as it is: that it is valid
    /// JSON, and has no member named `image`, is for the caller to see to.
    ///
    /// # Errors
    ///
    /// [`BodyError::FieldsNotAnObject`].
    pub fn new(image: &'a [u8], fields_json: &'a str) -> Result<Self, BodyError> {
        let members = fields_json
            .trim_ascii()
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .ok_or(BodyError::FieldsNotAnObject)?
            .trim_ascii();
        let separator = if members.is_empty() { "\"" } else { "\"," };
        Ok(Self {
            image,
            tail: [separator, members, "}"],
        })
    }

    /// Its length in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.tail
            .iter()
            .map(|part| part.len())
            .fold(HEAD.len(), usize::saturating_add)
            .saturating_add(base64_len(self.image.len()))
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// [`BodyError::NoRoom`].
    pub fn write(&self, room: &mut impl Room) -> Result<(), BodyError> {
        copy(HEAD, room)?;
        for piece in self.image.chunks(PIECE) {
            let out = room
                .next(base64_len(piece.len()))
                .ok_or(BodyError::NoRoom)?;
            STANDARD
                .encode_slice(piece, out)
                .map_err(|_| BodyError::NoRoom)?;
        }
        self.tail.iter().try_for_each(|part| copy(part, room))
    }
}

fn copy(text: &str, room: &mut impl Room) -> Result<(), BodyError> {
    room.next(text.len())
        .ok_or(BodyError::NoRoom)?
        .copy_from_slice(text.as_bytes());
    Ok(())
}

/// A buffer with something in it already.
impl Room for &mut [u8] {
    fn next(&mut self, len: usize) -> Option<&mut [u8]> {
        self.split_off_mut(..len)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as SCALAR;
    use proptest::prelude::*;

    use super::*;

    fn body(image: &[u8], fields_json: &str) -> String {
        let body = Body::new(image, fields_json).unwrap();
        let mut out = vec![b'?'; body.len()];
        body.write(&mut out.as_mut_slice()).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The body without SIMD and without a buffer to fill.
    fn plain_body(image: &[u8], members: &str) -> String {
        let separator = if members.is_empty() { "" } else { "," };
        let base64 = SCALAR.encode(image);
        format!(r#"{{"image":"{base64}"{separator}{members}}}"#)
    }

    #[test]
    fn members_follow_the_image() {
        assert_eq!(body(b"hello", "{}"), r#"{"image":"aGVsbG8="}"#);
        assert_eq!(
            body(b"hello", r#" { "language":"en","n":1 } "#),
            r#"{"image":"aGVsbG8=","language":"en","n":1}"#
        );
    }

    #[test]
    fn every_length_matches_the_plain_encoder() {
        let image: Vec<u8> = (0..=300_u32).map(|i| (i * 7 % 251) as u8).collect();
        for length in 0..=300 {
            let image = &image[..length];
            assert_eq!(body(image, r#"{"a":1}"#), plain_body(image, r#""a":1"#));
            assert_eq!(base64_len(length), SCALAR.encode(image).len());
        }
    }

    proptest! {
        #[test]
        fn any_image_matches_the_plain_encoder(
            image in proptest::collection::vec(any::<u8>(), 0..20_000),
            offset in 0..64_usize,
        ) {
            // Unaligned starts take other paths through SIMD code.
            let image = image.get(offset..).unwrap_or_default();
            prop_assert_eq!(body(image, "{}"), plain_body(image, ""));
        }
    }

    #[test]
    fn base64_len_is_exact_at_the_limit_of_the_service() {
        assert_eq!(base64_len(7_864_320), 10_485_760);
        assert_eq!(base64_len(7_864_321), 10_485_764);
        assert_eq!(base64_len(usize::MAX), usize::MAX);
    }

    #[test]
    fn fields_have_to_be_an_object() {
        for fields in ["", "[]", "{", "}", "null", "\"{}\""] {
            assert_eq!(
                Body::new(b"", fields).unwrap_err(),
                BodyError::FieldsNotAnObject
            );
        }
    }

    #[test]
    fn too_little_room_is_an_error() {
        let body = Body::new(b"hello", r#"{"a":1}"#).unwrap();
        for length in 0..body.len() {
            let mut out = vec![0; length];
            assert_eq!(body.write(&mut out.as_mut_slice()), Err(BodyError::NoRoom));
        }
    }
}
