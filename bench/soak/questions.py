"""The mixture of calls: what is asked by its number, and whether an answer is the one to it."""

from typing import Final

from gateway.call import Call
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    ImageFacts,
    ImageUri,
    PreparedImage,
    TaggingParameters,
    TaggingVersion,
    UpscaleParameters,
)
from gateway.provider import Provider
from tests.upstream.misbehaving.service import bitmap

_TAGGING: Final = TaggingParameters()
_HISTORICAL_TAGGING: Final = TaggingParameters(version=TaggingVersion.V1)
_ENHANCEMENTS: Final = {10: DarkEnhanceParameters(), 11: DefogParameters(), 12: UpscaleParameters()}
KINDS: Final = 20
"""After so many calls the mixture begins anew."""


class Questions:
    """Calls of one run. `run` sets their markers apart from those of other runs. After `distinct` calls, a multiple of `KINDS`,
    the same is asked again; never, if it is None."""

    def __init__(self, run: str, distinct: int | None = None) -> None:
        self._run = run
        self._distinct = distinct

    def marker(self, number: int) -> str:
        """What call `number` is known by to the server."""
        return f"{self._run}-{number % self._distinct if self._distinct else number}-"

    async def ask(self, provider: Provider, number: int, call: Call) -> tuple[int, bool]:
        """Make call `number`. Returns the attempts that it took, and whether the answer is the one to it. Raises what the
        provider raises."""
        marker = self.marker(number)
        kind = number % KINDS
        if kind in _ENHANCEMENTS:
            picture = await provider.enhance(_picture(marker), _ENHANCEMENTS[kind], call)
            return picture.attempts, picture.image == bitmap(marker)
        uri = ImageUri(f"https://pictures.example/marker-{marker}.jpg")
        if kind == 13:
            music = await provider.recognize_music(uri, call)
            return music.attempts, music.match is not None and music.match.name == marker
        parameters = _HISTORICAL_TAGGING if kind == 14 else _TAGGING
        tags = await provider.tag(uri if kind == 15 else _picture(marker), parameters, call)
        return tags.attempts, [tag.name for tag in tags.tags] == [marker]


def _picture(marker: str) -> PreparedImage:
    data = bitmap(marker)
    return PreparedImage(data, ImageFacts("bmp", 16, 16, 1, len(data)))
