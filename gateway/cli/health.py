"""`image-gateway health`: ask a gateway how it is, for container health checks and people."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


async def run_health(target: str, *, timeout: float) -> int:
    """Print the server's status and return 0 if it is SERVING."""
    async with grpc.aio.insecure_channel(target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            reply = await stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            print(error.code().name)
            return 1
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))
    return 0 if reply.status == health_pb2.HealthCheckResponse.SERVING else 1
