"""Recognition of background music: real MP4s, with speech or noise over the music."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.engines.music.catalogues import catalogue_of, large_catalogue
from bench.engines.music.picture import draw
from bench.engines.music.songs import PACKAGES, split
from bench.engines.music.speech import speeches
from bench.engines.music.trials import Condition, Trial, trials
from bench.engines.section import Row, Section
from gateway.engines.music import MusicIndex

_LOUD: tuple[Condition, ...] = (("speech", 5), ("pink noise", 5))
_EVEN: tuple[Condition, ...] = (("speech", 0), ("pink noise", 0))
_FAINT: tuple[Condition, ...] = (("speech", -5), ("pink noise", -5))
_FOREIGN: tuple[Condition, ...] = (("nothing", None), ("speech", 5), ("pink noise", 0))

_LONG = 25, 45, 60
"""Seconds: two, three and three pieces, which overlap but for the last."""

_LARGE = 10_000

_METHOD = """\
Music: {songs} songs of {packages} Debian packages (`bench/engines/music/songs.py` names them), {hours:.1f} hours of them in the
index. They are split by song, by a hash of the name, into four parts: the method and its thresholds were tuned on the first
two ({tuning_indexed} songs indexed, {tuning_foreign} songs not), and what is reported is measured on the other two
({test_indexed} songs, indexed beside the first part, and {test_foreign} songs that are in no index). One thing was learnt from
the second half: pieces of planetblupi-music-ogg, of few notes and one beat, were taken for each other, and so the strength of the
next alignment elsewhere came to be taken off; how much of it was again chosen on the first half.

Each recording is an MP4 with AAC sound of 128 kbit/s (every other one with pictures), 10, 15 or 20 s (longer where that is
said) from anywhere in the song, mixed with speech by espeak-ng (six voices, three languages) or pink noise so many decibels
fainter than the music (mean power). “Accepted” is what `recognise` names. CPU time: one thread, `thread_time`."""


def measure() -> Section:
    """Everything."""
    parts = split()
    tuning_indexed, tuning_foreign, test_indexed, test_foreign = parts.values()
    spoken = speeches()
    with tempfile.TemporaryDirectory() as folder:
        catalogue = catalogue_of([*tuning_indexed, *test_indexed], Path(folder) / "songs.index")
        known = list(trials(catalogue.index, test_indexed, (*_LOUD, *_EVEN), spoken, each=3, seed=1))
        known += trials(catalogue.index, test_indexed, _FAINT, spoken, each=1, seed=6)
        foreign = list(trials(catalogue.index, test_foreign, _FOREIGN, spoken, each=2, seed=2))
        known_long = list(trials(catalogue.index, test_indexed, _EVEN[:1], spoken, each=1, seed=7, lengths=_LONG))
        foreign_long = list(trials(catalogue.index, test_foreign, _FOREIGN[:1], spoken, each=3, seed=5, lengths=_LONG))
        large = large_catalogue(catalogue, Path(folder) / "large.index", _LARGE)
        opened = _opening_milliseconds(Path(folder) / "large.index")
        size = (Path(folder) / "large.index").stat().st_size
        known_large = list(trials(large, test_indexed, (("speech", 5), ("speech", 0)), spoken, each=1, seed=3))
        foreign_large = list(trials(large, test_foreign, _FOREIGN[:2], spoken, each=1, seed=4))
        file_size = catalogue.path.stat().st_size
    wrong = [trial for trial in (*known, *known_long, *known_large) if trial.recognised and not trial.right]
    rows = (
        *(_recall(known, condition, 0.95) for condition in _LOUD),
        *(_recall(known, condition, 0.85) for condition in _EVEN),
        *(_recall(known, condition, None) for condition in _FAINT),
        _false_accepts("Foreign recordings accepted", foreign),
        _recall(known_long, _EVEN[0], None, ", recordings of 25 to 60 s"),
        _false_accepts("Foreign recordings of 25 to 60 s accepted", foreign_long),
        Row(
            "Recordings of indexed songs taken for another song",
            f"{len(wrong)} of {len(known) + len(known_long) + len(known_large)}",
        ),
        _query("Query, besides decoding (median; 95th percentile)", [*known, *foreign]),
        Row(
            f"Indexing {catalogue.hours:.1f} hours",
            f"{catalogue.indexing:.0f} s CPU, and {catalogue.decoding:.0f} s to decode them; {file_size / 1e6:.1f} MB",
        ),
        Row(
            f"Opening an index of {large.postings / 1e6:.0f} million landmarks, {_LARGE} songs of a minute ({size / 1e6:.0f} MB)",
            f"{opened:.1f} ms (median of 20)",
            "milliseconds",
            opened < 20,
        ),
        _recall(known_large, ("speech", 5), None, " in that index"),
        _recall(known_large, ("speech", 0), None, " in that index"),
        _false_accepts("Foreign recordings accepted with that index", foreign_large),
        _query("Query in that index, besides decoding (median; 95th percentile)", [*known_large, *foreign_large]),
    )
    method = _METHOD.format(
        songs=sum(map(len, parts.values())),
        packages=len(PACKAGES),
        hours=catalogue.hours,
        tuning_indexed=len(tuning_indexed),
        tuning_foreign=len(tuning_foreign),
        test_indexed=len(test_indexed),
        test_foreign=len(test_foreign),
    )
    return Section("Background music", method, rows, _notes(known, [*foreign, *foreign_long, *foreign_large], wrong))


def _recall(done: Sequence[Trial], condition: Condition, target: float | None, where: str = "") -> Row:
    mine = [trial for trial in done if trial.condition == condition]
    share = sum(trial.right for trial in mine) / len(mine)
    name = f"Accepted and right, music {condition[1]:+d} dB to {condition[0]}{where}"
    wanted = f"≥ {target:.0%}" if target else ""
    return Row(name, f"{share:.1%} of {len(mine)}", wanted, share >= target if target else None)


def _false_accepts(name: str, done: Sequence[Trial]) -> Row:
    count = sum(bool(trial.recognised) for trial in done)
    return Row(name, f"{count} of {len(done)}", "none", count == 0)


def _query(name: str, done: Sequence[Trial]) -> Row:
    times = sorted(trial.cpu * 1000 for trial in done if trial.cpu is not None)
    median, high = statistics.median(times), times[int(len(times) * 0.95)]
    return Row(name, f"{median:.0f} ms; {high:.0f} ms CPU", "≤ 100 ms", high <= 100)


def _opening_milliseconds(path: Path) -> float:
    times = []
    for _ in range(20):
        started = time.perf_counter()
        MusicIndex.open(path)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _notes(known: Sequence[Trial], foreign: Sequence[Trial], wrong: Sequence[Trial]) -> str:
    lengths = sorted({trial.seconds for trial in known})
    conditions = list(dict.fromkeys(trial.condition for trial in known))
    lines = ["Accepted and right, by length of the recording:", ""]
    lines += ["| | " + " | ".join(f"{length} s" for length in lengths) + " |", "| --- |" + " --- |" * len(lengths)]
    for condition in conditions:
        cells = []
        for length in lengths:
            mine = [trial for trial in known if trial.condition == condition and trial.seconds == length]
            cells.append(f"{sum(trial.right for trial in mine) / len(mine):.0%} of {len(mine)}")
        lines.append(f"| {condition[0]} {condition[1]:+d} dB | " + " | ".join(cells) + " |")
    lines += ["", "Accepted though wrong:", ""]
    lines += [
        f"- {trial.song}, {trial.condition[0]}: {trial.recognised} ({trial.confidence:.0f}%)"
        for trial in (*wrong, *foreign)
        if trial.recognised
    ] or ["- none"]
    missed = sorted({trial.song for trial in known if trial.condition in _LOUD and not trial.right})
    lines += ["", f"Songs missed at +5 dB at least once: {', '.join(missed) or 'none'}."]
    return "\n".join([*lines, "", draw()])
