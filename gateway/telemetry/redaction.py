"""The second line of defence of logs: what looks like a secret is not shown. The first is that nobody logs any."""

import re
from typing import Final

_HEADERS: Final = "x-auth-token|x-subject-token|x-security-token|x-api-key|x-obs-security-token"

_WORDS: Final = rf"{_HEADERS}|password|passwd|secret|secret[_-]?key|access[_-]?key|api[_-]?key|security[_-]?token|token|signature"

_PATTERNS: Final = (
    # What an Authorization header holds, the scheme apart.
    (
        re.compile(
            r"(?i)\b(authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic|sdk-hmac-sha256|v11-hmac-sha256)?\s*)[^\s'\"][^\r\n'\"]*"
        ),
        r"\1…",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}"), r"\1…"),
    # API keys of this gateway's and JSON Web Tokens, wherever they stand.
    (re.compile(r"\bigk_[0-9a-f]{16}_[\w-]{20,}"), "…"),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"), "…"),
    # A header, name=value, "name": "value".
    (re.compile(rf"(?i)(\b(?:{_HEADERS})\s*:\s*)[^\s'\"]+"), r"\1…"),
    (re.compile(rf"(?i)(\b(?:{_WORDS})(?:\s*=\s*|['\"]\s*[:=]\s*)['\"]?)[^\s'\"&,;]+"), r"\1…"),
    # User and password of a URL; queries of URLs, which carry signatures.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/?#'\"@]*@"), r"\1…@"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?'\"]*\?)[^\s'\"]+"), r"\1…"),
    # A picture or a token in base64.
    (re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}"), "…"),
)


def redacted(text: str) -> str:
    """`text` without what looks like a secret, a signed URL's query, or a file in base64."""
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text
