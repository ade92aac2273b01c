"""Pairs that can be served with, and those that cannot; the clients are Python's and, over the wire, aiohttp's."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.tls.pair import CertificateError, load_pair

DAY = timedelta(days=1)
PLAIN = serialization.NoEncryption()


class Made:
    """A key and its own certificate, written as PEM."""

    def __init__(
        self, folder: Path, name: str, start=-DAY, end=DAY, usage=ExtendedKeyUsageOID.SERVER_AUTH, encryption=PLAIN
    ) -> None:
        now = datetime.now(UTC)
        private_key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(private_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + start)
            .not_valid_after(now + end)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .sign(private_key, hashes.SHA256())
        )
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key = folder / f"{name}.key"
        form = serialization.PrivateFormat.PKCS8
        self.key.write_bytes(private_key.private_bytes(serialization.Encoding.PEM, form, encryption))


@pytest.fixture
def good(tmp_path) -> Made:
    return Made(tmp_path, "good")


async def test_a_client_that_trusts_the_certificate_is_served(good) -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text=request.scheme)

    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=load_pair(good.certificate, good.key).context).start()
        port = runner.addresses[0][1]
        trusting = ssl.create_default_context(cafile=str(good.certificate))
        async with aiohttp.ClientSession() as session:
            async with session.get(f"https://127.0.0.1:{port}/", ssl=trusting) as response:
                assert await response.text() == "https"
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"https://127.0.0.1:{port}/", ssl=ssl.create_default_context())
    finally:
        await runner.cleanup()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("newest", "works"), [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)]
)
def test_the_oldest_version_is_1_2(good, newest, works) -> None:
    context = load_pair(good.certificate, good.key).context
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.load_verify_locations(good.certificate)
    client_context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    client_context.maximum_version = newest
    client_context.set_ciphers("ALL:@SECLEVEL=0")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    if works:
        with pytest.raises(ssl.SSLWantReadError):
            server.do_handshake()
        return
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        server.do_handshake()


def refused(certificate: Path, key: Path) -> str:
    with pytest.raises(CertificateError) as caught:
        load_pair(certificate, key)
    return str(caught.value)


def test_files_that_cannot_be_read(good, tmp_path) -> None:
    none = tmp_path / "none"
    assert refused(none, good.key) == f"tls_certificate {none} cannot be read: No such file or directory"
    assert refused(good.certificate, none) == f"tls_key {none} cannot be read: No such file or directory"
    assert refused(tmp_path, good.key) == f"tls_certificate {tmp_path} cannot be read: Is a directory"


def test_files_that_are_not_what_they_should_be(good, tmp_path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    for certificate, key in (
        (empty, good.key),
        (good.certificate, empty),
        (good.key, good.key),
        (good.certificate, good.certificate),
    ):
        assert "are not a certificate and its key in PEM" in refused(certificate, key)
    other = Made(tmp_path, "other")
    assert refused(good.certificate, other.key) == f"tls_key {other.key} is not the key of tls_certificate {good.certificate}"
    locked = Made(tmp_path, "locked", encryption=serialization.BestAvailableEncryption(b"hunter2"))
    assert refused(locked.certificate, locked.key) == f"tls_key {locked.key} is encrypted; it must not be"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"start": -2 * DAY, "end": -DAY}, "certificate has expired"),
        ({"start": DAY, "end": 2 * DAY}, "certificate is not yet valid"),
        ({"usage": ExtendedKeyUsageOID.CLIENT_AUTH}, "unsuitable certificate purpose"),
    ],
)
def test_a_certificate_that_every_client_would_refuse(tmp_path, options, why) -> None:
    made = Made(tmp_path, "bad", **options)
    problem = refused(made.certificate, made.key)
    assert problem == f"tls_certificate {made.certificate} would be refused by every client: {why}"
