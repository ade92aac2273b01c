import base64
import hashlib

import pytest
from pydantic import ValidationError

from gateway.rest.accounts_file import load_accounts
from gateway.rest.quota import Quota
from gateway.rest.settings import RestConfigError, RestSettings

HASH = (
    "scrypt$16$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$"
    + base64.b64encode(hashlib.scrypt("pässword".encode(), salt=b"0123456789abcdef", n=16, r=8, p=1)).decode()
)

FILE = f"""
[[domains]]
name = "acme"
id = "d1"

[[domains.projects]]
name = "north"
id = "p1"

[[domains.projects]]
name = "south"
enabled = false
quota = {{ frozen = true }}

[[domains.users]]
name = "bob"
id = "u1"
password_hash = "{HASH}"

[domains.users.quota]
calls_per_second = 2
burst = 5
calls_at_once = 3
calls_per_month = 1000
subscribed = ["tagging"]
not_enabled = ["defog"]

[[domains.users.access_keys]]
access_key = "AKBOB"
secret_key = "planted-1"
projects = ["p1"]

[[domains.users.access_keys]]
access_key = "AKTEMP"
secret_key = "planted-2"
enabled = false
security_token = "planted-3"
expires_at = 2027-01-15T08:00:00Z

[[domains.users]]
name = "eve"
password = "planted-4"
enabled = false
projects = ["south"]

[[domains]]
name = "other"

[[domains.users]]
name = "bob"
"""


@pytest.fixture
def loaded(tmp_path):
    def load(text: str, **settings):
        file = tmp_path / "accounts.toml"
        file.write_text(text, encoding="utf-8")
        return load_accounts(RestSettings(accounts_file=file, **settings))

    return load


def test_everything_that_can_be_said(loaded) -> None:
    accounts = loaded(FILE)
    bob = accounts.user("u1")
    assert accounts.user_named("bob", domain_name="acme") is bob is accounts.user_named("bob", domain_id="d1")
    assert [(project.name, project.enabled) for project in bob.projects] == [("north", True), ("south", False)]
    assert bob.projects[1].quota == Quota(frozen=True)
    assert bob.quota == Quota(2.0, 5, 3, 1000, False, frozenset({"tagging"}), frozenset({"defog"}))
    assert bob.password.matches("pässword")
    assert bob.project("p1") is bob.projects[0]
    assert bob.project(bob.projects[1].id) is None
    key, temporary = accounts.access_key("AKBOB"), accounts.access_key("AKTEMP")
    assert (key.user, key.projects, key.enabled, key.expires_at) == (bob, bob.projects[:1], True, None)
    assert (temporary.enabled, temporary.expires_at, temporary.projects) == (False, 1_800_000_000.0, bob.projects)
    eve = accounts.user_named("eve", domain_name="acme")
    assert (eve.enabled, [project.name for project in eve.projects]) == (False, ["south"])
    other = accounts.user_named("bob", domain_name="other")
    assert (other.password, other.projects) == (None, ())
    for name, domain in (("bob", "none"), ("none", "acme"), ("bob", "d1")):
        assert accounts.user_named(name, domain_name=domain) is None
    assert accounts.user_named("bob", domain_id="acme") is None
    assert len(accounts.users) == 3
    assert "planted" not in repr((accounts.users, key, temporary))
    assert HASH not in repr(accounts.users)


def test_ids_that_are_not_given_are_the_same_at_every_start(loaded) -> None:
    first, second = (loaded(FILE).user_named("bob", domain_name="other") for _ in range(2))
    assert (first.id, first.domain.id) == (second.id, second.domain.id)
    assert len({first.id, first.domain.id}) == 2


@pytest.mark.parametrize(("domain", "users"), [("acme", ["bob", "eve", "ada"]), ("third", ["ada"])])
def test_the_settings_user_stands_beside_the_file_s(loaded, domain, users) -> None:
    accounts = loaded(FILE, user="ada", domain=domain, password="planted", project_id="p9", access_key="AK", secret_key="planted")
    ada = accounts.user_named("ada", domain_name=domain)
    assert [project.id for project in ada.projects] == ["p9"]
    assert accounts.access_key("AK").user is ada
    assert [user.name for user in accounts.users if user.domain.id == ada.domain.id] == users


def test_the_settings_user_may_use_a_project_of_the_file(loaded) -> None:
    accounts = loaded(FILE, user="ada", domain="acme", password="planted", project="north", project_id="p1")
    assert accounts.user_named("ada", domain_name="acme").projects == (accounts.user("u1").projects[0],)


@pytest.mark.parametrize("name", ["x" * 1000, "a b/c@d", "猫"])
def test_whatever_the_settings_allow_can_be_declared(name) -> None:
    settings = RestSettings(user=name, domain=name, project=name, password=name, access_key="A.k_-9", secret_key=name)
    user = load_accounts(settings).user_named(name, domain_name=name)
    assert [project.name for project in user.projects] == [name]


@pytest.mark.parametrize("access_key", ["A,K", "A/K", "A K", "", "é", "A" * 129])
def test_an_access_key_that_no_header_can_hold_is_no_setting(access_key) -> None:
    with pytest.raises(ValidationError, match="access_key"):
        RestSettings(access_key=access_key, secret_key="SK")


def test_a_settings_user_who_cannot_come_in_is_none(loaded) -> None:
    assert load_accounts(RestSettings()).users == ()
    assert loaded(FILE, user="ada").user_named("ada", domain_name="demo") is None


def entry(old: str, new: str) -> str:
    assert old in FILE
    return FILE.replace(old, new)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "domains: field required"),
        ("domains = 7", "domains: input should be a valid list"),
        ("users = []", "unknown name users; known are domains"),
        ("[[domain]]", "unknown name domain; did you mean domains?"),
        ("[[domains]]\nnme = 'x'", "domains[0]: unknown name nme; did you mean name?"),
        (entry('name = "eve"', 'name = "eve"\npasword = "planted"'), "users[1] (eve): unknown name pasword; did you"),
        (entry("calls_at_once = 3", "calls_at_once = 0"), "(bob) quota calls_at_once: input should be greater than"),
        (entry("calls_at_once = 3", "calls_at_once = true"), "quota calls_at_once: input should be a valid integer"),
        (entry("calls_per_second = 2", "calls_per_second = inf"), "quota calls_per_second: input should be"),
        (entry("calls_per_second = 2", ""), "quota: burst needs calls_per_second"),
        (entry("enabled = false\nprojects", 'enabled = "no"\nprojects'), "users[1] (eve) enabled: input should be a valid"),
        (entry('id = "p1"', 'id = "p/1"'), "domains[0] (acme) projects[0] (north) id: string should match pattern"),
        (entry('id = "p1"', "id = 1"), "projects[0] (north) id: input should be a valid string"),
        (entry(HASH, "planted"), "users[0] (bob): password_hash must be scrypt$N$r$p$SALT$HASH"),
        (entry('password = "planted-4"', 'password = "planted-4"\npassword_hash = "x"'), "password and password_hash: give one"),
        (entry('password = "planted-4"', 'password = ""'), "users[1] (eve) password: value should have at least 1"),
        (entry('"AKBOB"', '"AK,BOB"'), "access_keys[0] (AK,BOB) access_key: string should match"),
        (entry('security_token = "planted-3"', ""), "access_keys[1] (AKTEMP): security_token and expires_at: give both"),
        (entry("08:00:00Z", "08:00:00"), "access_keys[1] (AKTEMP): expires_at must be a time with its zone"),
        (entry('projects = ["p1"]', 'projects = ["p2"]'), "access key AKBOB of user bob of domain acme: project p2 is not one"),
        (entry('projects = ["south"]', 'projects = ["p9"]'), "user eve of domain acme: project p9 is not one"),
        (entry('name = "eve"', 'name = "bob"'), "user bob of domain acme is declared twice"),
        (entry('name = "other"', 'name = "acme"'), "domain acme is declared twice"),
        (entry('name = "other"', 'name = "other"\nid = "d1"'), "domain id d1 is declared twice"),
        (entry('name = "eve"', 'name = "eve"\nid = "u1"'), "user id u1 is declared twice"),
        (entry('name = "south"', 'name = "south"\nid = "p1"'), "project id p1 is declared twice"),
        (entry('name = "south"', 'name = "north"'), "project north of domain acme is declared twice"),
        (entry('"AKTEMP"', '"AKBOB"'), "access key AKBOB is declared twice"),
        ("planted = planted", "is not TOML: see line 1, column"),
        ("[planted]\n[planted]", "is not TOML: see line 2, column"),
    ],
)
def test_what_cannot_be_used_is_named_and_no_secret_is_shown(loaded, tmp_path, text, problem) -> None:
    with pytest.raises(RestConfigError) as caught:
        loaded(text)
    assert problem in caught.value.problems[0]
    assert "planted" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_key_of_the_settings_that_the_file_has_too(loaded) -> None:
    with pytest.raises(RestConfigError, match="access key AKBOB is declared twice"):
        loaded(FILE, access_key="AKBOB", secret_key="planted")


def test_all_problems_are_told_at_once(loaded) -> None:
    with pytest.raises(RestConfigError) as caught:
        loaded(entry('name = "eve"', "name = 7\nenabld = true"), user="ada")
    assert len(caught.value.problems) == 1  # names that are not known come before values
    with pytest.raises(RestConfigError) as caught:
        loaded(entry('"AKTEMP"', '"AKBOB"').replace('"south"]', '"p9"]'))
    assert len(caught.value.problems) == 2


def test_a_file_that_cannot_be_read(tmp_path) -> None:
    file = tmp_path / "none.toml"
    with pytest.raises(RestConfigError, match=r"none\.toml cannot be read: No such file or directory"):
        load_accounts(RestSettings(accounts_file=file))
    file.write_bytes(b"\xff")
    with pytest.raises(RestConfigError, match=r"none\.toml is not TOML: UnicodeDecodeError"):
        load_accounts(RestSettings(accounts_file=file))
