from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from gateway.ops.app import build_app


async def test_what_is_counted_is_shown() -> None:
    registry = CollectorRegistry()
    Counter("pictures", "Pictures.", ["kind"], registry=registry).labels("dog").inc(3)
    async with TestClient(TestServer(build_app(registry))) as client:
        reply = await client.get("/metrics")
        assert reply.status == 200
        assert reply.headers["Content-Type"].startswith("text/plain")
        family = next(iter(text_string_to_metric_families(await reply.text())))
        assert [(s.labels, s.value) for s in family.samples if s.name == "pictures_total"] == [({"kind": "dog"}, 3.0)]
        assert (await client.get("/")).status == 404
