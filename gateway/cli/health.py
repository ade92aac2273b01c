"""`image-gateway health`: ask a gateway how it is, for container health checks and people."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.client.channel import open_channel
from gateway.settings import join_address, split_address

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # listening on all addresses, this machine's is one of them


def own_target(listen: str) -> str:
    """Where a gateway of this machine that listens on `listen` can be reached."""
    host, port = split_address(listen)
    return join_address(_WILDCARDS.get(host, host), port)


async def run_health(target: str, *, timeout: float) -> int:
    """Print the server's status and return 0 if it is SERVING."""
    async with open_channel(target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            reply = await stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            print(f"{error.code().name}: {error.details()}")
            return 1
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))
    return 0 if reply.status == health_pb2.HealthCheckResponse.SERVING else 1
