"""What a call is known by in recordings: all that its answer depends on, and nothing secret.

It is made from the call as it was understood. So the project, the credentials, the order of members, defaults that are left
out or spelled out, and line breaks in base64 make no difference, and none of them stands in a recording.
"""

import hashlib
import json
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from gateway.media import ImageUri
from gateway.rest.call import Call
from gateway.rest.operations import Operation
from gateway.rest.parameters import Value
from gateway.rest.source import Source

_SIGNATURES: Final = frozenset({"accesskeyid", "expires", "signature", "x-obs-security-token"})
_SIGNATURE_PREFIXES: Final = ("x-amz-", "x-goog-")


def recorded_request(operation: Operation, call: Call) -> dict[str, Any]:
    """The canonical form of a call, for JSON."""
    return {
        "operation": operation.name,
        "method": "POST",
        "path": operation.path,
        "form": call.is_form,
        "source": _source(call.source),
        "parameters": {name: _plain(value) for name, value in sorted(call.values.items())},
    }


def digest_of(request: dict[str, Any]) -> str:
    """128 bits in hexadecimal digits that stand for a canonical form."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]


def _plain(value: Value) -> Value:
    """A number without a fraction as JSON writes a whole one: a default may be either."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _source(source: Source) -> dict[str, Any]:
    """A picture by its hash; a URL without its signature."""
    if not isinstance(source, ImageUri):
        return {"sha256": hashlib.sha256(source.data).hexdigest(), "bytes": len(source.data)}
    parts = urlsplit(source.uri)
    # Any value may be a secret of some store, and any may choose the picture: each is known by its hash.
    pairs = [pair.split("=", 1) if "=" in pair else ["", pair] for pair in parts.query.split("&") if pair]
    query = sorted([name, hashlib.sha256(value.encode()).hexdigest()[:32]] for name, value in pairs if not _is_signature(name))
    return {"url": f"{parts.scheme}://{parts.netloc.lower()}{parts.path}", "query": query}


def _is_signature(name: str) -> bool:
    """Whether a parameter of a URL belongs to its temporary authorization, which differs each time that it is granted."""
    plain = unquote(name).lower()
    return plain in _SIGNATURES or plain.startswith(_SIGNATURE_PREFIXES)
