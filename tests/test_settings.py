import pytest
from pydantic import SecretStr, ValidationError

from gateway.settings import Address, BaseUrl, Settings, join_address, split_address


class Room(Settings):
    listen: Address = "127.0.0.1:1"
    endpoint: BaseUrl = "http://localhost"
    password: SecretStr | None = None


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("127.0.0.1:50051", "127.0.0.1", 50051),
        ("0.0.0.0:0", "0.0.0.0", 0),  # noqa: S104  # nothing is bound
        ("localhost:65535", "localhost", 65535),
        ("[::1]:8600", "::1", 8600),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
    ],
)
def test_an_address_is_split_and_joined(address, host, port) -> None:
    assert split_address(address) == (host, port)
    assert join_address(host, port) == address
    assert Room(listen=address).listen == address


@pytest.mark.parametrize(
    "address",
    ["", "50051", ":50051", "localhost", "localhost:", "a:65536", "a:-1", "::1:80", "[]:1", "http://a:1", "a b:1", "a:1 "],
)
def test_any_other_address_is_refused_with_what_is_allowed(address) -> None:
    with pytest.raises(ValueError, match="must be HOST:PORT"):
        split_address(address)
    with pytest.raises(ValidationError):
        Room(listen=address)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://localhost:8600", "http://localhost:8600"),
        ("https://cloud.example/", "https://cloud.example"),
        ("https://[::1]:1/a/b//", "https://[::1]:1/a/b"),
    ],
)
def test_a_base_url_ends_where_paths_are_appended(url, kept) -> None:
    assert Room(endpoint=url).endpoint == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "ftp://a",
        "https://",
        "https://u@a",
        "https://a?b",
        "https://a#b",
        "https://a b",
        "http://a:b",
        "http://[::1",
        "http://:80",
        "http://a:99999",
    ],
)
def test_any_other_base_url_is_refused(url) -> None:
    with pytest.raises(ValidationError, match="must be an http:// or https:// URL"):
        Room(endpoint=url)


def test_settings_are_immutable_strict_about_names_and_silent_about_values() -> None:
    room = Room(password="hunter2")
    with pytest.raises(ValidationError, match="frozen"):
        room.listen = "127.0.0.1:2"
    with pytest.raises(ValidationError) as caught:
        Room(passwort="hunter2")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(room)
