"""Faults and how they are written: `image-tagging, defog: latency=0.1-0.5 @ 20%; throttle=2 @ 0.05`.

    rules       = rule { ";" rule }
    rule        = [ operation { "," operation } ":" ] fault [ "@" probability ]
    fault       = name [ "=" value ]
    probability = a number from 0 to 1, or a percentage; 1 unless given

A rule without operations is for all of them. White space between the parts does not count.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from gateway.rest.codes import CODES

MAX_RULES: Final = 64
MAX_LATENCY: Final = 300.0
"""Seconds, for each rule."""
MAX_RETRY_AFTER: Final = 3600
"""Seconds."""

_SECONDS: Final = re.compile(r"\d{1,4}(\.\d{1,6})?", re.ASCII)
_PROBABILITY: Final = re.compile(r"(?P<number>\d{1,3}(\.\d{1,9})?)(?P<percent>\s*%)?", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Latency:
    """The answer is late, by a time from `low` to `high` seconds. The only fault that leaves room for another one."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Throttle:
    """The rate limit is reached. `retry_after` is in seconds."""

    retry_after: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of the contract; with `hidden`, under HTTP status 200."""

    code: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class ProxyPage:
    """An HTML page, such as a proxy answers that does not reach the service."""

    status: int


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset: before any byte of the answer, after its headers, or amid its body."""

    at: Literal["start", "headers", "body"]


@dataclass(frozen=True, slots=True)
class Spoiled:
    """The genuine answer, but: cut in half, no JSON, without a body, or with the wrong content type."""

    how: Literal["truncated", "malformed", "empty", "wrong-type"]


Strike = Throttle | Failure | ProxyPage | Reset | Spoiled
"""What takes the place of the answer, or spoils it."""

Fault = Latency | Strike


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault, what it strikes, and how often. `operations` is empty for all."""

    fault: Fault
    operations: frozenset[str]
    probability: float


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Read rules. Raises `ValueError` that names the part at fault and what is allowed there.

    Whether the operations exist is not known here.
    """
    rules = tuple(_rule(part.strip()) for part in text.split(";") if part.strip())
    if len(rules) > MAX_RULES:
        msg = f"it holds {len(rules)} faults; at most {MAX_RULES} are allowed"
        raise ValueError(msg)
    return rules


def _rule(text: str) -> Rule:
    operations, colon, rest = text.rpartition(":")
    names = [name.strip() for name in operations.split(",")] if colon else []
    for name in names:
        if not _NAME.fullmatch(name):
            raise _error(text, "before the colon there must be names of operations, separated by commas")
    fault, at, probability = (part.strip() for part in rest.partition("@"))
    return Rule(_fault(text, fault), frozenset(names), _probability(text, probability) if at else 1.0)


def _fault(rule: str, text: str) -> Fault:
    name, equals, value = (part.strip() for part in text.partition("="))
    kind = _KINDS.get(name)
    if kind is None:
        raise _error(rule, f"a fault must be {', '.join(kind.form for kind in _KINDS.values())}")
    fault = None if equals and not value else kind.read(value)
    if fault is None:
        raise _error(rule, f"it must be {kind.form}")
    return fault


def _probability(rule: str, text: str) -> float:
    match = _PROBABILITY.fullmatch(text)
    value = float(match["number"]) / (100 if match["percent"] else 1) if match else 2.0
    if value > 1:
        raise _error(rule, "after the @ there must be a probability, from 0 to 1 or from 0% to 100%")
    return value


def _error(rule: str, allowed: str) -> ValueError:
    return ValueError(f"it holds {rule[:80]!r}; {allowed}")


def _seconds(text: str) -> float | None:
    return float(text) if _SECONDS.fullmatch(text) and float(text) <= MAX_LATENCY else None


def _latency(value: str) -> Latency | None:
    low, dash, high = (part.strip() for part in value.partition("-"))
    shortest, longest = _seconds(low), _seconds(high if dash else low)
    if shortest is None or longest is None or longest < shortest:
        return None
    return Latency(shortest, longest)


def _throttle(value: str) -> Throttle | None:
    value = value or "1"
    if not (value.isascii() and value.isdigit() and len(value) <= 4 and 1 <= int(value) <= MAX_RETRY_AFTER):
        return None
    return Throttle(int(value))


def _proxy(value: str) -> ProxyPage | None:
    return ProxyPage(int(value)) if value in {"502", "503", "504"} else None


def _reset(value: str) -> Reset | None:
    match value:
        case "start" | "headers" | "body":
            return Reset(value)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a fault is written, for messages, and what reads its value: None for one that is not allowed."""

    form: str
    read: Callable[[str], Fault | None]


def _spoiled(how: Literal["truncated", "malformed", "empty", "wrong-type"]) -> _Kind:
    return _Kind(how, lambda value: None if value else Spoiled(how))


_KINDS: Final = MappingProxyType(
    {
        "latency": _Kind(f"latency=SECONDS or latency=LEAST-MOST, up to {MAX_LATENCY:g}", _latency),
        "throttle": _Kind(f"throttle or throttle=SECONDS, from 1 to {MAX_RETRY_AFTER}", _throttle),
        "error": _Kind("error=CODE of the contract", lambda value: Failure(value, hidden=False) if value in CODES else None),
        "hidden-error": _Kind(
            "hidden-error=CODE of the contract", lambda value: Failure(value, hidden=True) if value in CODES else None
        ),
        "proxy": _Kind("proxy=502 or proxy=503 or proxy=504", _proxy),
        "reset": _Kind("reset=start or reset=headers or reset=body", _reset),
        "truncated": _spoiled("truncated"),
        "malformed": _spoiled("malformed"),
        "empty": _spoiled("empty"),
        "wrong-type": _spoiled("wrong-type"),
    }
)
