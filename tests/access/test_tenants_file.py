from datetime import UTC, datetime

import pytest

from gateway.access.key_text import new_key
from gateway.access.operations import Operation
from gateway.access.tenants import EMPTY, Limits
from gateway.access.tenants_file import TenantsFileError, load_roster
from gateway.errors import GatewayError, Reason

HASH = "sha256:" + "0" * 64
KEY = f'[[tenants]]\nname = "shop"\n[[tenants.keys]]\nid = "{"a" * 16}"\nhash = "{HASH}"\n'
OPERATIONS = "'tagging', 'dark_enhance', 'defog', 'super_resolution', 'background_music' or 'preprocess'"

WHOLE = f"""
[default]
class = "others"
rate = 2
burst = 4
operations = ["tagging"]

[[tenants]]
name = "shop"
class = "gold"
operations = ["tagging", "defog"]
concurrency = 8
rate = 20.5
daily_budget = 1000
certificates = ["dns:shop.internal", "uri:spiffe://shop"]
subjects = ["shop@issuer"]

[[tenants.keys]]
id = "{"a" * 16}"
hash = "{HASH}"
not_before = 2026-01-01T00:00:00Z
expires = 2027-01-01T00:00:00+01:00
comment = "the old one"

[[tenants.keys]]
id = "{"b" * 16}"
hash = "{HASH}"

[[tenants]]
name = "front"
may_act_for = ["*"]
shadow = true
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str | bytes):
        file = tmp_path / "tenants.toml"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    return write


def problems(file, **options: bool) -> list[str]:
    with pytest.raises(TenantsFileError) as caught:
        load_roster(file, **options)
    return [problem.removeprefix(f"tenants_file {file}").lstrip(": ") for problem in caught.value.problems]


def test_everything_that_is_said_is_read(written) -> None:
    roster = load_roster(written(WHOLE))
    assert roster.tenant("shop").limits == Limits(
        "gold", frozenset({Operation.TAGGING, Operation.DEFOG}), concurrency=8, rate=20.5, burst=None, daily_budget=1000
    )
    assert roster.certificates == {"dns:shop.internal": "shop", "uri:spiffe://shop": "shop"}
    assert roster.subjects == {"shop@issuer": "shop"}
    record = roster.keys["a" * 16]
    assert (record.tenant, record.hash) == ("shop", HASH)
    assert record.not_before == datetime(2026, 1, 1, tzinfo=UTC)
    assert record.expires == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert set(roster.keys) == {"a" * 16, "b" * 16}


def test_what_a_tenant_does_not_say_is_as_by_default(written) -> None:
    front = load_roster(written(WHOLE)).tenant("front")
    assert front.limits == Limits("others", frozenset({Operation.TAGGING}), rate=2, burst=4, shadow=True)
    assert front.may_act_for == {"*"}


def test_tenants_that_are_not_listed_are_as_by_default(written) -> None:
    assert load_roster(written(WHOLE)).tenant("stranger").limits.tenant_class == "others"


def test_without_a_default_nobody_else_may_call(written) -> None:
    roster = load_roster(written('[[tenants]]\nname = "shop"'))
    for name in ("stranger", ""):
        with pytest.raises(GatewayError) as caught:
            roster.tenant(name)
        assert caught.value.reason is Reason.PERMISSION_DENIED


def test_without_a_file_everybody_may_do_everything() -> None:
    assert EMPTY.tenant("anybody").limits == Limits()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tenants = 7", "tenants: input should be a valid list"),
        ('[[tenants]]\nname = "a b"', "tenants[0] (a b) name: must be 1 to 64 printable ASCII characters without spaces"),
        ('[[tenants]]\nname = "shop"\nrat = 1', "tenants[0] (shop) rat: extra inputs are not permitted"),
        ('[[tenants]]\nname = "shop"\nrate = 0', "tenants[0] (shop) rate: input should be greater than 0"),
        ('[[tenants]]\nname = "shop"\nburst = 2', "tenants[0] (shop): burst needs rate"),
        ('[[tenants]]\nname = "shop"\nconcurrency = "8"', "tenants[0] (shop) concurrency: input should be a valid integer"),
        ('[[tenants]]\nname = "shop"\nshadow = 1', "tenants[0] (shop) shadow: input should be a valid boolean"),
        ('[[tenants]]\nname = "shop"\nrate = -1', "tenants[0] (shop) rate: input should be greater than 0"),
        ('[[tenants]]\nname = "shop"\noperations = ["taging"]', f"tenants[0] (shop) operations[0]: input should be {OPERATIONS}"),
        (
            '[[tenants]]\nname = "shop"\ncertificates = ["shop.internal"]',
            "tenants[0] (shop) certificates[0]: must be dns:…, uri:…, ip:…, email:… or cn:…, such as dns:front.internal",
        ),
        (
            f"{KEY}expires = 2027-01-01T00:00:00",
            "tenants[0] (shop) keys[0] expires: input should have timezone info",
        ),
        (
            f"{KEY}not_before = 2027-01-01T00:00:00Z\nexpires = 2026-01-01T00:00:00Z",
            "tenants[0] (shop) keys[0]: expires must be later than not_before",
        ),
        ('[[tenants]]\nname = "shop"\n[[tenants]]\nname = "shop"', "tenant shop is declared twice"),
        (
            '[[tenants]]\nname = "a"\nsubjects = ["s"]\n[[tenants]]\nname = "b"\nsubjects = ["s"]',
            "subject s is declared twice",
        ),
        ("= 7", "is not TOML: see line 1, column 1"),
        (b"\xff", "is not TOML: UnicodeDecodeError"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(written, text, problem) -> None:
    assert problems(written(text)) == [problem]


def test_a_key_that_was_pasted_for_its_hash_is_not_shown(written) -> None:
    key = new_key()
    file = written(f'[[tenants]]\nname = "shop"\n[[tenants.keys]]\nid = "{key.id}"\nhash = "{key.text}"')
    (problem,) = problems(file)
    assert key.secret not in problem
    assert "keys[0] hash: " in problem


def test_a_file_that_is_not_there(tmp_path) -> None:
    assert problems(tmp_path / "none") == ["cannot be read: No such file or directory"]


@pytest.mark.parametrize("text", [WHOLE, "[default]\ndaily_budget = 1"])
def test_a_budget_cannot_be_divided(written, text) -> None:
    (problem,) = problems(written(text), counts_alone=False)
    assert problem.startswith("daily_budget needs access.budget_store = 'redis' with rpc.workers over 1")
