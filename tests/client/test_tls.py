"""Connections that prove who is at the other end."""

from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.client import AsyncGatewayClient, GatewayError, Reason, Tls


def certified(host: str) -> tuple[bytes, bytes]:
    """A certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM), private


@pytest.fixture(scope="module")
def server_pair() -> tuple[bytes, bytes]:
    return certified("gateway.test")


@pytest.fixture(scope="module")
def client_pair() -> tuple[bytes, bytes]:
    return certified("caller.test")


async def test_a_trusted_gateway_is_talked_to(serving, tagging, server_pair) -> None:
    certificate, key = server_pair
    tls = Tls(roots=certificate, server_name="gateway.test")
    async with (
        serving(tagging, grpc.ssl_server_credentials([(key, certificate)])) as target,
        AsyncGatewayClient(target, tls=tls, tenant="shop") as client,
    ):
        await client.tag(b"x")
    assert tagging.metadata[0]["x-tenant-id"] == "shop"


@pytest.mark.parametrize("doubt", ["authority", "name"])
async def test_another_gateway_is_not(serving, tagging, server_pair, client_pair, doubt) -> None:
    certificate, key = server_pair
    tls = Tls(roots=client_pair[0], server_name="gateway.test") if doubt == "authority" else Tls(roots=certificate)
    async with (
        serving(tagging, grpc.ssl_server_credentials([(key, certificate)])) as target,
        AsyncGatewayClient(target, tls=tls) as client,
    ):
        with pytest.raises(GatewayError) as caught:
            await client.tag(b"x", timeout=10)
    assert (caught.value.reason, tagging.unary) == (Reason.UNAVAILABLE, [])


@pytest.mark.parametrize("proves", [True, False])
async def test_a_caller_may_have_to_prove_itself(serving, tagging, server_pair, client_pair, tmp_path, proves) -> None:
    certificate, key = server_pair
    for name, content in (("roots", certificate), ("certificate", client_pair[0]), ("key", client_pair[1])):
        (tmp_path / name).write_bytes(content)
    own = {"certificate": tmp_path / "certificate", "key": tmp_path / "key"} if proves else {}
    tls = Tls.from_files(roots=tmp_path / "roots", server_name="gateway.test", **own)
    demanding = grpc.ssl_server_credentials([(key, certificate)], client_pair[0], require_client_auth=True)
    async with serving(tagging, demanding) as target, AsyncGatewayClient(target, tls=tls) as client:
        if proves:
            await client.tag(b"x")
            return
        with pytest.raises(GatewayError) as caught:
            await client.tag(b"x", timeout=10)
    assert caught.value.reason is Reason.UNAVAILABLE


def test_a_key_is_not_shown(client_pair) -> None:
    certificate, key = client_pair
    assert repr(key) not in repr(Tls(certificate=certificate, key=key))


def test_half_a_proof_is_refused(client_pair) -> None:
    with pytest.raises(ValueError, match="needs its key"):
        Tls(certificate=client_pair[0])
