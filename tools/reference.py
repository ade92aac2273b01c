"""Writes what is made from the code: errors.md, configuration.md, rest-errors.md, openapi.json, and the example of settings.

Usage: python tools/reference.py [--check]. With --check nothing is written; the exit status is 1 if one is out of date.
"""

import argparse
import ast
import itertools
import sys
from pathlib import Path

from gateway.config import declared_settings
from gateway.config.toml_text import example_toml
from gateway.errors import ADVICE, Reason
from gateway.rest.codes import CODES as REST_CODES
from gateway.rest.codes import OWN
from gateway.rest.openapi import as_json, openapi_document
from gateway.rest.openapi_replies import codes_of
from gateway.rest.operations import OPERATIONS
from gateway.rpc.status import CODES, DOMAIN
from gateway.upstream.error_codes import REASON_BY_CODE, REASON_BY_STATUS

ROOT = Path(__file__).parents[1]
MADE_BY = "<!-- Made by tools/reference.py from the code: change that, then run `make generate`. -->\n"

ERRORS_HEAD = f"""\
{MADE_BY}
# Errors

Every failure, of a call or of one item of a stream, is a `google.rpc.Status`. Its details hold a `google.rpc.ErrorInfo` with
the domain `{DOMAIN}` and one of the reasons below; where they apply, a `google.rpc.BadRequest` that names the
field, seen from the request or from the stream's item, and a `google.rpc.RetryInfo` that says how long to wait. In a failed
call they are in the trailing metadata
`grpc-status-details-bin`, where the standard helper of every language finds them.

`ErrorInfo.metadata` may hold `measured` and `allowed` (what was found, what is allowed), and, if the cloud refused the call,
`upstreamErrorCode`, `upstreamHttpStatus` and `upstreamRequestId`: quote the last when you ask the vendor about a call.

Decide by the reason: the status is for tools that know no reasons, and messages may change. Where the cloud may have done, and
billed, the work, the reason says so.

| Reason | gRPC status | Meaning | What to do |
| --- | --- | --- | --- |
"""

CODES_HEAD = """
## The cloud's codes

The cloud's `error_code` decides, with whatever HTTP status it comes, 200 among them; the prefixes `APIG.` and `APIGW.` mean the
same. A code that is not listed here is judged by its HTTP status, and kept in `upstreamErrorCode`.

| Code | HTTP | Meaning | Reason | What to do |
| --- | --- | --- | --- | --- |
"""

STATUSES_HEAD = """
## Without a code

A reply without a code that is known, such as a proxy's web page, is judged by its HTTP status: one of these, or as 500 from
500 on, as 400 from 400 on. Everything else, a redirect or a web page with 200 among them, is `UPSTREAM_BAD_RESPONSE`.

| HTTP | Reason |
| --- | --- |
"""

CONFIGURATION_HEAD = f"""\
{MADE_BY}
# Configuration

A setting can be given as a flag (`image-gateway COMMAND --help` lists them), in the environment, or in a TOML file, named by
`--config FILE` or `IMAGE_GATEWAY_CONFIG`. A flag wins over the environment, which wins over the file, which wins over the
default. An empty environment variable counts as absent. A name that no setting has, and a value that is not allowed, stop
the start with a message that says which, and what is allowed. What a single run of `tag`, `enhance`, `music`, `prepare`, `demo`
or `health` works on (files, language, threshold, target …) are arguments of those commands, not settings.

```toml
listen = "127.0.0.1:50051"
provider = "cloud"

[cloud]
region = "cn-east-3"
user = "someone"
domain = "account"
password_file = "/run/secrets/cloud-password"
```

[deploy/image-gateway.example.toml](../deploy/image-gateway.example.toml) has every setting as a comment.

## Before a start

```sh
image-gateway config check FILE     # would `serve` start? A line for each problem and each danger; exit status 0 or 2
image-gateway config show --all     # what holds, and where each comes from; --json for programs
image-gateway config schema         # JSON Schema (draft 2020-12) of the file, for editors
```

`check` and `show` take what `serve` takes: the file, the environment, the flags. `check` also reads the files that are named:
certificates and their keys, accounts, the music index, secrets. It asks nobody over the network, so that a password is the right
one, it cannot tell. What `show` prints can be used as a file again, once the secrets, which it leaves out, are given. An editor
that knows taplo shows the schema's texts beside a file that begins with `#:schema ./image-gateway.schema.json`.

## Secrets

Every secret has a twin that names a file (`cloud.password` and `cloud.password_file`); giving both is an error. The file's line
end is no part of the secret. Secrets are shown by no command, log, metric or error.

## Changes while it runs

On SIGHUP a gateway reads its settings again: the file, with the flags and the environment that it was started with. The
table's fifth column says what then becomes of a change. **SIGHUP**: it takes effect at once, for calls that come from then
on; what is under way goes on. **restart**: it waits for the next start. The log names both. Settings that cannot be used
change nothing, and the log says why. A signal says nothing about files that are read by themselves: those that hold the
cloud's secrets (`cloud.password_file` for each token; `cloud.secret_key_file`, `cloud.security_token_file` and
`cloud.keys_file` every 10 seconds) and `redis.password_file` (for each connection) need none.

With `rpc.workers` over 1, SIGHUP replaces the processes one after another, without losing a call, by ones that read
everything anew: there all settings take effect, but for `listen` and `rpc.workers`. `image-gateway rest` obeys SIGHUP for
`log_level` and `download.*`.

## All settings

| Setting | Environment | Allowed | Default, and why | Change by | Meaning |
| --- | --- | --- | --- | --- | --- |
"""

REST_ERRORS_HEAD = f"""\
{MADE_BY}
# Error codes of the REST face

What the operations answer with when they refuse: `{{"error_code": …, "error_msg": …}}`, without `result`. The message says more
than this table: which parameter, what was found, what is allowed. Decide by the code. The identity service's paths have a
form of their own: `{{"error": {{"code": …, "message": …, "title": …}}}}` with the HTTP status as its code.

Other codes of the contract come only when faults are injected or calls are replayed ([rest-testing.md](rest-testing.md)).

| Code | HTTP | Meaning | Of |
| --- | --- | --- | --- |
"""

NO_OPERATION = {"APIG.0101": "a path that is not served", "AIS.0013": "another method than the path's"}


def errors_page() -> str:
    meanings = _member_docs(ROOT / "gateway" / "errors.py", "Reason")
    rows = [f"| `{reason}` | `{CODES[reason].name}` | {meanings[reason.name]} | {ADVICE[reason]} |" for reason in Reason]
    codes = [
        f"| `{code}` | {REST_CODES[code].status} | {REST_CODES[code].message} | `{reason}` | {ADVICE[reason]} |"
        for code, reason in sorted(REASON_BY_CODE.items())
    ]
    statuses = [f"| {status} | `{reason}` |" for status, reason in REASON_BY_STATUS.items()]
    tables = ((ERRORS_HEAD, rows), (CODES_HEAD, codes), (STATUSES_HEAD, statuses))
    return "".join(head + "\n".join(lines) + "\n" for head, lines in tables)


def configuration_page() -> str:
    rows = []
    for setting in declared_settings():
        allowed = setting.allowed.replace("|", "\\|")
        default = f"{setting.shown_default}: {setting.reason}" if setting.reason else setting.shown_default
        change = "SIGHUP" if setting.reloads else "restart"
        meaning = f"**Secret.** {setting.description}" if setting.is_secret else setting.description
        rows.append(f"| `{setting.path}` | `{setting.variable}` | {allowed} | {default} | {change} | {meaning} |")
    return CONFIGURATION_HEAD + "\n".join(rows) + "\n"


def rest_errors_page() -> str:
    rows = [
        f"| `{code}` | {REST_CODES[code].status} | {REST_CODES[code].message} | {_answered_by(code)} |" for code in sorted(OWN)
    ]
    return REST_ERRORS_HEAD + "\n".join(rows) + "\n"


def _answered_by(code: str) -> str:
    names = [operation.name for operation in OPERATIONS if code in codes_of(operation)]
    if not names:
        return NO_OPERATION[code]
    return "all" if len(names) == len(OPERATIONS) else ", ".join(names)


def _member_docs(file: Path, enum: str) -> dict[str, str]:
    """The string below each member of an enum, which Python itself forgets."""
    (body,) = (
        node.body
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == enum
    )
    docs = {}
    for member, text in itertools.pairwise(body):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr):
            (name,) = member.targets
            assert isinstance(name, ast.Name)  # noqa: S101  # how members are written
            docs[name.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return docs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    check = parser.parse_args().check
    stale = 0
    pages = {
        "docs/errors.md": errors_page(),
        "docs/configuration.md": configuration_page(),
        "docs/rest-errors.md": rest_errors_page(),
        "docs/openapi.json": as_json(openapi_document()),
        "deploy/image-gateway.example.toml": example_toml(),
    }
    for name, page in pages.items():
        path = ROOT / name
        if check and (not path.exists() or path.read_text(encoding="utf-8") != page):
            print(f"{name} is out of date: run make generate", file=sys.stderr)
            stale = 1
        elif not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(page, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
