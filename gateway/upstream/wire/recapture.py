"""Whether a picture shows a picture (the vendor's SDK, `RecaptureDetectResponseResult`)."""

from gateway.upstream.reply import HttpReply
from gateway.upstream.results import Authenticity, Recapture
from gateway.upstream.wire.values import reading, result_of, share, text


def read_recapture(reply: HttpReply) -> Recapture:
    """Read a success reply. Raises `GatewayError` with `UPSTREAM_BAD_RESPONSE`."""
    with reading("recapture detection"):
        result = result_of(reply.body)
        return Recapture(
            authenticity=Authenticity(text(result["suggestion"])),
            category=text(result.get("category") or ""),
            score=share(result["score"]),
            details=tuple((text(detail["label"]), share(detail["confidence"])) for detail in result.get("detail") or ()),
        )
