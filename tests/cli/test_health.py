import pytest

from gateway.cli.health import own_target


@pytest.mark.parametrize(
    ("listen", "target"),
    [
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("0.0.0.0:50051", "127.0.0.1:50051"),
        ("[::]:50051", "[::1]:50051"),
        ("10.0.0.7:5", "10.0.0.7:5"),
    ],
)
def test_a_gateway_is_asked_where_it_listens(listen, target) -> None:
    assert own_target(listen) == target
