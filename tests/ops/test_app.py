"""The operators' pages, over HTTP."""

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families

from gateway.ops.app import build_app
from gateway.ops.guard import Guard
from gateway.ops.pages import Pages, Readiness
from gateway.ops.settings import OpsSettings

registry = CollectorRegistry()
Counter("pictures", "Pictures.", ["kind"], registry=registry).labels("dog").inc(3)


class Shown:
    """What the pages show, and what was set."""

    def __init__(self) -> None:
        self.ready = True
        self.levels: list[tuple[str, float | None]] = []

    def pages(self) -> Pages:
        async def metrics(accept: str) -> tuple[bytes, str]:
            encode, content_type = choose_encoder(accept)
            return encode(registry), content_type

        async def readiness() -> Readiness:
            return Readiness(self.ready, {"degraded": True})

        async def set_level(level: str, seconds: float | None) -> dict[str, object]:
            self.levels.append((level, seconds))
            return {"level": level}

        async def config() -> dict[str, object]:
            return {"listen": "here"}

        return Pages(metrics, readiness, config, lambda: {"level": "info"}, set_level)


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
async def client(shown):
    async with TestClient(TestServer(build_app(shown.pages(), Guard(OpsSettings(listen="127.0.0.1:1"))))) as client:
        yield client


async def test_what_is_counted_is_shown(client) -> None:
    reply = await client.get("/metrics")
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/plain")
    family = next(iter(text_string_to_metric_families(await reply.text())))
    assert [(s.labels, s.value) for s in family.samples if s.name == "pictures_total"] == [({"kind": "dog"}, 3.0)]


async def test_liveness_is_one_thing_and_readiness_another(client, shown) -> None:
    shown.ready = False
    assert (await client.get("/healthz")).status == 200
    reply = await client.get("/readyz")
    assert (reply.status, await reply.json()) == (503, {"ready": False, "degraded": True})
    shown.ready = True
    assert (await client.get("/readyz")).status == 200


async def test_the_settings(client) -> None:
    assert await (await client.get("/config")).json() == {"listen": "here"}


async def test_the_level_of_the_log(client, shown) -> None:
    assert await (await client.get("/log-level")).json() == {"level": "info"}
    assert (await client.put("/log-level?level=debug&for=600")).status == 200
    assert (await client.put("/log-level?level=error")).status == 200
    assert shown.levels == [("debug", 600.0), ("error", None)]
    assert (await client.post("/log-level?level=debug")).status == 405


@pytest.mark.parametrize(
    "query", ["", "level=loud", "level=debug&for=0", "level=debug&for=soon", "level=debug&for=nan", "level=debug&for=1e9"]
)
async def test_a_level_that_is_none_says_what_is_allowed(client, shown, query) -> None:
    reply = await client.put(f"/log-level?{query}")
    assert reply.status == 400
    assert "must be" in await reply.text()
    assert not shown.levels


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/metric", 404), ("/a/b", 404)])
async def test_paths_that_are_not_there_list_those_that_are(client, path, status) -> None:
    reply = await client.get(path)
    assert reply.status == status
    assert "/readyz" in await reply.text()
