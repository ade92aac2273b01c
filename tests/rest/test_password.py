import base64
import hashlib

import pytest

from gateway.rest.password import Password

SALT = b"0123456789abcdef"


def hashed(text: str, n: int = 16, r: int = 8, p: int = 1) -> str:
    digest = hashlib.scrypt(text.encode(), salt=SALT, n=n, r=r, p=p, maxmem=1 << 28)
    return f"scrypt${n}${r}${p}${base64.b64encode(SALT).decode()}${base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("make", [Password.plain, lambda text: Password.hashed(hashed(text))])
def test_only_the_password_matches(make) -> None:
    password = make("pässword")
    assert password.matches("pässword")
    for other in ("", "passwort", "pässword ", "PÄSSWORD", "pässwor", "\ud800"):
        assert not password.matches(other)


@pytest.mark.parametrize(("n", "r", "p"), [(2, 1, 1), (1024, 8, 16), (32_768, 16, 1), (65_536, 8, 1)])
def test_whatever_work_is_allowed_can_be_done(n, r, p) -> None:
    assert Password.hashed(hashed("x", n, r, p)).matches("x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "scrypt$16$8$1$",
        "bcrypt" + hashed("x")[6:],
        hashed("x") + "$",
        hashed("x").replace("$16$", "$17$"),
        hashed("x").replace("$16$", "$1$"),
        hashed("x").replace("$16$", "$0$"),
        hashed("x").replace("$16$8$", "$16$0$"),
        hashed("x").replace("$8$1$", "$8$0$"),
        hashed("x").replace("$16$", "$1048576$"),  # 1 GiB
        hashed("x").replace("$16$8$1$", "$65536$8$99$"),  # half a minute
        hashed("x").replace("MDEy", "MDE"),
        "scrypt$16$8$1$c2FsdA==$" + hashed("x").rpartition("$")[2],
        hashed("x").rpartition("$")[0] + "$c2hvcnQ=",
    ],
)
def test_what_is_no_hash_is_refused_and_not_shown(text) -> None:
    with pytest.raises(ValueError, match=r"^must (be|have)") as caught:
        Password.hashed(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("password", [Password.plain("x"), Password.hashed(hashed("x"))])
def test_nothing_shows_it_and_nothing_matches_its_decoy(password) -> None:
    assert "digest" not in repr(password)
    decoy = password.decoy()
    assert (decoy.n, decoy.r, decoy.p) == (password.n, password.r, password.p)
    assert not decoy.matches("x")
    assert not decoy.matches("")
