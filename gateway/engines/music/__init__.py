"""Background music: which song of a catalogue is being played in a recording."""

from gateway.engines.music.engine import MusicEngine
from gateway.engines.music.index import MusicIndex

__all__ = ["MusicEngine", "MusicIndex"]
