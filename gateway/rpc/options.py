"""What gRPC itself is told: sizes, pings, the age of connections."""

from gateway.rpc.settings import RpcSettings


def server_options(settings: RpcSettings, *, share_port: bool) -> list[tuple[str, int]]:
    """Arguments of gRPC's core for a server. `share_port`: whether other processes may listen on its port, too."""
    options = [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_concurrent_streams", settings.connection_calls),
        # Two servers on one port would share its calls at random; unless they are meant to, the second one is to fail instead.
        ("grpc.so_reuseport", int(share_port)),
        # Peers that connect and say nothing, or not all of it.
        ("grpc.server_handshake_timeout_ms", _milliseconds(settings.handshake_timeout)),
        # Peers that are gone without a word, whose calls would be worked on to their ends.
        ("grpc.keepalive_time_ms", _milliseconds(settings.keepalive_time)),
        ("grpc.keepalive_timeout_ms", _milliseconds(settings.keepalive_timeout)),
        ("grpc.http2.ping_timeout_ms", _milliseconds(settings.keepalive_timeout)),  # if not given, a minute, which counts
        ("grpc.http2.max_pings_without_data", 0),  # 0: as many as there are
        # Clients ping, too, so that what stands between does not forget their connections. By default a server bears one ping
        # in 5 minutes, and 2 hours between calls, then ends the connection with "too_many_pings" (gRFC A8).
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", _milliseconds(settings.least_ping_interval)),
    ]
    if settings.channelz:
        options.append(("grpc.enable_channelz", 1))
    if settings.connection_idle:
        options.append(("grpc.max_connection_idle_ms", _milliseconds(settings.connection_idle)))
    if settings.connection_age:
        # gRPC draws each connection's age at random, 10 % to either side, so that not all come back at once (gRFC A9).
        options += [
            ("grpc.max_connection_age_ms", _milliseconds(settings.connection_age)),
            ("grpc.max_connection_age_grace_ms", _milliseconds(settings.connection_grace)),
        ]
    return options


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
