"""Servers whose certificate is not good for the name that was called: nothing is sent to them, the token least of all."""

import contextlib
import ssl
from datetime import UTC, datetime, timedelta

import aiohttp.connector
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.errors import Reason
from gateway.upstream.outcome import Billed, Outcome
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.transport import Transport
from tests.upstream.misbehaving.server import MisbehavingCloud

DAY = timedelta(days=1)


@pytest.fixture
def certificate(tmp_path):
    """Makes a certificate for a host name, good for a time that ends so long from now; returns its file, key included."""

    def make(host: str, end: timedelta = DAY):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "misbehaving")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / f"{host}.pem"
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        return file

    return make


async def said_by(file, monkeypatch, *, trusted: bool):
    """What the transport makes of a server with this certificate, and what the server got."""
    if trusted:  # as if the machine's own store held it
        monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", ssl.create_default_context(cafile=file))
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(file)
    cloud = MisbehavingCloud()
    async with (
        cloud.listening(tls=serving),
        contextlib.aclosing(Transport(connect_timeout=5, timeout=10, pool_size=1)) as transport,
    ):
        url = cloud.url.replace("127.0.0.1", "localhost") + "/v2/project-7/image/tagging"
        request = Outgoing("POST", url, headers={"Content-Type": "application/json"}, body=b"{}")
        return await transport.send(request, {"X-Auth-Token": cloud.service.issue()}), cloud.books


async def test_a_good_certificate_is_good(certificate, monkeypatch) -> None:
    attempt, books = await said_by(certificate("localhost"), monkeypatch, trusted=True)
    assert attempt.outcome is Outcome.SUCCESS
    assert books.received.total() == 1


@pytest.mark.parametrize(
    ("host", "end", "trusted"),
    [("localhost", DAY, False), ("cloud.example", DAY, True), ("localhost", -DAY, True)],
    ids=["self-signed", "another host's", "expired"],
)
async def test_a_certificate_that_is_not_good(certificate, monkeypatch, host, end, trusted) -> None:
    attempt, books = await said_by(certificate(host, end), monkeypatch, trusted=trusted)
    assert (attempt.outcome, attempt.billed) == (Outcome.NOT_SENT, Billed.NO)
    assert attempt.error.reason is Reason.UPSTREAM_UNAVAILABLE
    assert attempt.error.message == "the cloud's TLS certificate is not trusted, or not for its name"
    assert books.received.total() == 0


async def test_a_server_that_does_not_speak_tls() -> None:
    """It waits for more, as a server of HTTP does with what is not HTTP."""
    cloud = MisbehavingCloud()
    async with (
        cloud.listening(),
        contextlib.aclosing(Transport(connect_timeout=0.2, timeout=10, pool_size=1)) as transport,
    ):
        request = Outgoing("POST", cloud.url.replace("http:", "https:"), body=b"{}")
        attempt = await transport.send(request, {"X-Auth-Token": "hunter2"})
    assert (attempt.outcome, attempt.error.reason) == (Outcome.NOT_SENT, Reason.UPSTREAM_UNAVAILABLE)
