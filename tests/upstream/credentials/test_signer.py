"""The vendor's own signer is the oracle: whatever it sends, this one sends."""

import importlib.util
import json
import string
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.signer import signed
from gateway.upstream.outgoing import Outgoing

ROOT = Path(__file__).parents[3]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "sdk_signatures.json").read_text(encoding="utf-8"))
AT = 1_800_000_000.0
KEY = AccessKey("AK", "SK")
JSON = {"Content-Type": "application/json"}


def query_of(entries) -> tuple[tuple[str, str], ...]:
    """The query as pairs of texts; the SDK also takes lists, numbers and booleans."""
    listed = ((name, one) for name, value in entries for one in (value if isinstance(value, list) else [value]))
    return tuple((name, str(one).lower() if isinstance(one, bool) else str(one)) for name, one in listed)


def sent(outgoing: Outgoing, key: AccessKey = KEY, at: float = AT) -> dict[str, str]:
    """All headers that go out."""
    return {**outgoing.headers, **signed(outgoing, key, at)}


@pytest.mark.parametrize("name", VECTORS["requests"])
def test_headers_are_those_of_the_vendor_s_sdk(name) -> None:
    vector = VECTORS["requests"][name]
    outgoing = Outgoing(
        vector["method"],
        f"https://{vector['host']}{vector['path']}",
        query_of(vector["query"]),
        vector["headers"],
        vector["body"].encode(),
    )
    key = AccessKey(VECTORS["access_key"], VECTORS["secret_key"], vector["security_token"])
    assert sent(outgoing, key, VECTORS["at"]) == vector["sent"]


def test_the_shipped_vectors_are_what_the_installed_sdk_gives() -> None:
    spec = importlib.util.spec_from_file_location("sdk_vectors", ROOT / "tools" / "sdk_vectors.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads(json.dumps(module.vectors())) == VECTORS["requests"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
header_values = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
header_names = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=10).map("X-".__add__)
content_types = st.sampled_from(["application/json", "application/bson", "text/plain", "multipart/form-data; boundary=x"])


requests = st.builds(
    dict,
    method=st.sampled_from(["GET", "POST", "PUT", "get"]),
    path=st.one_of(
        st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="?#"), max_size=20),
        st.lists(st.sampled_from(["/", "%2F", "%e7%8C%ab", "%", "%zz", "a", "~", "+", "%FF"]), max_size=8).map("".join),
    ),
    query=st.lists(st.tuples(texts, texts), max_size=5),
    headers=st.dictionaries(header_names, header_values, max_size=5),
    content_type=content_types,
    body=st.binary(max_size=50),
)


@given(requests, st.sampled_from(["", "temporary"]), st.integers(0, 4_000_000_000))
def test_any_request_is_signed_as_the_vendor_s_sdk_signs_it(drawn, security_token, at) -> None:
    method, path, query, body = (drawn[name] for name in ("method", "path", "query", "body"))
    # Two spellings of one name are one header.
    headers = {name.lower(): value for name, value in drawn["headers"].items()} | {"Content-Type": drawn["content_type"]}
    outgoing = Outgoing(method, f"https://image.example:8443/{path}", tuple(query), headers, body)
    credentials = BasicCredentials("AK", "SK")
    if security_token:
        credentials.with_security_token(security_token)
    request = SdkRequest(
        method=method,
        schema="https",
        host="image.example:8443",
        resource_path=f"/{path}",
        query_params=list(query),
        header_params={**headers, "X-Sdk-Date": datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")},
        body=body,
    )
    credentials.sign_request(request)
    ours = sent(outgoing, AccessKey("AK", "SK", security_token), at + 0.75)
    # Bytes on the wire: the SDK's values are encoded as Latin-1, ours as UTF-8.
    assert {name: value.encode() for name, value in ours.items()} == {
        name: value.encode("latin-1") for name, value in request.header_params.items()
    }


def test_what_a_proxy_may_rewrite_is_not_signed() -> None:
    plain = Outgoing("POST", "https://image.example/a", headers=JSON)
    named = Outgoing("POST", "https://image.example/a", headers={**JSON, "User-Agent": "gateway"})
    assert signed(named, KEY, AT) == signed(plain, KEY, AT)


def test_only_what_is_new_or_differs_is_returned() -> None:
    outgoing = Outgoing("POST", "https://image.example/a", headers={**JSON, "X-Note": " n "})
    assert set(signed(outgoing, KEY, AT)) == {"Authorization", "Host", "X-Sdk-Date", "X-Note"}


def test_nothing_secret_is_sent_or_shown() -> None:
    key = AccessKey("AK", "hunter2", "hunter3")
    outgoing = Outgoing("POST", "https://image.example/a", headers=JSON, body=b"{}")
    assert "hunter2" not in str(signed(outgoing, key, AT))
    assert "hunter" not in repr(key)


def test_many_threads_sign_alike() -> None:
    outgoing = Outgoing("POST", "https://image.example/a", headers=JSON, body=b"x" * 100_000)
    found: list[dict[str, str]] = []
    threads = [threading.Thread(target=lambda: found.append(signed(outgoing, KEY, AT))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [signed(outgoing, KEY, AT)] * 8
