import base64
import json

import pytest

from gateway.rest.seal import Seal, open_seal
from gateway.rest.settings import RestConfigError, RestSettings

KEY = b"k" * 32
CLAIMS = {"user": "ü", "project": None, "exp": 7}


def test_what_was_sealed_opens_as_its_kind_only() -> None:
    seal = Seal(KEY)
    text = seal.seal("token", CLAIMS)
    assert seal.open("token", text) == CLAIMS
    assert seal.open("other", text) is None
    assert Seal(b"l" * 32).open("token", text) is None


@pytest.mark.parametrize("least", [0, 100, 1000, 1001, 1002, 1003, 4096, 16_384])
def test_it_is_as_long_as_asked_for(least) -> None:
    text = Seal(KEY).seal("token", CLAIMS, least)
    assert least <= len(text) < max(least, 220) + 10
    assert text.isascii()
    assert Seal(KEY).open("token", text) == CLAIMS


def test_nothing_else_opens() -> None:
    seal = Seal(KEY)
    text = seal.seal("token", CLAIMS, 300)
    payload, _, mac = text.partition(".")
    longer = base64.urlsafe_b64encode(json.dumps(CLAIMS | {"exp": 10**12, "fill": ""}).encode()).decode()
    forged = ["", ".", "x", payload, f"{payload}.", f".{mac}", f"{longer}.{mac}", text[:-1], text + "0", "\udcff.\udcff", "é.é"]
    forged += [text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :] for at in range(len(text))]
    for other in forged:
        assert seal.open("token", other) is None


def test_a_secret_belongs_to_its_kind_name_and_key() -> None:
    secrets = {Seal(key).secret(kind, name) for key in (KEY, b"l" * 32) for kind in ("a", "b") for name in ("n", "m")}
    assert len(secrets) == 8
    assert all(len(secret) == 40 and secret.isalnum() for secret in secrets)
    assert Seal(KEY).secret("a", "n") == Seal(KEY).secret("a", "n")


def test_a_key_from_a_file_is_shared_and_another_is_random(tmp_path) -> None:
    file = tmp_path / "key"
    file.write_bytes(KEY + b"\n")
    shared = [open_seal(RestSettings(token_key_file=file)) for _ in range(2)]
    assert shared[1].open("token", shared[0].seal("token", CLAIMS)) == CLAIMS
    alone = [open_seal(RestSettings()) for _ in range(2)]
    assert alone[1].open("token", alone[0].seal("token", CLAIMS)) is None


def test_a_key_that_cannot_be_used_is_named_and_not_shown(tmp_path) -> None:
    file = tmp_path / "key"
    with pytest.raises(RestConfigError, match="cannot be read: No such file"):
        open_seal(RestSettings(token_key_file=file))
    file.write_bytes(b"hunter2" + b"\n" * 40)
    with pytest.raises(RestConfigError, match="holds 7 bytes; at least 32 are needed") as caught:
        open_seal(RestSettings(token_key_file=file))
    assert "hunter2" not in str(caught.value)
