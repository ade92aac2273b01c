"""What `config check` finds that only a start would: each problem, one at a time, and none where there is none."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.checks import check_settings
from gateway.config import load

CLOUD = {"provider": "cloud", "cloud.user": "someone", "cloud.domain": "account", "cloud.password": "hunter2"}


def problems(environment=None, **given) -> list[str]:
    return check_settings(load({path: str(value) for path, value in given.items()}, {}), environment or {})[0]


def certificate(folder, name: str, *, days: int = 1):
    """The files of a key and of its own certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=2)).not_valid_after(now + timedelta(days=days))
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return files


def test_the_defaults_have_no_problem() -> None:
    assert problems() == []


def test_credentials_are_complete_and_their_files_can_be_read(tmp_path) -> None:
    assert problems(**CLOUD) == []
    assert problems(provider="local,cloud") == [
        "settings of cloud: user, domain, password or password_file: needed when provider is 'cloud' and auth is 'password'"
    ]
    missing = tmp_path / "missing"
    in_file = {"provider": "cloud", "cloud.user": "u", "cloud.domain": "d", "cloud.password_file": missing}
    assert problems(**in_file) == [f"settings of cloud: password_file: {missing} cannot be read (FileNotFoundError)"]
    assert problems(**in_file | {"provider": "local"}) == []
    by_variables = {"provider": "cloud", "cloud.auth": "environment"}
    assert "HUAWEICLOUD_SDK_SK" in problems({"HUAWEICLOUD_SDK_AK": "x"}, **by_variables)[0]
    assert problems({"HUAWEICLOUD_SDK_AK": "x", "HUAWEICLOUD_SDK_SK": "y"}, **by_variables) == []


def test_a_redis_is_there_if_anything_is_to_be_kept_in_one(tmp_path) -> None:
    assert problems(**{"cache.store": "redis"}) == [
        "settings of redis: url or url_file: needed when something is to be kept in a Redis"
    ]
    assert problems(**{"cache.store": "redis", "cache.enabled": "false"}) == []
    url = tmp_path / "url"
    url.write_text("redis://:hunter2@host\n")
    assert problems(**{"cache.store": "redis", "redis.url_file": url}) == []
    url.write_text("http://:hunter2@host\n")
    (problem,) = problems(**{"redis.share_token": "true", "redis.url_file": url})
    assert problem.startswith("settings of redis: url_file: must be redis://")
    assert "hunter2" not in problem


def test_what_several_workers_cannot_have() -> None:
    found = problems(**{"rpc.workers": 20})
    assert [problem.split()[1] for problem in found] == ["limit.concurrency"]


@pytest.mark.parametrize(
    ("listen", "ops", "clash"),
    [
        ("127.0.0.1:7", "127.0.0.1:7", True),
        ("0.0.0.0:7", "127.0.0.1:7", True),
        ("127.0.0.1:7", "[::]:7", True),
        ("127.0.0.1:7", "127.0.0.1:8", False),
        ("127.0.0.1:0", "127.0.0.1:0", False),
        ("127.0.0.1:7", "127.0.0.2:7", False),
    ],
)
def test_two_ports_are_two(listen, ops, clash) -> None:
    assert bool(problems(**{"listen": listen, "ops.listen": ops})) == clash
    assert bool(problems(**{"rest.listen": listen, "ops.rest_listen": ops})) == clash


def test_files_and_folders_are_what_they_should_be(tmp_path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("nothing")
    assert problems(**{"local.music_index": broken})[0].startswith("settings of local: music_index: ")
    assert problems(**{"local.music_index": tmp_path / "no"})[0].endswith("No such file or directory")
    assert problems(**{"breadth.python": broken}) == [f"setting breadth.python: {broken} is not a program that can be run"]
    assert problems(**{"breadth.python": os.path.realpath("/bin/sh")}) == []
    assert problems(**{"record.mode": "replay", "record.folder": broken}) == [f"setting record.folder: {broken} is not a folder"]
    assert problems(**CLOUD, **{"cloud.token_store": broken}) == [
        f"setting cloud.token_store: {broken} is not a folder that can be written to"
    ]
    assert problems(**CLOUD, **{"cloud.token_store": tmp_path / "made later"}) == []


def test_certificates_are_valid_and_belong_to_their_keys(tmp_path) -> None:
    good, other, old = (certificate(tmp_path, name, days=days) for name, days in (("good", 1), ("other", 1), ("old", -1)))
    assert problems(**{"rest.tls_certificate": good[0], "rest.tls_key": good[1]}) == []
    (problem,) = problems(**{"rest.tls_certificate": good[0], "rest.tls_key": other[1]})
    assert problem.endswith(f"is not the key of tls_certificate {good[0]}")
    (problem,) = problems(**{"rest.tls_certificate": old[0], "rest.tls_key": old[1]})
    assert "expired" in problem


def test_accounts_and_keys_of_the_rest_face_can_be_read(tmp_path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text("[[domains]]\nnam = 'x'\n")
    assert all(str(file) in problem for problem in problems(**{"rest.accounts_file": file}))
    assert problems(**{"rest.password_file": tmp_path / "no"})[0].endswith("cannot be read (FileNotFoundError)")
    file.write_text("short")
    assert "at least 32 are needed" in problems(**{"rest.token_key_file": file})[0]


def test_strangers_are_let_in_on_purpose_only() -> None:
    assert "access.authenticators" in problems(listen="0.0.0.0:1")[0]
    assert problems(**{"listen": "0.0.0.0:1", "access.allow_anonymous": "true"}) == []


def test_tenants_can_be_read(tmp_path) -> None:
    file = tmp_path / "tenants.toml"
    given = {"access.authenticators": "api_key", "access.tenants_file": file}
    assert str(file) in problems(**given)[0]
    file.write_text('[[tenants]]\nname = "shop"\ndaily_budget = 5\n')
    assert problems(**given) == []
    assert "budget" in problems(**given | {"rpc.workers": 2})[0]


def test_keys_of_tokens_can_be_read(tmp_path) -> None:
    file = tmp_path / "keys.json"
    file.write_text("{}")
    given = {"access.authenticators": "jwt", "access.jwt_issuer": "i", "access.jwt_audience": "a", "access.jwt_keys": file}
    assert problems(**given)[0].startswith(f"settings of access: jwt_keys {file}")


def test_the_certificate_of_the_gateway_can_be_used(tmp_path) -> None:
    ours, others = certificate(tmp_path, "ours"), certificate(tmp_path, "others")
    assert problems(**{"rpc.tls_certificate": ours[0], "rpc.tls_key": ours[1]}) == []
    assert problems(**{"rpc.tls_certificate": ours[0], "rpc.tls_key": others[1]})[0].startswith("settings of rpc: ")
