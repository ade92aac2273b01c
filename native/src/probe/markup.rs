//! SVG, HTML and other XML, told by the first element of a document.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

/// How far a first element is looked for, in bytes.
const WINDOW: usize = 4096;

/// Names the markup language of `data`, where its first element or document
/// type comes within the window.
pub(super) fn identify(data: &[u8]) -> Option<&'static str> {
    // UTF-16 turns into ASCII once its zero bytes and byte order mark are gone.
    let text: Vec<u8> = data
        .iter()
        .take(WINDOW)
        .copied()
        .filter(|byte| !matches!(byte, 0x00 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF))
        .collect();
    let mut rest = text.trim_ascii_start();
    let is_xml = rest.starts_with(b"<?xml");
    loop {
        rest = if let Some(instruction) = rest.strip_prefix(b"<?") {
            after(instruction, b"?>")?
        } else if let Some(comment) = rest.strip_prefix(b"<!--") {
            after(comment, b"-->")?
        } else if let Some(doctype) = strip_prefix_ignore_case(rest, b"<!doctype") {
            if let Some(name) = language(doctype.trim_ascii_start()) {
                return Some(name);
            }
            after(doctype, b">")?
        } else {
            break;
        }
        .trim_ascii_start();
    }
    let element = rest.strip_prefix(b"<")?;
    language(element).or(is_xml.then_some("XML"))
}

/// The language whose root element `tag` opens, past a namespace prefix.
fn language(tag: &[u8]) -> Option<&'static str> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b':';
    let end = tag.iter().position(|byte| !is_name(byte));
    let name = tag.get(..end.unwrap_or(tag.len()))?;
    let local = name.rsplit(|byte| *byte == b':').next()?;
    if local.eq_ignore_ascii_case(b"svg") {
        Some("SVG")
    } else if local.eq_ignore_ascii_case(b"html") {
        Some("HTML")
    } else {
        None
    }
}

fn after<'a>(text: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let position = memchr::memmem::find(text, end)?;
    text.get(position.saturating_add(end.len())..)
}

fn strip_prefix_ignore_case<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn svg_is_found_behind_a_prologue() {
        for text in [
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
            "\u{FEFF}<?xml version='1.0'?>\n<!-- a > b -->\n<svg>",
            "<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x.dtd'><svg>",
            "  <svg:svg>",
        ] {
            assert_eq!(identify(text.as_bytes()), Some("SVG"), "{text}");
        }
    }

    #[test]
    fn svg_is_found_in_utf_16() {
        let text: Vec<u8> = "\u{FEFF}<svg>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(identify(&text), Some("SVG"));
    }

    #[test]
    fn other_markup_is_named_too() {
        assert_eq!(identify(b"<!DOCTYPE html><p>"), Some("HTML"));
        assert_eq!(identify(b"<HTML lang=en>"), Some("HTML"));
        assert_eq!(identify(b"<?xml version='1.0'?><feed>"), Some("XML"));
    }

    #[test]
    fn a_bare_bracket_is_not_markup() {
        assert_eq!(identify(b"<"), None);
        assert_eq!(identify(b"<3"), None);
        assert_eq!(identify(b"<!-- without an end"), None);
    }

    #[test]
    fn the_search_is_bounded() {
        let far = [&vec![b' '; WINDOW][..], b"<svg>"].concat();
        assert_eq!(identify(&far), None);
    }
}
