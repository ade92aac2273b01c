"""What is asked of whoever does the work: the cloud, the engines of this process, and what stands before them."""

from typing import Protocol

from gateway.call import UNHURRIED, Call
from gateway.media import (
    EnhancementParameters,
    EnhancementReply,
    ImageUri,
    MediaSource,
    MusicReply,
    PreparedImage,
    TaggingParameters,
    TaggingReply,
)


class Provider(Protocol):
    """Recognises and enhances: the cloud, or the engines in this process. Cancelling a call abandons its work."""

    @property
    def name(self) -> str:
        """Shown to clients in every reply."""

    @property
    def downloads_images(self) -> bool:
        """Whether it downloads pictures by itself; if not, it is only given contents."""

    @property
    def downloads_recordings(self) -> bool:
        """Likewise of recordings."""

    @property
    def decodes_here(self) -> bool:
        """Whether it decodes pictures in this process: these need not be made fit to be sent."""

    async def tag(self, image: PreparedImage | ImageUri, parameters: TaggingParameters, call: Call = UNHURRIED) -> TaggingReply:
        """Tag one picture. Raises `GatewayError`."""

    async def enhance(self, image: PreparedImage, parameters: EnhancementParameters, call: Call = UNHURRIED) -> EnhancementReply:
        """Brighten, defog or enlarge one picture, as the kind of `parameters` says. Raises `GatewayError`."""

    async def recognize_music(self, source: MediaSource, call: Call = UNHURRIED) -> MusicReply:
        """Name the music in one recording. Raises `GatewayError`."""

    async def check(self) -> None:
        """Raise `GatewayError` if a call now would fail whatever the picture."""

    async def aclose(self) -> None:
        """Release what it holds."""
