"""TLS and mutual TLS of the gRPC port, and certificates that are exchanged while it is open."""

import time
from unittest.mock import Mock

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from gateway.access.authenticator import Authentication
from gateway.access.certificates import CertificateAuthenticator
from gateway.access.gate import Gate
from gateway.access.metrics import AccessMetrics
from gateway.access.tenants import Limits, Roster, Tenant
from gateway.imagerecognition.v1 import tagging_pb2, tagging_pb2_grpc
from gateway.reloaded import Reloaded
from gateway.rpc.settings import RpcSettings
from gateway.rpc.tls import load_served, server_credentials, tls_files
from gateway.tls.pair import CertificateError
from tests.certificates import DAY, Authority, Files, name_shown


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture
def pair(authority, tmp_path) -> Files:
    """The server's, to be exchanged."""
    files = Files(tmp_path / "server.pem", tmp_path / "server.key")
    files.replace(authority.issue("first", "dns:localhost"))
    return files


@pytest.fixture
async def secured(make_server):
    """Starts servers by settings; gives the address by name, and what keeps the certificate."""
    servers = []

    async def start(**settings: object) -> tuple[str, Reloaded]:
        rpc = RpcSettings(**settings)
        kept = Reloaded("certificate", tls_files(rpc), lambda: load_served(rpc), interval=1)
        server = make_server(credentials=server_credentials(lambda: kept.current, rpc), drain_timeout=1)
        servers.append(server)
        address = await server.start("127.0.0.1:0")
        return address.replace("127.0.0.1", "localhost"), kept

    yield start
    for server in servers:
        await server.drain()


def settings(pair: Files, **more: object) -> dict[str, object]:
    return {"tls_certificate": pair.certificate, "tls_key": pair.key, **more}


async def asked(target: str, credentials: grpc.ChannelCredentials) -> grpc.StatusCode:
    async with grpc.aio.secure_channel(target, credentials) as channel:
        try:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def trusting(authority: Authority, own: Files | None = None) -> grpc.ChannelCredentials:
    certificate, key = own.read() if own is not None else (None, None)
    return grpc.ssl_channel_credentials(authority.file.read_bytes(), key, certificate)


async def shown(target: str, authority: Authority) -> str:
    return await name_shown(int(target.rpartition(":")[2]), authority, "localhost")


async def test_a_client_that_trusts_the_authority_is_served(secured, authority, stranger, pair) -> None:
    target, _ = await secured(**settings(pair))
    assert await asked(target, trusting(authority)) is grpc.StatusCode.OK
    assert await asked(target, trusting(stranger)) is grpc.StatusCode.UNAVAILABLE
    async with grpc.aio.insecure_channel(target) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)


async def test_a_certificate_for_another_host_is_not_taken(secured, authority, pair) -> None:
    pair.replace(authority.issue("elsewhere", "dns:elsewhere.test"))
    target, _ = await secured(**settings(pair))
    assert await asked(target, trusting(authority)) is grpc.StatusCode.UNAVAILABLE


async def test_new_handshakes_get_the_new_certificate_and_old_connections_go_on(secured, authority, pair) -> None:
    target, kept = await secured(**settings(pair))
    async with grpc.aio.secure_channel(target, trusting(authority)) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
        assert await shown(target, authority) == "first"
        pair.replace(authority.issue("second", "dns:localhost"))
        await kept.look()
        assert await shown(target, authority) == "second"
        await stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert await asked(target, trusting(authority)) is grpc.StatusCode.OK


def test_grpc_is_given_a_certificate_once(authority, pair, monkeypatch) -> None:
    """It builds its TLS anew for each that it is given."""
    rpc = RpcSettings(**settings(pair))
    served = [load_served(rpc)]
    made = Mock()
    monkeypatch.setattr(grpc, "dynamic_ssl_server_credentials", made)
    server_credentials(lambda: served[-1], rpc)
    first, changed = made.call_args.args
    assert first is served[0].configuration
    assert changed() is None
    pair.replace(authority.issue("next", "dns:localhost"))
    served.append(load_served(rpc))
    assert [changed(), changed()] == [served[1].configuration, None]


@pytest.mark.parametrize("spoiled", ["expired", "future", "other key", "no certificate", "gone", "half"])
async def test_a_pair_that_cannot_be_used_changes_nothing(secured, authority, pair, caplog, spoiled) -> None:
    target, kept = await secured(**settings(pair))
    match spoiled:
        case "expired":
            pair.replace(authority.issue("expired", "dns:localhost", start=-2 * DAY, end=-DAY))
        case "future":
            pair.replace(authority.issue("future", "dns:localhost", start=DAY, end=2 * DAY))
        case "other key":
            pair.key.write_bytes(authority.issue("other", "dns:localhost").key.read_bytes())
        case "no certificate":
            pair.certificate.write_bytes(b"nothing")
        case "gone":
            pair.key.unlink()
        case "half":
            pair.certificate.write_bytes(pair.certificate.read_bytes()[:100])
    await kept.look()
    assert await shown(target, authority) == "first"
    assert "certificate: not taken anew" in caplog.text
    assert "PRIVATE KEY" not in caplog.text
    pair.replace(authority.issue("mended", "dns:localhost"))
    await kept.look()
    assert await shown(target, authority) == "mended"


def test_a_certificate_that_has_expired_is_not_started_with(authority, pair) -> None:
    pair.replace(authority.issue("late", "dns:localhost", start=-2 * DAY, end=-DAY))
    with pytest.raises(CertificateError, match="certificate has expired"):
        load_served(RpcSettings(**settings(pair)))


def test_when_it_expires_is_known(pair) -> None:
    served = load_served(RpcSettings(**settings(pair)))
    assert served.expires == pytest.approx(time.time() + DAY.total_seconds(), abs=60)


@pytest.fixture
def gate() -> Gate:
    roster = Roster(
        tenants={"shop": Tenant("shop", Limits()), "robot": Tenant("robot", Limits())},
        others=None,
        certificates={"dns:shop.internal": "shop", "uri:spiffe://test/robot": "robot", "cn:ada": "shop", "ip:10.0.0.7": "robot"},
    )
    authentication = Authentication([CertificateAuthenticator(lambda: roster)], allow_anonymous=False)
    return Gate(authentication, lambda: roster, AccessMetrics(CollectorRegistry()), time.monotonic)


@pytest.fixture
def mutual(pair, authority) -> dict[str, object]:
    return settings(pair, tls_client_ca=authority.file, tls_client_auth="require")


@pytest.mark.parametrize(
    ("names", "tenant"),
    [
        (["anyone", "dns:other.internal", "dns:shop.internal"], "shop"),
        (["robot", "uri:spiffe://test/robot"], "robot"),
        (["ada"], "shop"),
        (["seven", "ip:10.0.0.7"], "robot"),
    ],
)
async def test_callers_are_known_by_their_certificates(secured, authority, mutual, provider, dog, names, tenant) -> None:
    target, _ = await secured(**mutual)
    own = authority.issue(*names, client=True)
    async with grpc.aio.secure_channel(target, trusting(authority, own)) as channel:
        await tagging_pb2_grpc.TaggingServiceStub(channel).TagImage(tagging_pb2.TagImageRequest(content=dog), timeout=30)
    assert provider.callers[0].tenant == tenant


async def test_a_certificate_that_belongs_to_no_tenant_gets_no_further_than_health(secured, authority, mutual, dog) -> None:
    target, _ = await secured(**mutual)
    own = authority.issue("nobody", "dns:nobody.internal", client=True)
    assert await asked(target, trusting(authority, own)) is grpc.StatusCode.OK
    async with grpc.aio.secure_channel(target, trusting(authority, own)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await tagging_pb2_grpc.TaggingServiceStub(channel).TagImage(tagging_pb2.TagImageRequest(content=dog), timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("shown", ["none", "of a stranger", "expired"])
async def test_without_a_client_s_certificate_there_is_no_connection(secured, authority, stranger, mutual, shown) -> None:
    target, _ = await secured(**mutual)
    own = {
        "none": lambda: None,
        "of a stranger": lambda: stranger.issue("ada", client=True),
        "expired": lambda: authority.issue("ada", start=-2 * DAY, end=-DAY, client=True),
    }[shown]()
    assert await asked(target, trusting(authority, own)) is grpc.StatusCode.UNAVAILABLE


async def test_whose_certificates_are_taken_can_be_changed(secured, authority, stranger, pair, tmp_path) -> None:
    file = tmp_path / "clients.pem"
    file.write_bytes(stranger.file.read_bytes())
    target, kept = await secured(**settings(pair, tls_client_ca=file, tls_client_auth="require"))
    own = authority.issue("ada", client=True)
    assert await asked(target, trusting(authority, own)) is grpc.StatusCode.UNAVAILABLE
    file.write_bytes(authority.file.read_bytes())
    await kept.look()
    assert await asked(target, trusting(authority, own)) is grpc.StatusCode.OK


@pytest.mark.parametrize("content", [b"", b"nothing", b"\xff\xfe"])
def test_authorities_that_are_none_are_told(pair, tmp_path, content) -> None:
    file = tmp_path / "clients.pem"
    file.write_bytes(content)
    with pytest.raises(CertificateError, match="no certificates in PEM"):
        load_served(RpcSettings(**settings(pair, tls_client_ca=file, tls_client_auth="require")))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"tls_certificate": "a"}, "tls_certificate and tls_key: give both or neither"),
        ({"tls_client_ca": "a"}, "tls_client_ca and tls_client_auth = 'require': give both or neither"),
        ({"tls_client_auth": "require"}, "tls_client_ca and tls_client_auth = 'require': give both or neither"),
        ({"tls_client_ca": "a", "tls_client_auth": "require"}, "tls_client_ca: needs tls_certificate and tls_key"),
    ],
)
def test_settings_that_do_not_fit_are_told(given, problem) -> None:
    with pytest.raises(ValidationError, match=problem):
        RpcSettings(**given)
