"""Tell systemd that the service is up (Type=notify), as sd_notify(3) describes it."""

import contextlib
import os
import socket


def notify_ready(status: str) -> None:
    """Say that calls are accepted; `status` is what `systemctl status` then shows. Without a service manager, nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    # Whoever does not listen any more is no reason to stop.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(f"READY=1\nSTATUS={status}".encode(), name)
