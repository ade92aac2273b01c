"""How the server misbehaves during a soak."""

from dataclasses import dataclass, field
from typing import Final

from tests.upstream.misbehaving.fault import Fault

FREQUENT: Final = 100.0
OCCASIONAL: Final = 20.0
SLOW: Final = 3.0
"""A call that such a fault strikes holds its place until it times out."""
HOLDING: Final = 1.0
"""Such a fault holds all calls up for a second, or has the client allow itself fewer at once, as it should."""

WEIGHTS: Final[dict[Fault, float]] = {
    Fault.RESET_ON_ACCEPT: FREQUENT,
    Fault.CLOSE_ON_ACCEPT: FREQUENT,
    Fault.RESET_BEFORE_BODY: OCCASIONAL,
    Fault.RESET_AFTER_BODY: FREQUENT,
    Fault.CLOSE_AFTER_BODY: OCCASIONAL,
    Fault.RESET_IN_HEAD: OCCASIONAL,
    Fault.RESET_IN_REPLY: FREQUENT,
    Fault.CLOSE_IN_REPLY: OCCASIONAL,
    Fault.RESET_AFTER_WORK: OCCASIONAL,
    Fault.CLOSE_AFTER_WORK: OCCASIONAL,
    Fault.IDLE_CLOSED: FREQUENT,
    Fault.CLOSED_ON_REUSE: FREQUENT,
    Fault.RESET_ON_REUSE: FREQUENT,
    Fault.HALF_OPEN: SLOW,
    Fault.SLOW_HEAD: SLOW,
    Fault.SLOW_BODY: SLOW,
    Fault.STUCK_BODY: SLOW,
    Fault.TRUNCATED_JSON: FREQUENT,
    Fault.LENGTH_TOO_LARGE: FREQUENT,
    Fault.LENGTH_TOO_SMALL: OCCASIONAL,
    Fault.SECOND_REPLY: OCCASIONAL,
    Fault.WRONG_CHUNK: OCCASIONAL,
    Fault.WRONG_ENCODING: OCCASIONAL,
    Fault.BOMB: HOLDING,  # takes a third of a second to unpack
    Fault.ENDLESS: HOLDING,  # likewise to read up to the limit
    Fault.NOT_HTTP: OCCASIONAL,
    Fault.HUGE_HEADER: OCCASIONAL,
    Fault.CONTINUE_TWICE: OCCASIONAL,
    Fault.CONTINUE_ONLY: OCCASIONAL,
    Fault.EARLY_REFUSAL: OCCASIONAL,
    Fault.THROTTLED: SLOW,
    Fault.THROTTLED_RETRY_AFTER: HOLDING,
    Fault.THROTTLED_BY_CODE: SLOW,
    Fault.INTERNAL_BY_CODE: FREQUENT,
    Fault.FAILED: FREQUENT,
    Fault.UNAVAILABLE: FREQUENT,
    Fault.BAD_GATEWAY: FREQUENT,
    Fault.GATEWAY_TIMEOUT: OCCASIONAL,
    Fault.ERROR_IN_SUCCESS: OCCASIONAL,
    Fault.REFUSED: FREQUENT,
    Fault.HTML_IN_SUCCESS: OCCASIONAL,
    Fault.EMPTY_SUCCESS: OCCASIONAL,
    Fault.REDIRECT: OCCASIONAL,
    Fault.TOKEN_REVOKED: HOLDING / 2,
    Fault.TOKEN_ABNORMAL: HOLDING / 2,
}
"""All but `Fault.LATE_SECOND_REPLY`: if it comes as the next request is on its way, no client can tell that it is not for it."""


@dataclass(frozen=True, slots=True)
class Weather:
    """`share` of the requests and connections that are struck, 0 to 1; there are fewer connections. The first `calm` requests are
    spared. Of every `storm_every` requests `storm_length` fail one after another. `latency` (seconds): of the work; `skew`
    (seconds): by which the server's clock is ahead."""

    seed: int = 1
    share: float = 0.15
    calm: int = 0
    storm_every: int = 10_000
    storm_length: int = 60
    latency: float = 0.02
    skew: float = 0.0
    weights: dict[Fault, float] = field(default_factory=lambda: WEIGHTS)
