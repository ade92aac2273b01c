"""Songs, and the index that they are in."""

import pytest

from gateway.engines.music import MusicIndex

from .sounds import Samples, melody, written_index


@pytest.fixture(scope="session")
def songs() -> dict[str, Samples]:
    """Six songs of 40 seconds."""
    return {f"song {seed}": melody(seed, 40) for seed in range(6)}


@pytest.fixture(scope="session")
def index(songs, tmp_path_factory) -> MusicIndex:
    """An index of `songs`."""
    return written_index(tmp_path_factory.mktemp("index") / "songs.index", songs)
