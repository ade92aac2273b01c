import ipaddress

import pytest
from pydantic import ValidationError

from gateway.upstream.allow_list import AllowList
from gateway.upstream.settings import DownloadSettings


def admits(entries: str, address: str, port: int = 80, host: str = "") -> bool:
    return AllowList(entries).admits(host or address, ipaddress.ip_address(address), port)


@pytest.mark.parametrize(
    ("entries", "address", "port", "admitted"),
    [
        ("", "127.0.0.1", 80, False),
        (" , ", "127.0.0.1", 80, False),
        ("10.0.0.0/8", "10.255.255.255", 80, True),
        ("10.0.0.0/8", "11.0.0.0", 80, False),
        ("10.0.0.0/8:9000", "10.0.0.1", 9000, True),
        ("10.0.0.0/8:9000", "10.0.0.1", 80, False),
        ("fd00::/8", "fd12::1", 80, True),
        ("[fd00::/8]", "fd12::1", 80, True),
        ("[fd00::/8]:443", "fd12::1", 443, True),
        ("[fd00::/8]:443", "fd12::1", 80, False),
        ("::1", "::1", 80, True),
        ("::1", "0.0.0.1", 80, False),
        ("0.0.0.0/0", "::1", 80, False),
        ("::ffff:10.0.0.0/104", "10.1.2.3", 80, True),
        ("[::ffff:10.0.0.5]:81", "10.0.0.5", 81, True),
        ("[::ffff:10.0.0.5]:81", "10.0.0.6", 81, False),
        ("::/0", "10.0.0.5", 80, False),
        ("::/0", "fd00::1", 80, True),
    ],
)
def test_networks_and_ports(entries, address, port, admitted) -> None:
    assert admits(entries, address, port) is admitted


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.256",
        "10.0.0",
        "127.1",
        "a b",
        "a:b",
        "a:0",
        "a:65536",
        "[::1",
        "http://a",
        "*",
        ".a",
        "-a",
        "a:1:",
    ],
)
def test_an_entry_that_is_none_is_an_error_that_names_it(entry) -> None:
    with pytest.raises(ValidationError, match="must be an address, a network"):
        DownloadSettings(allow=f"127.0.0.1,{entry}")


def test_a_list_in_a_settings_file_is_the_same_as_a_text() -> None:
    assert DownloadSettings(allow=["10.0.0.0/8", "store.internal:9000"]).allow == "10.0.0.0/8,store.internal:9000"
