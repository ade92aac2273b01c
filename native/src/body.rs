//! The JSON body of a recognition request, written into one buffer.
//!
//! The body is `{"image":"<base64>"` followed by the members of an object that
//! the caller has already serialised. The base64 text is RFC 4648, section 4:
//! the standard alphabet, padded, without line breaks.

use std::fmt;

use base64_simd::{AsOut, STANDARD};

const HEAD: &str = r#"{"image":""#;

/// Why a body cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// The fields are not the text of a JSON object.
    FieldsNotAnObject,
    /// The buffer is not [`body_len`] bytes long.
    WrongBufferLength {
        /// Length the body has, in bytes.
        needed: usize,
        /// Length of the buffer, in bytes.
        have: usize,
    },
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FieldsNotAnObject => f.write_str("fields must be a JSON object, as {\"a\":1}"),
            Self::WrongBufferLength { needed, have } => write!(
                f,
                "body is {needed} bytes long, the buffer for it {have} bytes"
            ),
        }
    }
}

impl std::error::Error for BodyError {}

/// Length of `bytes` bytes in base64, in characters.
#[must_use]
pub const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

/// Length of the body, in bytes, for an image of `image_len` bytes.
///
/// # Errors
///
/// [`BodyError::FieldsNotAnObject`].
pub fn body_len(image_len: usize, fields_json: &str) -> Result<usize, BodyError> {
    let tail = Tail::new(fields_json)?;
    Ok(HEAD
        .len()
        .saturating_add(base64_len(image_len))
        .saturating_add(tail.len()))
}

/// Writes the body that carries `image` and the members of `fields_json`.
///
/// Beyond its braces `fields_json` is copied as it is: that it is valid JSON,
/// and has no member named `image`, is for the caller to see to.
///
/// # Errors
///
/// [`BodyError::FieldsNotAnObject`], and [`BodyError::WrongBufferLength`] where
/// `out` is not [`body_len`] bytes long.
pub fn write_body(image: &[u8], fields_json: &str, out: &mut [u8]) -> Result<(), BodyError> {
    let needed = body_len(image.len(), fields_json)?;
    let have = out.len();
    let wrong_length = BodyError::WrongBufferLength { needed, have };
    if have != needed {
        return Err(wrong_length);
    }
    let (head, out) = out.split_at_mut_checked(HEAD.len()).ok_or(wrong_length)?;
    let (base64, mut out) = out
        .split_at_mut_checked(base64_len(image.len()))
        .ok_or(wrong_length)?;
    head.copy_from_slice(HEAD.as_bytes());
    let _ = STANDARD.encode(image, base64.as_out());
    for part in Tail::new(fields_json)?.parts() {
        let (slot, rest) = out.split_at_mut_checked(part.len()).ok_or(wrong_length)?;
        slot.copy_from_slice(part.as_bytes());
        out = rest;
    }
    Ok(())
}

/// What follows the base64 text: a quote, the other members, a brace.
struct Tail<'a> {
    members: &'a str,
}

impl<'a> Tail<'a> {
    fn new(fields_json: &'a str) -> Result<Self, BodyError> {
        fields_json
            .trim_ascii()
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .map(|members| Self {
                members: members.trim_ascii(),
            })
            .ok_or(BodyError::FieldsNotAnObject)
    }

    const fn parts(&self) -> [&'a str; 3] {
        let separator = if self.members.is_empty() { "\"" } else { "\"," };
        [separator, self.members, "}"]
    }

    fn len(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as SCALAR;
    use proptest::prelude::*;

    use super::*;

    fn body(image: &[u8], fields_json: &str) -> String {
        let mut out = vec![b'?'; body_len(image.len(), fields_json).unwrap()];
        write_body(image, fields_json, &mut out).unwrap();
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
            assert_eq!(body_len(0, fields), Err(BodyError::FieldsNotAnObject));
        }
    }

    #[test]
    fn the_buffer_has_to_fit() {
        for length in [0, 1, 13, 15, 100] {
            let error = write_body(b"", "{}", &mut vec![0; length]).unwrap_err();
            let needed = r#"{"image":""}"#.len();
            assert_eq!(
                error,
                BodyError::WrongBufferLength {
                    needed,
                    have: length
                }
            );
        }
    }
}
