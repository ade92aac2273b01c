import pytest

from gateway.upstream.outgoing import Outgoing


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://image.example.com/v2/p/image/tagging", "image.example.com", "/v2/p/image/tagging"),
        ("https://Image.Example.com:443", "Image.Example.com", "/"),
        ("http://127.0.0.1:8080/a%20b/%E6%A0%91", "127.0.0.1:8080", "/a%20b/%E6%A0%91"),
        ("http://[::1]:80/x", "[::1]", "/x"),
    ],
)
def test_host_and_path_are_those_that_are_sent(url, host, path) -> None:
    outgoing = Outgoing("POST", url)
    assert (outgoing.host, outgoing.path) == (host, path)


def test_the_query_is_encoded_once_in_its_order() -> None:
    outgoing = Outgoing("GET", "https://iam.example.com/v3/projects", (("name", "a b&c=/树~"), ("empty", ""), ("a", "%20")))
    assert outgoing.target.raw_query_string == "name=a%20b%26c%3D%2F%E6%A0%91~&empty=&a=%2520"
    assert outgoing.path == "/v3/projects"


def test_it_shows_nothing_but_its_method() -> None:
    outgoing = Outgoing("POST", "https://h/hunter1", (("hunter2", ""),), {"X": "hunter3"}, b"hunter4")
    assert repr(outgoing) == "Outgoing(method='POST')"
