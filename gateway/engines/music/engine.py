"""Recognising background music: the sound of an MP4 against an index."""

import contextlib
from typing import Final

from gateway.engines.music.decode import Piece
from gateway.engines.music.evidence import Evidence, Hint, confidence
from gateway.engines.music.index import MusicIndex
from gateway.engines.music.landmarks import FRAME_SECONDS, RATE, query_landmarks
from gateway.engines.music.matcher import Alignment, best_alignment, log_odds
from gateway.engines.music.recording import pieces
from gateway.engines.steps import Checkpoint, never_cancelled
from gateway.media import MusicMatch

LEAST_CONFIDENCE: Final = 80.0
"""Percent; of music that is not in the index none came up to this when it was chosen."""

SURE: Final = 99.0
"""No further piece is decoded once one is as clear as this."""


class MusicEngine:
    """Recognises music of one index. Thread-safe, without state after construction."""

    def __init__(self, index: MusicIndex) -> None:
        self._index = index

    def recognise(self, media: bytes, checkpoint: Checkpoint = never_cancelled) -> MusicMatch | None:
        """Name the music in an MP4; None if none of the index is in it.

        `checkpoint` is called between packets and steps. Raises `GatewayError` (`MEDIA_UNSUPPORTED`, `MEDIA_DAMAGED`) for what is
        no MP4 or holds no sound that can be read.
        """
        evidence = Evidence()
        best: Hint | None = None
        with contextlib.closing(pieces(media, checkpoint)) as decoded:
            for piece in decoded:
                checkpoint()
                landmarks = query_landmarks(piece.samples)
                checkpoint()
                alignment = best_alignment(self._index, landmarks)
                if alignment is None:
                    continue
                evidence.add(_hint(alignment, piece))
                best = evidence.best()
                if best is not None and confidence(best.log_odds) >= SURE:
                    break
        if best is None or (percent := confidence(best.log_odds)) < LEAST_CONFIDENCE:
            return None
        return MusicMatch(name=self._index.songs[best.song], confidence=percent, offset_seconds=best.offset)


def _hint(alignment: Alignment, piece: Piece) -> Hint:
    seconds = piece.samples.size / RATE
    return Hint(
        song=alignment.song,
        offset=alignment.offset * FRAME_SECONDS - piece.start,
        log_odds=log_odds(alignment.strength, seconds),
        start=piece.start,
        seconds=seconds,
    )
