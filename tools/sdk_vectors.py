"""Writes tests/vectors/sdk_signatures.json: requests, and the headers that the vendor's SDK signs them with.

Run it anew with a newer SDK: `python tools/sdk_vectors.py tests/vectors/sdk_signatures.json`. A test compares the shipped file
with what the installed SDK gives, so a change of the SDK shows there first.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest

AT = 1_800_000_000
"""The time of all signatures: 2027-01-15T08:00:00Z."""

DATE = "20270115T080000Z"

ACCESS_KEY = "AKEXAMPLE0123456789"
SECRET_KEY = "secret+key/of=an%example"  # noqa: S105  # of no account
SECURITY_TOKEN = "gQpjbi1ub3J0aC00" + "x" * 2000

JSON = {"Content-Type": "application/json"}
CHINESE = '{"url": "https://example.org/图片.jpg", "language": "zh"}'
PATH = "/v2/0a1b2c3d/image/tagging"

REQUESTS: Mapping[str, dict[str, Any]] = {
    "JSON": {"headers": JSON, "body": '{"image": "aGVsbG8=", "threshold": 60}'},
    "JSON with its charset": {"headers": {"Content-Type": "application/json;charset=UTF-8"}, "body": "{}"},
    "BSON": {"headers": {"Content-Type": "application/bson"}, "body": "\u0005\u0000\u0000\u0000\u0000"},
    "form-data": {
        "path": "/v2/0a1b2c3d/image/super-resolution",
        "headers": {"Content-Type": "multipart/form-data; boundary=b0undary"},
        "body": '--b0undary\r\nContent-Disposition: form-data; name="scale"\r\n\r\n3\r\n--b0undary--\r\n',
    },
    "form-data without a body": {"headers": {"Content-Type": "multipart/form-data; boundary=b0undary"}},
    "look-up of a project": {"method": "GET", "path": "/v3/projects", "query": [["name", "cn-east-3"]], "headers": JSON},
    "no headers": {"method": "GET", "path": "/"},
    "query to be sorted": {"method": "GET", "query": [["b", "2"], ["a", "2"], ["a", "10"], ["B", ""], ["a~", "1"]]},
    "query with a list": {"method": "GET", "query": [["tag", ["c", "a", "b", "a"]], ["limit", 7]]},
    "query with booleans": {"method": "GET", "query": [["on", True], ["off", False]]},
    "query to be encoded": {"method": "GET", "query": [["sp ace", "a+b c/d?e=f&g~h*i%20j"], ["图", "片 ü"], ["🐈", "'()!"]]},
    "body beyond ASCII": {"headers": JSON, "body": CHINESE},
    "header beyond ASCII": {"headers": {**JSON, "X-Note": "  a photograph: 图片 ü 🐈\u3000"}},
    "path beyond ASCII": {"path": "/v2/图 片/a~b*c/ü"},
    "encoded path": {"path": "/v2/%E5%9B%BE%20a%2Fb/%7e"},
    "path with a slash at its end": {"path": PATH + "/"},
    "header with an underscore": {"headers": {**JSON, "X_Note": "not signed"}},
    "many headers": {"headers": {**JSON, **{f"X-Header-{number}": f" value  {number} " for number in range(25)}}, "body": "{}"},
    "project": {"headers": {**JSON, "X-Project-Id": "0a1b2c3d"}, "body": "{}"},
    "temporary key": {"headers": {**JSON, "X-Project-Id": "0a1b2c3d"}, "body": "{}", "security_token": SECURITY_TOKEN},
    "other host": {"host": "127.0.0.1:8600", "headers": JSON, "body": "{}"},
    "other method": {"method": "delete", "headers": JSON},
}


def vectors() -> dict[str, dict[str, Any]]:
    """Each request, complete, with the headers that the SDK sends for it."""
    return {name: _vector(request) for name, request in REQUESTS.items()}


def _vector(request: dict[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"method": "POST", "host": "image.cn-east-3.myhuaweicloud.com", "path": PATH, "query": []}
    whole = {**defaults, "headers": {}, "body": "", "security_token": "", **request}
    return {**whole, "sent": _signed_by_the_sdk(whole)}


def _signed_by_the_sdk(request: dict[str, Any]) -> dict[str, str]:
    credentials = BasicCredentials(ACCESS_KEY, SECRET_KEY)
    if request["security_token"]:
        credentials.with_security_token(request["security_token"])
    made = SdkRequest(
        method=request["method"],
        schema="https",
        host=request["host"],
        resource_path=request["path"],
        query_params=[(name, list(value) if isinstance(value, list) else value) for name, value in request["query"]],
        header_params={**request["headers"], "X-Sdk-Date": DATE},
        body=request["body"].encode(),
    )
    credentials.sign_request(made)
    # The SDK keeps header values as Latin-1 characters that are the bytes of UTF-8; here they are text.
    return {name: value.encode("latin-1").decode() for name, value in made.header_params.items()}


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    document = {"at": AT, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "requests": vectors()}
    file.write_text(json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
