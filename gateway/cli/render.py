"""One JSON form for an item's outcome, shared by every command that prints or writes one."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway import _native
from gateway.client import Operation, Preparation, PreparedItem, TaggedItem
from gateway.errors import GatewayError
from gateway.media import ImageFacts, Tag, TaggedImage
from gateway.prepare.operations import LIMITS
from gateway.rpc.status import CODES


def print_json(document: Mapping[str, Any]) -> None:
    """Print an object on a line of its own."""
    unicode = sys.stdout is not None and sys.stdout.encoding.lower() == "utf-8"  # elsewhere JSON's own escapes are read by all
    print(json.dumps(document, ensure_ascii=not unicode), flush=True)


def tagged_json(item: TaggedItem) -> dict[str, Any]:
    """The object that `tag --json` prints for one item."""
    if isinstance(item.outcome, GatewayError):
        return {"item_id": item.item_id, "error": error_json(item.outcome)}
    return {"item_id": item.item_id, **_tagged_json(item.outcome)}


def prepared_json(item: PreparedItem, operation: Operation, written: Path | None) -> dict[str, Any]:
    """The object that `prepare --json` prints for one item."""
    if isinstance(item.outcome, GatewayError):
        return {"item_id": item.item_id, "error": error_json(item.outcome)}
    document = {"item_id": item.item_id, **_prepared_json(item.outcome, operation)}
    if written is not None:
        document["written"] = str(written)
    return document


def error_json(error: GatewayError) -> dict[str, Any]:
    document: dict[str, Any] = {
        "code": CODES[error.reason].name,
        "reason": error.reason.value,
        "message": error.message,
    }
    for name in ("field", "measured", "allowed"):
        if value := getattr(error, name):
            document[name] = value
    if error.upstream is not None:
        document["upstream"] = {
            "error_code": error.upstream.error_code,
            "http_status": error.upstream.http_status,
            "request_id": error.upstream.request_id,
            "attempts": error.upstream.attempts,
        }
    return document


def _tagged_json(tagged: TaggedImage) -> dict[str, Any]:
    document: dict[str, Any] = {"tags": [_tag_json(tag) for tag in tagged.reply.tags]}
    if tagged.facts is not None:
        document["image"] = _facts_json(tagged.facts)
    document["preparation"] = list(tagged.actions)
    document["provider"] = tagged.reply.provider
    document["cache"] = tagged.reply.cache.value
    document["attempts"] = tagged.reply.attempts
    document["upstream_request_ids"] = list(tagged.reply.request_ids)
    document["milliseconds"] = {
        "prepare": round(tagged.prepare_time * 1000, 3),
        "queue": round(tagged.reply.queue_time * 1000, 3),
        "provider": round(tagged.reply.work_time * 1000, 3),
    }
    return document


def _prepared_json(preparation: Preparation, operation: Operation) -> dict[str, Any]:
    image = preparation.image
    facts = image.sent or image.facts
    return {
        "given": _facts_json(image.facts),
        "prepared": {
            **_facts_json(facts),
            "base64_chars": _native.base64_length(facts.size_bytes),
            "base64_limit": LIMITS[operation].max_base64,
        },
        "unchanged": image.sent is None,
        "actions": [{"name": action.name, "detail": action.detail} for action in image.actions],
        "milliseconds": round(preparation.prepare_time * 1000, 3),
    }


def _facts_json(facts: ImageFacts) -> dict[str, Any]:
    return {
        "format": facts.format,
        "width": facts.width,
        "height": facts.height,
        "orientation": facts.orientation,
        "size_bytes": facts.size_bytes,
    }


def _tag_json(tag: Tag) -> dict[str, Any]:
    return {
        "tag": tag.name,
        "confidence": round(tag.confidence, 2),
        "type": tag.type,
        "i18n_tag": {"zh": tag.localized_name.zh, "en": tag.localized_name.en},
        "boxes": [
            {
                "left": round(instance.box.left, 2),
                "top": round(instance.box.top, 2),
                "width": round(instance.box.width, 2),
                "height": round(instance.box.height, 2),
                "confidence": round(instance.confidence, 2),
            }
            for instance in tag.instances
        ],
    }
