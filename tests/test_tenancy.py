"""The whole gateway with callers, tenants and TLS, as it is put together."""

import asyncio
import contextlib
import json
import logging
import time
from pathlib import Path

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import CollectorRegistry

from gateway.access.identity import Shown
from gateway.access.key_text import ApiKey, new_key
from gateway.access.settings import AccessSettings
from gateway.cli.health import own_target, own_tls, run_health
from gateway.cli.main import main
from gateway.client import AsyncGatewayClient, GatewayError, Reason, Tls
from gateway.client.settings import ClientSettings
from gateway.config import ConfigError, GatewaySettings
from gateway.config.reload import Reload
from gateway.engines.settings import LocalSettings
from gateway.redis_store import RedisSettings
from gateway.rpc.settings import RpcSettings
from gateway.server import running_gateway
from gateway.tenancy import check_exposure, opened_tenancy
from gateway.upstream.document import fetch_document
from tests.access.test_tokens import public
from tests.certificates import Authority, Files


def entry(tenant: str, *keys: ApiKey, **limits: object) -> str:
    lines = [f'[[tenants]]\nname = "{tenant}"', *(f"{name} = {json.dumps(value)}" for name, value in limits.items())]
    lines += [f'[[tenants.keys]]\nid = "{key.id}"\nhash = "{key.hash}"' for key in keys]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority) -> Files:
    return authority.issue("server", "dns:gateway.test")


@pytest.fixture
def tenants(tmp_path) -> Path:
    return tmp_path / "tenants.toml"


def settings(access: dict[str, object], **rooms: object) -> GatewaySettings:
    return GatewaySettings(
        listen="127.0.0.1:0",
        local=LocalSettings(workers=1),
        access=AccessSettings(**{"reload_interval": 3600, **access}),
        **rooms,
    )


@pytest.mark.parametrize("listen", ["0.0.0.0:50051", "[::]:1", "10.0.0.7:1", "gateway.internal:1", "[fe80::1%eth0]:1"])
def test_strangers_are_not_let_in_by_accident(listen, tenants) -> None:
    with pytest.raises(ConfigError) as caught:
        check_exposure(GatewaySettings(listen=listen))
    assert "access.authenticators" in str(caught.value)
    assert "access.allow_anonymous = true" in str(caught.value)
    check_exposure(GatewaySettings(listen=listen, access=AccessSettings(allow_anonymous=True)))
    check_exposure(GatewaySettings(listen=listen, access=AccessSettings(authenticators="api_key", tenants_file=tenants)))


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.8.8.8:1", "[::1]:1", "localhost:50051"])
def test_this_machine_s_own_callers_need_nothing(listen) -> None:
    check_exposure(GatewaySettings(listen=listen))


def test_serve_says_what_to_set(capsys) -> None:
    assert main(["serve", "--listen", "0.0.0.0:0"]) == 2  # refused before anything listens
    assert "access.allow_anonymous = true" in capsys.readouterr().err


def test_certificates_need_mutual_tls(tenants) -> None:
    access = AccessSettings(authenticators="certificate", tenants_file=tenants)
    with pytest.raises(ConfigError, match=r"it needs rpc.tls_client_auth = 'require'"):
        check_exposure(GatewaySettings(access=access))


async def test_a_gateway_behind_tls_and_keys(authority, pair, tenants, dog, caplog, capsys, tmp_path) -> None:
    caplog.set_level(logging.DEBUG)
    key, old = new_key(), new_key()
    tenants.write_text(entry("shop", key, old, operations=["preprocess"]))
    rpc = RpcSettings(tls_certificate=pair.certificate, tls_key=pair.key)
    own = settings({"authenticators": "api_key", "tenants_file": tenants}, rpc=rpc)
    tls = Tls.from_files(roots=authority.file, server_name="gateway.test")
    reload = Reload(lambda: own, own)
    async with running_gateway(own, reload=reload) as address:
        async with AsyncGatewayClient(address, tls=tls, api_key=key.text) as client:
            assert (await client.inspect(dog)).facts.width == 800
            with pytest.raises(GatewayError) as caught:
                await client.tag(dog)
            assert caught.value.reason is Reason.PERMISSION_DENIED
        async with AsyncGatewayClient(address, tls=tls) as client:
            with pytest.raises(GatewayError) as caught:
                await client.inspect(dog)
            assert caught.value.reason is Reason.UNAUTHENTICATED
        async with AsyncGatewayClient(address, tls=tls, token=lambda: old.text) as client:
            await client.inspect(dog)
            tenants.write_text(entry("shop", key, operations=["preprocess"]))  # the old one is withdrawn
            await reload.now()  # as on SIGHUP
            with pytest.raises(GatewayError) as caught:
                await client.inspect(dog)
            assert caught.value.reason is Reason.UNAUTHENTICATED
        # Containers ask with the gateway's own settings, and nothing else.
        assert await run_health(own_target(address), own_tls(own), timeout=10) == 0
        await _commands(address, authority, key, tmp_path)
    shown = caplog.text + str(capsys.readouterr())
    assert "SERVING" in shown
    for secret in (key.secret, old.secret, key.hash, "PRIVATE KEY"):
        assert secret not in shown


async def _commands(address: str, authority: Authority, key: ApiKey, folder: Path) -> None:
    (folder / "key").write_text(key.text + "\n")
    picture = str(Path(__file__).parents[1] / "examples" / "photos" / "dog.jpg")
    known = ("--target", address, "--ca", str(authority.file), "--server-name", "gateway.test")
    keyed = (*known, "--api-key-file", str(folder / "key"))
    for arguments, status in (
        (("prepare", picture, *keyed), 0),
        (("prepare", picture, *known), 1),
        (("health", *known), 0),
        (("tag", picture, *keyed), 1),  # not allowed, as the item says
    ):
        assert await asyncio.to_thread(main, list(arguments)) == status


async def test_tokens_of_an_issuer_s_url(tenants) -> None:
    key = ec.generate_private_key(ec.SECP256R1())

    async def published(_: web.Request) -> web.Response:
        return web.json_response({"keys": [public(key, "k1")]})

    app = web.Application()
    app.router.add_get("/keys", published)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
        tenants.write_text(entry("shop", subjects=["shop@issuer"]))
        access = {
            "authenticators": "api_key,jwt",
            "tenants_file": tenants,
            "jwt_keys": url,
            "jwt_issuer": "i",
            "jwt_audience": "a",
        }
        async with opened_tenancy(settings(access), CollectorRegistry(), fetch_document) as tenancy:
            claims = {"iss": "i", "aud": "a", "exp": time.time() + 60, "sub": "shop@issuer"}
            token = jwt.encode(claims, key, "ES256", headers={"kid": "k1"})
            assert (await tenancy.gate.admit(Shown(bearer=token), (), None)).tenant == "shop"
            stranger = jwt.encode(claims | {"sub": "stranger"}, key, "ES256", headers={"kid": "k1"})
            with pytest.raises(GatewayError) as caught:
                await tenancy.gate.admit(Shown(bearer=stranger), (), None)
            assert caught.value.reason is Reason.PERMISSION_DENIED
            await tenancy.reload()
    finally:
        await runner.cleanup()


async def test_all_is_read_anew_on_demand(tenants, pair, tmp_path, caplog) -> None:
    key, fresh = new_key(), new_key()
    signing = ec.generate_private_key(ec.SECP256R1())
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [public(signing, "k1")]}))
    tenants.write_text(entry("shop", key))
    access = {
        "authenticators": "api_key,jwt",
        "tenants_file": tenants,
        "jwt_keys": str(keys),
        "jwt_issuer": "i",
        "jwt_audience": "a",
    }
    registry = CollectorRegistry()
    rpc = RpcSettings(tls_certificate=pair.certificate, tls_key=pair.key)
    async with opened_tenancy(settings(access, rpc=rpc), registry, fetch_document) as tenancy:
        tenants.write_text(entry("shop", fresh))
        await tenancy.reload()
        assert (await tenancy.gate.admit(Shown(api_key=fresh.text), (), None)).tenant == "shop"
        tenants.write_text("= broken")
        await tenancy.reload()
        assert (await tenancy.gate.admit(Shown(api_key=fresh.text), (), None)).tenant == "shop"
    assert "access.tenants_file: not taken anew" in caplog.text

    def reloads(what: str, result: str) -> float | None:
        return registry.get_sample_value("image_gateway_reloads_total", {"what": what, "result": result})

    assert (reloads("tenants", "ok"), reloads("tenants", "failed")) == (1, 1)
    assert (reloads("jwt_keys", "ok"), reloads("jwt_keys", "failed")) == (2, 0)
    assert (reloads("certificate", "ok"), reloads("certificate", "failed")) == (2, 0)
    expiry = registry.get_sample_value("image_gateway_certificate_expiry_seconds")
    assert expiry == pytest.approx(time.time() + 86_400, abs=120)


async def test_counts_of_a_class_that_comes_later_begin_at_0_too(tenants) -> None:
    tenants.write_text(entry("shop", **{"class": "gold"}))
    registry = CollectorRegistry()

    def unknown_budgets(tenant_class: str) -> float | None:
        labels = {"tenant_class": tenant_class, "limit": "budget_unknown"}
        return registry.get_sample_value("image_gateway_tenant_refusals_total", labels)

    async with opened_tenancy(settings({"tenants_file": tenants}), registry, fetch_document) as tenancy:
        assert (unknown_budgets("gold"), unknown_budgets("silver")) == (0, None)
        tenants.write_text(entry("shop", **{"class": "silver"}))
        await tenancy.reload()
        assert unknown_budgets("silver") == 0


async def problems(own: GatewaySettings) -> str:
    with pytest.raises(ConfigError) as caught:
        async with opened_tenancy(own, CollectorRegistry(), fetch_document):
            pytest.fail("it was opened")
    return str(caught.value)


async def test_what_cannot_be_opened_is_a_problem_of_the_settings(tenants, tmp_path) -> None:
    none = tmp_path / "none"
    assert await problems(settings({"tenants_file": none})) == (
        f"settings of access: tenants_file {none} cannot be read: No such file or directory"
    )
    token = {"authenticators": "jwt", "jwt_issuer": "i", "jwt_audience": "a"}
    assert await problems(settings({**token, "jwt_keys": str(none)})) == (
        f"settings of access: jwt_keys {none} cannot be read: No such file or directory"
    )
    none.write_text("{}")
    assert "is no JWK set" in await problems(settings({**token, "jwt_keys": str(none)}))
    rpc = RpcSettings(tls_certificate=none, tls_key=none)
    assert (await problems(settings({}, rpc=rpc))).startswith("settings of rpc: tls_certificate")
    assert (await problems(settings({"budget_store": "redis"}))).startswith("settings of redis: url")


@pytest.mark.parametrize(("workers", "store", "fits"), [(1, "memory", True), (2, "memory", False), (2, "redis", True)])
async def test_budgets_of_several_workers_need_a_redis(tenants, workers, store, fits) -> None:
    tenants.write_text(entry("shop", daily_budget=5))
    own = settings(
        {"tenants_file": tenants, "budget_store": store},
        rpc=RpcSettings(workers=workers),
        redis=RedisSettings(url="redis://127.0.0.1:1/0"),
    )
    if not fits:
        assert "daily_budget needs access.budget_store = 'redis'" in await problems(own)
        return
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(opened_tenancy(own, CollectorRegistry(), fetch_document))


def test_the_client_s_settings_may_hold_its_own_certificate(pair) -> None:
    own = settings({}, rpc=RpcSettings(tls_certificate=pair.certificate, tls_key=pair.key))
    tls = own_tls(own)
    assert tls is not None
    assert (tls.server_name, tls.roots) == ("gateway.test", pair.certificate.read_bytes())
    client = ClientSettings(tls_certificate=pair.certificate, tls_key=pair.key, tls_server_name="other.test")
    both = own_tls(own.model_copy(update={"client": client}))
    assert both is not None
    assert (both.server_name, both.certificate) == ("other.test", pair.certificate.read_bytes())
    assert own_tls(settings({})) is None
