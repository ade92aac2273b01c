import pytest

from gateway.errors import GatewayError, Reason
from gateway.media import ImageUri, MediaContent, MusicMatch, MusicReply
from gateway.usecases import music
from gateway.usecases.chain import Chain
from gateway.usecases.music import MAX_MEDIA_BYTES, RecognizeMusic

URI = ImageUri("https://example.org/clip.mp4")
MATCH = MusicMatch("Nocturne", 97.0, 12.5)


class Provider:
    name = "fake"

    def __init__(self, *, downloads_recordings: bool = False) -> None:
        self.downloads_recordings = downloads_recordings
        self.heard = []

    async def recognize_music(self, source, call) -> MusicReply:
        self.heard.append(source)
        return MusicReply(self.name, MATCH)


class Fetcher:
    def __init__(self, outcome: bytes | GatewayError) -> None:
        self.outcome = outcome
        self.limits = []

    async def fetch(self, uri: str, *, max_bytes: int | None = None) -> bytes:
        assert uri == URI.uri
        self.limits.append(max_bytes)
        if isinstance(self.outcome, GatewayError):
            raise self.outcome
        return self.outcome


async def test_a_recording_is_handed_on() -> None:
    provider = Provider()
    recognized = await RecognizeMusic(Chain([provider]), Fetcher(b""))(MediaContent(b"sound"))
    assert provider.heard == [MediaContent(b"sound")]
    assert recognized.reply.match == MATCH


async def test_a_url_is_downloaded_up_to_the_contract_s_limit() -> None:
    provider, fetcher = Provider(), Fetcher(b"sound")
    recognized = await RecognizeMusic(Chain([provider]), fetcher)(URI)
    assert provider.heard == [MediaContent(b"sound")]
    assert fetcher.limits == [65 * 1024 * 1024]
    assert recognized.fetch_time > 0


async def test_a_provider_that_downloads_by_itself_gets_the_url() -> None:
    provider, fetcher = Provider(downloads_recordings=True), Fetcher(b"sound")
    await RecognizeMusic(Chain([provider]), fetcher)(URI)
    assert (provider.heard, fetcher.limits) == ([URI], [])


async def test_a_recording_over_the_limit_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(music, "MAX_MEDIA_BYTES", 4)
    provider = Provider()
    await RecognizeMusic(Chain([provider]), Fetcher(b""))(MediaContent(b"1234"))
    with pytest.raises(GatewayError) as caught:
        await RecognizeMusic(Chain([provider]), Fetcher(b""))(MediaContent(b"12345"))
    error = caught.value
    assert (error.reason, error.field, error.measured, error.allowed) == (
        Reason.MEDIA_TOO_LARGE,
        "content",
        "5 bytes",
        "at most 4 bytes",
    )
    assert len(provider.heard) == 1


async def test_a_download_over_the_limit_is_one_of_a_recording() -> None:
    too_long = GatewayError(Reason.IMAGE_TOO_LARGE, "the picture is long", field="uri", measured="9 bytes")
    with pytest.raises(GatewayError) as caught:
        await RecognizeMusic(Chain([Provider()]), Fetcher(too_long))(URI)
    assert (caught.value.reason, caught.value.field) == (Reason.MEDIA_TOO_LARGE, "uri")
    assert str(MAX_MEDIA_BYTES) in caught.value.message


async def test_other_failures_of_a_download_stay_as_they_are() -> None:
    gone = GatewayError(Reason.URI_DOWNLOAD_FAILED, "gone", field="uri")
    with pytest.raises(GatewayError) as caught:
        await RecognizeMusic(Chain([Provider()]), Fetcher(gone))(URI)
    assert caught.value is gone


async def test_nothing_is_no_recording() -> None:
    with pytest.raises(GatewayError) as caught:
        await RecognizeMusic(Chain([Provider()]), Fetcher(b""))(MediaContent(b""))
    assert caught.value.reason is Reason.IMAGE_EMPTY
