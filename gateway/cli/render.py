"""One JSON form for an item's outcome, shared by every command that prints or writes one."""

from typing import Any

from gateway.client import TaggedItem
from gateway.errors import GatewayError
from gateway.media import Tag, TaggedImage
from gateway.rpc.status import CODES


def item_json(item: TaggedItem) -> dict[str, Any]:
    """The object that `tag --json` prints for one item."""
    if isinstance(item.outcome, GatewayError):
        return {"item_id": item.item_id, "error": _error_json(item.outcome)}
    return {"item_id": item.item_id, **_tagged_json(item.outcome)}


def _error_json(error: GatewayError) -> dict[str, Any]:
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
        }
    return document


def _tagged_json(tagged: TaggedImage) -> dict[str, Any]:
    document: dict[str, Any] = {"tags": [_tag_json(tag) for tag in tagged.reply.tags]}
    if tagged.facts is not None:
        facts = tagged.facts
        document["image"] = {
            "format": facts.format,
            "width": facts.width,
            "height": facts.height,
            "orientation": facts.orientation,
            "size_bytes": facts.size_bytes,
        }
    document["preparation"] = list(tagged.actions)
    document["provider"] = tagged.reply.provider
    document["attempts"] = tagged.reply.attempts
    document["upstream_request_ids"] = list(tagged.reply.request_ids)
    document["milliseconds"] = {
        "prepare": round(tagged.prepare_time * 1000, 3),
        "queue": round(tagged.reply.queue_time * 1000, 3),
        "provider": round(tagged.reply.work_time * 1000, 3),
    }
    return document


def _tag_json(tag: Tag) -> dict[str, Any]:
    return {
        "tag": tag.name,
        "confidence": round(tag.confidence, 2),
        "type": tag.type,
        "i18n_tag": {"zh": tag.localized_name.zh, "en": tag.localized_name.en},
        "boxes": [
            {
                "left": instance.box.left,
                "top": instance.box.top,
                "width": instance.box.width,
                "height": instance.box.height,
                "confidence": round(instance.confidence, 2),
            }
            for instance in tag.instances
        ],
    }
