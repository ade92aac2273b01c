"""From evidence to confidence: how often a tag with such evidence was right, on pictures that were looked at for that.

Each source of evidence has its logistic model (Platt, "Probabilistic outputs for support vector machines", 1999): the log
odds of a tag, or of one of its places, are a weighted sum of what speaks for it, mostly log odds. The weights come from
bench/engines/tagging/fit.py.
"""

import csv
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

Odds = npt.NDArray[np.float64]
"""Logarithms of odds, natural ones: 0 is one to one."""

EVIDENCE: Final = ("share", "rival", "ssdlite", "centernet", "person", "lead", "size", "scene")
SOURCES: Final = ("class", "concept", "sighting", "scene", "place", "map")

_LEAST: Final = 0.003
"""A share or a score below counts like this much: what is smaller is noise of the networks' last digits."""


def log_odds(parts: npt.ArrayLike) -> Odds:
    """Of numbers from 0 to 1, which are moved away from both ends by 0.003."""
    inside = np.clip(np.asarray(parts, dtype=np.float64), _LEAST, 1.0 - _LEAST)
    result: Odds = np.log(inside / (1.0 - inside))
    return result


def percent(odds: Odds) -> npt.NDArray[np.float64]:
    """Probabilities of log odds, 0 to 100."""
    result: npt.NDArray[np.float64] = 100.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0)))
    return result


class Weights:
    """The fitted weights. Immutable."""

    def __init__(self, rows: dict[str, dict[str, float]]) -> None:
        """`rows`: for each of `SOURCES` the `intercept` and a weight for each of `EVIDENCE`."""
        self._rows = rows

    def odds(self, source: str, **evidence: Odds | float) -> Odds:
        """Of N tags that have one source. `evidence`: N log odds, or one for all, by the names in `EVIDENCE`."""
        row = self._rows[source]
        terms = (row[name] * np.asarray(values) for name, values in evidence.items())
        return np.asarray(row["intercept"] + sum(terms), dtype=np.float64)


def load_weights() -> Weights:
    """Read the shipped table. Raises `ValueError` if it is not complete."""
    text = (files("gateway.engines") / "data" / "confidence.tsv").read_text(encoding="utf-8")
    rows = {row.pop("source"): row for row in csv.DictReader(text.splitlines(), delimiter="\t")}
    columns = {"intercept", *EVIDENCE}
    if set(rows) != set(SOURCES) or any(set(row) != columns for row in rows.values()):
        msg = "confidence.tsv is not complete"
        raise ValueError(msg)
    return Weights({source: {name: float(value) for name, value in row.items()} for source, row in rows.items()})
