import asyncio
import base64
import copy
import hashlib
import threading
from datetime import UTC, datetime

import pytest

from gateway.rest.iam import Iam
from gateway.rest.keystone import SignInError, token_document
from gateway.rest.password import Password
from gateway.rest.session import TokenError
from gateway.rest.settings import RestConfigError, RestSettings

REQUEST = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "ada", "password": "hunter2", "domain": {"name": "acme"}}},
        },
        "scope": {"project": {"name": "north"}},
    }
}
USER = "auth/identity/password/user"

HASH = (
    "scrypt$16$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$"
    + base64.b64encode(hashlib.scrypt(b"hunter3", salt=b"0123456789abcdef", n=16, r=8, p=1)).decode()
)

MORE = f"""
[[domains]]
name = "acme"
id = "d1"
[[domains.projects]]
name = "south"
id = "p8"
[[domains.projects]]
name = "closed"
id = "p9"
enabled = false
[[domains.users]]
name = "bob"
id = "u2"
password_hash = "{HASH}"
projects = ["south", "closed"]
[[domains.users]]
name = "eve"
id = "u3"
password = "hunter4"
enabled = false
"""


def request(path: str = "", value: object = None) -> dict[str, object]:
    """The request with the member at `path` replaced, or left out where `value` is None."""
    document = copy.deepcopy(REQUEST)
    *parents, last = path.split("/")
    holder = document
    for name in parents:
        holder = holder[name]
    if value is not None:
        holder[last] = value
    else:
        holder.pop(last, None)
    return document


def as_user(user_id: str, given: str) -> dict[str, object]:
    return {"methods": ["password"], "password": {"user": {"id": user_id, "password": given}}}


def as_bob(scope: object) -> dict[str, object]:
    return {"auth": {"identity": as_user("u2", "hunter3"), "scope": scope}}


def by_token(token: object, scope: object = None) -> dict[str, object]:
    return {"auth": {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": scope}}


@pytest.fixture
def more(settings, tmp_path) -> RestSettings:
    """The settings' user, and those of a file."""
    file = tmp_path / "accounts.toml"
    file.write_text(MORE, encoding="utf-8")
    return settings.model_copy(update={"accounts_file": file})


@pytest.fixture
def iam(more, clock) -> Iam:
    return Iam(more, clock)


async def signed_in(iam: Iam, document: object = REQUEST) -> tuple[str | None, str]:
    """The project and the user of the token that is issued."""
    token, issued = await iam.sign_in(document)
    session = iam.session(token)
    assert session == issued
    return session.project and session.project.id, session.user.name


async def refused(iam: Iam, document: object) -> int:
    with pytest.raises(SignInError) as caught:
        await iam.sign_in(document)
    assert "hunter" not in str(caught.value)
    return caught.value.status


async def test_a_token_for_a_project(iam, clock) -> None:
    token, session = await iam.sign_in(REQUEST)
    assert (iam.session(token).project.id, iam.session(token).expires_at) == ("p7", clock.now + 86_400)
    said = token_document(session)["token"]
    assert (said["issued_at"], said["expires_at"]) == ("2027-01-15T08:00:00.000000Z", "2027-01-16T08:00:00.000000Z")
    assert said["methods"] == ["password"]
    assert said["project"] == {"id": "p7", "name": "north", "domain": {"id": "d1", "name": "acme"}}
    assert (said["user"]["name"], said["user"]["domain"]) == ("ada", {"id": "d1", "name": "acme"})
    assert "domain" not in said


async def test_tokens_are_long_and_no_two_the_same(iam) -> None:
    tokens = {(await iam.sign_in(REQUEST))[0] for _ in range(2)}
    assert len(tokens) == 2
    assert all(4096 <= len(token) < 4110 for token in tokens)


@pytest.mark.parametrize(
    ("user", "scope", "expected"),
    [
        ({"name": "ada", "password": "hunter2", "domain": {"name": "acme"}}, {"id": "p7"}, ("p7", "ada")),
        ({"name": "ada", "password": "hunter2", "domain": {"id": "d1"}}, {"name": "north"}, ("p7", "ada")),
        ({"name": "bob", "password": "hunter3", "domain": {"name": "acme"}}, {"name": "south"}, ("p8", "bob")),
        ({"id": "u2", "password": "hunter3"}, {"name": "south", "domain": {"name": "acme"}}, ("p8", "bob")),
        ({"id": "u2", "password": "hunter3"}, {"name": "south", "domain": {"id": "d1"}}, ("p8", "bob")),
        ({"id": "u2", "password": "hunter3"}, {"id": "p8", "name": "whatever"}, ("p8", "bob")),
    ],
)
async def test_users_and_projects_go_by_name_or_id(iam, user, scope, expected) -> None:
    document = request(USER, user)
    document["auth"]["scope"] = {"project": scope}
    assert await signed_in(iam, document) == expected


@pytest.mark.parametrize("scope", [None, {}, {"domain": {"name": "acme"}}, {"domain": {"id": "d1"}}])
async def test_without_a_project_the_token_is_the_domain_s(iam, scope) -> None:
    document = request("auth/scope", scope)
    assert await signed_in(iam, document) == (None, "ada")
    said = token_document((await iam.sign_in(document))[1])["token"]
    assert said["domain"] == {"id": "d1", "name": "acme"}
    assert "project" not in said


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{USER}/password", "hunter3"),
        (f"{USER}/password", ""),
        (f"{USER}/password", None),
        (f"{USER}/password", ["hunter2"]),
        (f"{USER}/password", "\ud800"),
        (f"{USER}/name", "eva"),
        (f"{USER}/name", None),
        (f"{USER}/name", ["ada"]),
        (f"{USER}/id", "u9"),
        (f"{USER}/domain", {"name": "other"}),
        (f"{USER}/domain", {"name": ["acme"]}),
        (f"{USER}/domain", {"id": "acme"}),
        (f"{USER}/domain", {}),
        (USER, {"id": "u2", "password": "hunter2"}),
        (USER, {"name": "bob", "password": HASH, "domain": {"name": "acme"}}),
        (USER, {"name": "eve", "password": "hunter4", "domain": {"name": "acme"}}),
        (USER, {"id": "u3", "password": "hunter4"}),
        ("auth/scope/project", {"name": "south"}),
        ("auth/scope/project", {"id": "p8"}),
        ("auth/scope/project", {"id": "p8", "name": "north"}),
        ("auth/scope/project", {"id": None}),
        ("auth/scope/project", {"name": ["north"]}),
        ("auth/scope/project", {"name": "north", "domain": {"name": "other"}}),
        ("auth/scope/project", {"name": "north", "domain": {}}),
        ("auth/scope/project", {}),
        ("auth/scope", {"domain": {"name": "other"}}),
        ("auth/scope", {"domain": {"id": "acme"}}),
        ("auth/scope", {"domain": {}}),
    ],
)
async def test_wrong_credentials_are_refused(iam, path, value) -> None:
    assert await refused(iam, request(path, value)) == 401


async def test_a_disabled_project_is_out_of_reach(iam) -> None:
    for project in ({"name": "closed"}, {"id": "p9"}):
        assert await refused(iam, as_bob({"project": project})) == 401


async def test_without_a_password_configured_nobody_signs_in(clock) -> None:
    iam = Iam(RestSettings(user="ada", domain="acme", project="north", access_key="AK", secret_key="SK"), clock)
    for password in (None, "", "None", "hunter2"):
        assert await refused(iam, request(f"{USER}/password", password)) == 401


async def test_no_password_is_not_the_empty_one(more, clock) -> None:
    digest = hashlib.scrypt(b"", salt=b"0123456789abcdef", n=16, r=8, p=1)
    empty = HASH.rpartition("$")[0] + "$" + base64.b64encode(digest).decode()
    more.accounts_file.write_text(MORE.replace(HASH, empty), encoding="utf-8")
    iam = Iam(more, clock)
    assert await refused(iam, request(USER, {"id": "u2"})) == 401
    assert await refused(iam, request(USER, {"id": "u2", "password": None})) == 401
    assert await signed_in(iam, {"auth": {"identity": as_user("u2", "")}}) == (None, "bob")


@pytest.mark.parametrize("user", ["ada", "bob", "eve", "nobody"])
async def test_a_refusal_takes_the_same_work_whoever_is_named(iam, monkeypatch, user) -> None:
    worked = []

    def matches(password: Password, given: str) -> bool:
        worked.append((password.n, password.r, password.p))
        return False

    monkeypatch.setattr(Password, "matches", matches)
    assert await refused(iam, request(USER, {"name": user, "password": "x", "domain": {"name": "acme"}})) == 401
    assert worked == [(0, 0, 0), (16, 8, 1)]


async def test_hashing_does_not_hold_up_the_event_loop(iam, monkeypatch) -> None:
    threads = set()
    real = Password.matches

    def matches(password: Password, given: str) -> bool:
        if password.is_hashed:
            threads.add(threading.current_thread())
        return real(password, given)

    monkeypatch.setattr(Password, "matches", matches)
    await iam.sign_in(REQUEST)
    assert threads
    assert threading.main_thread() not in threads


async def test_two_hashes_are_computed_at_a_time_whoever_hangs_up(iam, monkeypatch) -> None:
    computing: list[str] = []
    begun, goes_on = threading.Semaphore(0), threading.Event()

    def matches(password: Password, given: str) -> bool:
        if password.is_hashed:
            computing.append(given)
            begun.release()
            goes_on.wait(10)
        return False

    monkeypatch.setattr(Password, "matches", matches)

    def sign_in(given: str) -> asyncio.Task[object]:
        return asyncio.create_task(iam.sign_in({"auth": {"identity": as_user("u2", given)}}))

    try:
        left = [sign_in("first"), sign_in("second")]
        for _ in left:
            assert await asyncio.to_thread(begun.acquire, timeout=10)
        for caller in left:
            caller.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        waiting = sign_in("third")
        assert not await asyncio.to_thread(begun.acquire, timeout=0.1)
        assert sorted(computing) == ["first", "second"]
    finally:
        goes_on.set()
    with pytest.raises(SignInError):
        await waiting
    assert sorted(computing) == ["first", "second", "third"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {},
        request("auth/identity", 7),
        request("auth/identity/methods", ["totp"]),
        request("auth/identity/methods", []),
        request("auth/identity/methods", "password"),
        request("auth/identity/methods", ["password", "totp"]),
        request("auth/identity/methods", ["token"]),
        request("auth/identity/password"),
        request(USER, "ada"),
        request(f"{USER}/domain", "acme"),
        request(f"{USER}/domain"),
        request("auth/scope/project", "north"),
        request("auth/scope", {"system": {"all": True}}),
        by_token(7),
        by_token(""),
        by_token(None),
    ],
)
async def test_a_malformed_request_is_told_apart(iam, document) -> None:
    assert await refused(iam, document) == 400


async def test_a_token_expires(iam, clock) -> None:
    token, _ = await iam.sign_in(REQUEST)
    clock.now += 86_399
    assert iam.session(token).user.name == "ada"
    clock.now += 1
    with pytest.raises(TokenError, match="has expired") as caught:
        iam.session(token)
    assert not caught.value.abnormal


async def test_a_token_gets_another_one_that_ends_no_later(iam, clock) -> None:
    token, _ = await iam.sign_in(request("auth/scope"))
    clock.now += 1000
    other, session = await iam.sign_in(by_token(token, {"project": {"id": "p7"}}))
    assert (session.project.id, session.method, session.issued_at) == ("p7", "token", clock.now)
    assert session.expires_at == clock.now - 1000 + 86_400
    assert token_document(iam.session(other))["token"]["methods"] == ["token"]
    assert await signed_in(iam, by_token(other)) == (None, "ada")
    assert await refused(iam, by_token(token, {"project": {"id": "p8"}})) == 401
    clock.now += 86_400
    assert await refused(iam, by_token(other)) == 401


@pytest.mark.parametrize("forged", ["x", ".", "a.b", "\udcff.\udcff", "é.é"])
async def test_a_forged_token_is_none(iam, more, clock, forged) -> None:
    assert await refused(iam, by_token(forged)) == 401
    other, _ = await Iam(more, clock).sign_in(REQUEST)
    for token in (forged, other):
        with pytest.raises(TokenError):
            iam.session(token)


async def test_with_a_key_file_tokens_and_temporary_keys_survive_a_restart(more, clock, tmp_path) -> None:
    key_file = tmp_path / "key"
    key_file.write_bytes(b"k" * 32)
    settings = more.model_copy(update={"token_key_file": key_file})
    before = Iam(settings, clock)
    token, session = await before.sign_in(as_bob({"project": {"id": "p8"}}))
    temporary = before.issue_temporary_key(by_token(token), None)
    assert Iam(settings, clock).session(token).project.id == session.project.id == "p8"
    assert Iam(settings, clock).access_key(temporary.access_key, temporary.security_token) == temporary

    for old, new in (('id = "u2"', 'id = "u2"\nenabled = false'), ('"south", "closed"', '"closed"'), ('id = "u2"', 'id = "u4"')):
        assert old in MORE
        settings.accounts_file.write_text(MORE.replace(old, new), encoding="utf-8")
        after = Iam(settings, clock)
        with pytest.raises(TokenError) as caught:
            after.session(token)
        assert caught.value.abnormal
        key = after.access_key(temporary.access_key, temporary.security_token)
        assert key is None or not key.usable(temporary.security_token, clock.now)


async def test_a_temporary_key(iam, clock) -> None:
    token, _ = await iam.sign_in(REQUEST)
    document = by_token(token)
    document["auth"]["identity"]["token"]["duration_seconds"] = 3600
    key = iam.issue_temporary_key(document, None)
    assert (key.user.name, [project.id for project in key.projects], key.expires_at) == ("ada", ["p7"], clock.now + 3600)
    assert iam.access_key(key.access_key, key.security_token) == key
    assert key.usable(key.security_token, clock.now + 3599)
    assert not key.usable(key.security_token, clock.now + 3600)
    for security_token in (None, "", "x", key.security_token + "0"):
        assert iam.access_key(key.access_key, security_token) is None
        assert not key.usable(security_token, clock.now)
    assert iam.access_key("HSTOTHER", key.security_token) is None
    assert iam.access_key(key.access_key, token) is None  # a token is no security token
    with pytest.raises(TokenError):
        iam.session(key.security_token)  # nor the other way round
    assert key.secret_key not in repr(key)
    assert key.security_token not in repr(key)
    assert iam.issue_temporary_key(document, None).secret_key != key.secret_key


async def test_a_temporary_key_of_the_domain_is_good_for_all_projects(iam, clock) -> None:
    token, _ = await iam.sign_in(as_bob(None))
    key = iam.issue_temporary_key({"auth": {"identity": {"methods": ["token"]}}}, token)
    assert [project.id for project in key.projects] == ["p8", "p9"]
    assert key.expires_at == clock.now + 900


@pytest.mark.parametrize("seconds", [899, 86_401, 900.0, True, "900", None])
async def test_a_temporary_key_lasts_from_a_quarter_of_an_hour_to_a_day(iam, seconds) -> None:
    token, _ = await iam.sign_in(REQUEST)
    document = by_token(token)
    document["auth"]["identity"]["token"]["duration_seconds"] = seconds
    with pytest.raises(SignInError, match="from 900 to 86400") as caught:
        iam.issue_temporary_key(document, None)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("document", "sent", "status"),
    [
        ({}, None, 400),
        ({"auth": {"identity": {}}}, "x", 400),
        ({"auth": {"identity": {"methods": ["password"]}}}, "x", 400),
        ({"auth": {"identity": {"methods": ["token"]}}}, None, 400),
        ({"auth": {"identity": {"methods": ["token"]}}}, "x", 401),
        (by_token("x"), None, 401),
    ],
)
async def test_a_temporary_key_needs_a_token(iam, document, sent, status) -> None:
    with pytest.raises(SignInError) as caught:
        iam.issue_temporary_key(document, sent)
    assert caught.value.status == status


def test_a_configured_key(more, clock) -> None:
    now = datetime.fromtimestamp(clock.now, UTC)
    text = MORE.replace(
        'id = "u2"',
        'id = "u2"\naccess_keys = [{access_key = "AKT", secret_key = "s", security_token = "t", '
        f"expires_at = {now.isoformat()}}}, {{access_key = 'AKB', secret_key = 's'}}]",
    )
    more.accounts_file.write_text(text, encoding="utf-8")
    iam = Iam(more, clock)
    temporary, lasting = iam.access_key("AKT", "t"), iam.access_key("AKB", None)
    assert temporary.usable("t", clock.now - 1)
    assert not temporary.usable("t", clock.now)
    for wrong in (None, "", "u", "é", "\udcff"):
        assert not temporary.usable(wrong, clock.now - 1)
    assert lasting.usable(None, clock.now)
    assert not lasting.usable("t", clock.now)
    assert iam.access_key("AKX", None) is None


def test_files_that_cannot_be_used_are_told_at_the_start(more, clock, tmp_path) -> None:
    for name in ("accounts_file", "token_key_file"):
        with pytest.raises(RestConfigError, match=f"{name} .* cannot be read"):
            Iam(more.model_copy(update={name: tmp_path / "none"}), clock)
