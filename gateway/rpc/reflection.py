"""Server reflection under both of its names: `v1alpha`, which grpcio's package serves, and `v1`, which newer tools ask for."""

from typing import Any, Final

import grpc
from grpc import aio
from grpc_reflection.v1alpha import reflection, reflection_pb2

V1_SERVICE: Final = "grpc.reflection.v1.ServerReflection"


def add_reflection(server: aio.Server, services: tuple[str, ...]) -> None:
    """Describe `services`, and reflection itself, to clients that ask."""
    names = (*services, reflection.SERVICE_NAME, V1_SERVICE)
    reflection.enable_server_reflection(names, server)
    # v1 has the same messages as v1alpha, field by field; only the package's name differs.
    servicer: Any = reflection.aio.ReflectionServicer(names)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(V1_SERVICE, {"ServerReflectionInfo": handler})])
