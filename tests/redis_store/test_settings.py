import pytest
from pydantic import ValidationError

from gateway.redis_store import RedisSettings

SECRET = "s3cret-of-redis"


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "rediss://cache.example.org:6380/15",
        f"redis://:{SECRET}@[::1]:6379/0",
        f"redis://user:{SECRET}@localhost/",
    ],
)
def test_urls_that_are_taken(url) -> None:
    RedisSettings(url=url).check_complete()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://localhost",
        f"unix://:{SECRET}@/run/redis.sock",
        f"redis://:{SECRET}@",
        f"redis://:{SECRET}@localhost:port",
        f"redis://:{SECRET}@localhost:70000",
        f"redis://:{SECRET}@localhost:0",
        f"redis://:{SECRET}@localhost/db",
        f"redis://:{SECRET}@localhost/0?decode_responses=true",
        f"redis://:{SECRET}@localhost/0#fragment",
        f"redis://:{SECRET}@[::1/0",
        f"redis://:{SECRET} @localhost",
    ],
)
def test_urls_that_are_refused_are_not_shown(url) -> None:
    with pytest.raises(ValidationError, match="redis://HOST:PORT/DB") as info:
        RedisSettings(url=url)
    assert SECRET not in str(info.value) + repr(info.value.errors(include_input=False))


def test_neither_url_nor_password_is_shown(tmp_path) -> None:
    settings = RedisSettings(url=f"redis://user:{SECRET}@localhost")
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("url", "content", "credentials"),
    [
        ("redis://localhost", None, ("", "")),
        ("redis://us%40er:p%2Fw@localhost", None, ("us@er", "p/w")),
        ("redis://user@localhost", "from file\n", ("user", "from file")),
        ("redis://localhost", "from file\r\n", ("", "from file")),
    ],
)
def test_who_it_signs_in_as(tmp_path, url, content, credentials) -> None:
    file = None
    if content is not None:
        file = tmp_path / "password"
        file.write_text(content)
    settings = RedisSettings(url=url, password_file=file)
    settings.check_complete()
    assert settings.credentials() == credentials


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": None}, "url or url_file: needed"),
        ({"url": None, "url_file": "missing"}, "url_file: .* cannot be read"),
        ({"url": None, "url_file": "password"}, "url_file: must be redis://"),
        ({"url": "redis://:pw@localhost", "password": "x"}, "password: the URL holds a password, too"),
        ({"url": "redis://:pw@localhost", "password_file": "password"}, "give one of them"),
        ({"password_file": "missing"}, "cannot be read"),
        ({"password_file": "empty"}, "is empty"),
        ({"password_file": "latin"}, "cannot be read"),
        ({"ca_file": "password"}, "rediss://"),
        ({"url": "rediss://localhost", "ca_file": "missing"}, "ca_file: .* cannot be read"),
    ],
)
def test_what_does_not_go_together_is_named(tmp_path, changes, said) -> None:
    (tmp_path / "password").write_text(SECRET)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    files = {name: tmp_path / value for name, value in changes.items() if name.endswith("file")}
    settings = RedisSettings(**{"url": "redis://localhost"} | changes | files)
    with pytest.raises(ValueError, match=said) as info:
        settings.check_complete()
    assert SECRET not in str(info.value)
