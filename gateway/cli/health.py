"""`image-gateway health`: ask a gateway how it is, for container health checks and people."""

from dataclasses import replace
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.cli.connection import tls_of
from gateway.client.channel import open_channel
from gateway.client.tls import Tls
from gateway.config import GatewaySettings
from gateway.settings import join_address, split_address

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # listening on all addresses, this machine's is one of them


def own_target(listen: str) -> str:
    """Where a gateway of this machine that listens on `listen` can be reached."""
    host, port = split_address(listen)
    return join_address(_WILDCARDS.get(host, host), port)


def own_tls(settings: GatewaySettings) -> Tls | None:
    """How a gateway with these settings can be reached: it must show its own certificate, whoever has issued that.

    Raises `OSError` for a file that cannot be read, `ValueError` for a certificate that is none.
    """
    tls, certificate = tls_of(settings.client), settings.rpc.tls_certificate
    if certificate is None:
        return tls
    tls = tls or Tls()
    content = certificate.read_bytes()
    return replace(tls, roots=tls.roots or content, server_name=tls.server_name or _name_in(content, certificate))


async def run_health(target: str, tls: Tls | None, *, timeout: float) -> int:
    """Print the server's status and return 0 if it is SERVING."""
    async with open_channel(target, tls=tls) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            reply = await stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            print(f"{error.code().name}: {error.details()}")
            return 1
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))
    return 0 if reply.status == health_pb2.HealthCheckResponse.SERVING else 1


def _name_in(content: bytes, file: Path) -> str | None:
    """A host that the certificate is for; None if it names none."""
    # Only with TLS: checks without it come every few seconds, and importing takes time.
    from cryptography import x509  # noqa: PLC0415

    try:
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError:
        msg = f"{file} holds no certificate in PEM"
        raise ValueError(msg) from None
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    hosts = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    return hosts[0].replace("*", "gateway") if hosts else None
