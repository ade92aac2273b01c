"""What one scenario found."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.soak.checks import Check

HEALTH_SECONDS = 0.1
"""Within which health answers."""

HEALTH_SHARE = 0.99
"""Of the health calls, that must be answered within that: the machine's scheduler has its part in the others."""


@dataclass(frozen=True, slots=True)
class Section:
    """`about`: what was done, in a sentence or two. `checks`: what must hold of it."""

    title: str
    about: str
    checks: Sequence[Check]


def all_of(name: str, found: int, wanted: int) -> Check:
    """That as many were found as there are."""
    return Check(name, f"{found:,}", f"{wanted:,}", found == wanted)


def at_most(name: str, found: float, bound: float, unit: str) -> Check:
    """That what was measured is within a bound."""
    return Check(name, f"{found:,.1f} {unit}", f"at most {bound:,.1f} {unit}", found <= bound)


def prompt(seconds: Sequence[float]) -> Check:
    """That health answered in time. `seconds` of each call, ascending."""
    within = sum(each <= HEALTH_SECONDS for each in seconds) / max(1, len(seconds))
    p50, p99, longest = (1000 * each for each in (quantile(seconds, 0.5), quantile(seconds, 0.99), quantile(seconds, 1)))
    return Check(
        f"health answered within {HEALTH_SECONDS * 1000:.0f} ms",
        f"{within:.2%} of {len(seconds):,} (p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {longest:.0f} ms)",
        f"at least {HEALTH_SHARE:.0%}",
        bool(seconds) and within >= HEALTH_SHARE,
    )


def quantile(ascending: Sequence[float], share: float) -> float:
    """Of what is there, by the nearest rank."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] if ascending else float("nan")
