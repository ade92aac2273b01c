"""Every item of every stream was answered once: what clients were told, against what they had to be told."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import grpc

from bench.soak.checks import Check, none
from gateway.errors import Reason

from .exchange import Told
from .section import all_of


def answered_once(told: Sequence[Told], wanted: Sequence[Mapping[str, Reason | None]]) -> Iterator[Check]:
    """That every item of every stream was answered once, and as it should be. `wanted`: by item, why it must be refused."""
    count = sum(map(len, wanted))
    once = sum(
        times == 1 and name in want
        for stream, want in zip(told, wanted, strict=True)
        for name, times in Counter(name for name, _ in stream.outcomes).items()
    )
    yield all_of("items answered exactly once", once, count)
    yield none("results beyond that", sum(len(stream.outcomes) for stream in told) - once)
    right = sum(
        want.get(name, "unknown") == found for stream, want in zip(told, wanted, strict=True) for name, found in stream.outcomes
    )
    yield all_of("outcomes as they should be", right, count)
    bad = sum(reason is not None for want in wanted for reason in want.values())
    refused = sum(stream.refused for stream in told)
    yield Check("items refused", f"{refused:,}", f"{bad:,}", refused == bad and bad > 0)
    yield all_of("summaries that count what came", sum(map(_is_summed_up, told)), len(wanted))
    yield all_of("streams that ended well", sum(stream.code is grpc.StatusCode.OK for stream in told), len(wanted))


def _is_summed_up(told: Told) -> bool:
    summary, count = told.summary, len(told.outcomes)
    return (
        summary is not None
        and (summary.received, summary.failed) == (count, told.refused)
        and (summary.succeeded == count - told.refused)
    )
