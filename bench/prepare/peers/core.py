"""This project's core."""

import time
from functools import partial
from pathlib import Path

from bench.prepare.rows import FIELDS_JSON, Row
from gateway import _native

from . import Works


def about() -> str:
    built = time.strftime("%Y-%m-%d %H:%M", time.localtime(Path(_native.__file__).stat().st_mtime))
    return f"built {built}"


def works(row: Row) -> Works:
    if row.kind == "probe":
        return {"probe": _native.probe}
    if row.kind == "body":
        return {"validate + request_body": _body}
    return {"prepare": partial(_prepare, _native.Policy(target_side=row.side))}


def _body(data: bytes) -> bytes:
    _native.validate(data)
    return _native.request_body(data, FIELDS_JSON)


def _prepare(policy: _native.Policy, data: bytes) -> bytes:
    prepared = _native.prepare(data, policy).data
    assert prepared is not None, "it was left as it is"
    return prepared
