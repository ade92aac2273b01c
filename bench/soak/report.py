"""The accounts as Markdown, which also reads well in a terminal."""

import os
import platform
from collections.abc import Iterable

from .account import Account
from .checks import Check
from .ledger import End


def report(runs: Iterable[tuple[Account, list[Check]]]) -> str:
    """All runs with what was checked of them, one section each."""
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    opening = (
        f"Written by `python -m bench.soak`; {machine}. The server misbehaves, in a process of its own; both sides keep books."
    )
    return "\n".join(
        ["# Soak of the cloud provider\n", f"{opening}\n", *(_section(account, checked) for account, checked in runs)]
    )


def _section(account: Account, checked: list[Check]) -> str:
    ledger = account.ledger
    rate = account.calls / account.seconds
    faults = account.books.faults
    size = f"{account.calls:,} calls by {len(ledger.tenants)} tenants, {account.concurrency} at once"
    lines = [
        f"## {account.title.capitalize()}\n",
        f"{size}, in {account.seconds:.0f} s ({rate:.0f} a second); {faults.total():,} faults of {len(faults)} kinds.\n",
        *_table(("", "Found", "Wanted", ""), map(_checked, checked)),
        "",
        *_table(("How calls ended", "Calls"), _endings(account)),
        "",
        *_table(("Fault", "Times"), [(name, f"{times:,}") for name, times in faults.most_common()]),
        "",
    ]
    return "\n".join(lines)


def _checked(check: Check) -> tuple[str, ...]:
    return check.name, check.found, check.wanted, "holds" if check.holds else "**does not hold**"


def _endings(account: Account) -> list[tuple[str, str]]:
    ledger = account.ledger
    rows = [("answered", ledger.count(End.ANSWERED)), ("given up by the caller", ledger.count(End.GIVEN_UP))]
    return [(name, f"{times:,}") for name, times in [*rows, *ledger.reasons.most_common()]]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_line(head), _line(("---",) * len(head)), *map(_line, rows)]


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
