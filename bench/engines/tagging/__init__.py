"""Tagging: how right the tags, their confidences and their boxes are, and what they cost."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from bench.engines.section import Row, Section
from bench.engines.tagging import pictures
from bench.engines.tagging.evaluate import Outcome, Truth, compare, places_right, precision, reliability, right_within
from bench.engines.tagging.photographs import Photograph, photographs
from gateway.engines.picture import decoded
from gateway.engines.tagging import TaggingEngine
from gateway.engines.tagging.vocabulary import load_vocabulary
from gateway.media import Language, Tag, TaggingParameters

THRESHOLD = TaggingParameters().threshold
LOWER_THRESHOLD = 30.0
EVERYTHING = TaggingParameters(language=Language.EN, threshold=1, limit=150)
EDGES = (10.0, 20.0, 40.0, 60.0, 80.0, 90.0, 100.0)
MOST_PIXELS = 100_000_000

RUNS = 3
"""Times that each picture is tagged; the quickest counts, which other work on the machine disturbs least."""


@dataclass(frozen=True)
class Marks:
    """Of each boxed thing: whether its kind is one of the detectors' own, whether its photograph is of the second set, and
    whether a call with `LOWER_THRESHOLD` tells its box."""

    detected: npt.NDArray[np.bool_]
    later: npt.NDArray[np.bool_]
    at_lower: npt.NDArray[np.bool_]


def measure() -> Section:
    """Measure on the half that nothing was fitted to, and write the pictures of the documentation."""
    cv2.setNumThreads(1)
    engine, vocabulary = TaggingEngine(), load_vocabulary()
    outcomes: list[Outcome] = []
    wrong: list[str] = []
    seconds: list[float] = []
    detected = {vocabulary.labels[label].name.en for label in vocabulary.detected}
    kinds: list[bool] = []
    later: list[bool] = []
    at_thirty: list[float] = []
    kept = pictures.Gallery()
    for one in photographs("unseen", vocabulary):
        pixels, _ = decoded(one.data, max_side=TaggingEngine.WORKING_SIDE, max_pixels=MOST_PIXELS)
        runs = [_timed(engine, pixels) for _ in range(RUNS)]
        tags = runs[0][0]
        seconds.append(min(taken for _, taken in runs))
        # What is neither right nor wrong for a picture is taken for not said.
        judged = [tag for tag in tags if tag.localized_name.en not in one.unsure]
        height, width = pixels.shape[:2]
        outcome = compare(judged, Truth(one.shown, one.things), width, height, threshold=THRESHOLD)
        outcomes.append(outcome)
        kinds += [bool(names & detected) for names, _ in one.things]
        later += [one.is_later] * len(one.things)
        truth = Truth(one.shown, one.things)
        at_thirty += compare(judged, truth, width, height, threshold=LOWER_THRESHOLD).found
        wrong.append(_misses(one, [tag.localized_name.en for tag in judged], outcome))
        kept.offer(one.name, pixels, tags)
    kept.write()
    marks = Marks(np.array(kinds), np.array(later), np.array(at_thirty) > 0)
    return _section(outcomes, marks, seconds, [line for line in wrong if line])


def _timed(engine: TaggingEngine, pixels: npt.NDArray[np.uint8]) -> tuple[tuple[Tag, ...], float]:
    """The tags, and CPU seconds."""
    start = time.thread_time()
    tags = engine.tag(pixels, EVERYTHING)
    return tags, time.thread_time() - start


def _section(outcomes: Sequence[Outcome], marks: Marks, seconds: Sequence[float], wrong: Sequence[str]) -> Section:
    first, fifth = right_within(outcomes, 1), right_within(outcomes, 5)
    exact, said = precision(outcomes, THRESHOLD)
    found = np.array([value for one in outcomes for value in one.found])
    known, later = marks.detected, marks.later
    there, told, sure = places_right(outcomes)
    error, bins = reliability(outcomes, EDGES)
    cost = float(np.median(seconds)) * 1000
    return Section(
        title="Tagging",
        method=_METHOD,
        rows=(
            Row("A right tag at rank 1", f"{first:.1%} of {len(outcomes)} pictures", "≥ 75 %", first >= 0.75),
            Row("A right tag in the top 5", f"{fifth:.1%}", "≥ 92 %", fifth >= 0.92),
            Row(f"Right, of the tags at the default threshold ({THRESHOLD:g})", f"{exact:.1%} of {said}", "≥ 80 %", exact >= 0.8),
            Row(
                "Things of which a call with default parameters tells the box (IoU ≥ 0.5): first set of photographs",
                f"{np.mean(found[~later] > 0):.1%} of {(~later).sum()}",
                "≥ 75 %",
                bool(np.mean(found[~later] > 0) >= 0.75),
            ),
            Row("… second set, chosen for things that can be boxed", f"{np.mean(found[later] > 0):.1%} of {later.sum()}"),
            Row("… both sets", f"{np.mean(found > 0):.1%} of {len(found)}", "≥ 75 %", bool(np.mean(found > 0) >= 0.75)),
            Row(f"… both sets, with threshold {LOWER_THRESHOLD:g}", f"{np.mean(marks.at_lower):.1%}"),
            Row(
                "… of both, things of the detectors' own 80 kinds, and other animals",
                f"{np.mean(found[known] > 0):.1%} of {known.sum()}, {np.mean(found[~known] > 0):.1%} of {(~known).sum()}",
            ),
            Row(
                f"… with a place that is itself at least {THRESHOLD:g} sure", f"{np.mean(found >= THRESHOLD):.1%} of {len(found)}"
            ),
            Row(
                "Right, of the places that a call with default parameters tells; their mean confidence",
                f"{there:.1%} of {told}; {sure:.0f} %",
            ),
            Row("Expected calibration error, of tags from 10 %", f"{error:.1f} points"),
            Row(
                "CPU a picture besides decoding, one thread: median of the pictures, best of 3 runs",
                f"{cost:.0f} ms",
                "≤ 120 ms",
                cost <= 120,
            ),
        ),
        notes="\n".join(
            [
                "Confidence and how often it was right:",
                "",
                "| Confidence | Tags | Mean confidence | Right |",
                "| --- | --- | --- | --- |",
                *(f"| {low:g} to {high:g} | {count} | {mean:.0f} % | {share:.0f} % |" for low, high, count, mean, share in bins),
                "",
                f"Wrong tags of at least {THRESHOLD:g}, things not found, and pictures whose first tag is wrong:",
                "",
                *wrong,
            ]
        ),
    )


def _misses(one: Photograph, names: Sequence[str], outcome: Outcome) -> str:
    said = zip(names, outcome.confidences, outcome.right, strict=True)
    wrong = [f"{name} {confidence:.0f}" for name, confidence, right in said if not right and confidence >= THRESHOLD]
    lost = [min(names_of) for (names_of, _), found in zip(one.things, outcome.found, strict=True) if not found]
    parts = []
    if wrong:
        parts.append("wrong: " + ", ".join(wrong))
    if lost:
        parts.append(f"{len(lost)} of {len(one.things)} things not found")
    if not outcome.right[:1] or not outcome.right[0]:
        parts.append(f"first tag wrong ({names[0] if names else 'none'})")
    return f"- {one.name}: {'; '.join(parts)}" if parts else ""


_METHOD = """
350 free photographs out of Debian's packages (`bench/engines/tagging/photographs.tsv`: objects, animals, buildings, people,
landscapes, close-ups), decoded as the provider does. Half of them are for tuning: scene words and the weights of confidence
are fitted to it (and scene words to 337 further photographs, of endless-sky-data and scratch). The figures are those of the
other half, which was labelled without any results of the engine (docs/engines/tagging.md tells how, and what came after).

A picture's labels are all names of the vocabulary that are right for it, with all that they imply; names about which people
could differ are set aside beforehand and count neither as right nor as wrong; everything else that the engine says is wrong.
Boxed are the main animals, and the main things of the detectors' 80 kinds; one counts as found if a tag of at least the default
threshold, with a name that is right for it, has a place there. Places are judged of tags with a name that something was boxed
for, and of wrong tags; those of small things in the background, which were not boxed, count as wrong.
"""
