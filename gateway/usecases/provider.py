"""What the use cases ask of whoever recognises pictures."""

from typing import Protocol

from gateway.media import ImageUri, PreparedImage, ProviderReply, TaggingParameters


class Provider(Protocol):
    """Recognises pictures: the cloud, or the engines in this process."""

    @property
    def name(self) -> str:
        """Shown to clients in every reply."""

    @property
    def accepts_uris(self) -> bool:
        """Whether it downloads pictures itself; if not, it is only given pictures."""

    @property
    def decodes_here(self) -> bool:
        """Whether it decodes pictures in this process: these need not be made fit to be sent."""

    async def tag(self, image: PreparedImage | ImageUri, parameters: TaggingParameters) -> ProviderReply:
        """Tag one picture. Raises `GatewayError`. Cancelling the call abandons the work."""

    async def check(self) -> None:
        """Raise `GatewayError` if a call now would fail whatever the picture."""

    async def aclose(self) -> None:
        """Release what it holds."""
