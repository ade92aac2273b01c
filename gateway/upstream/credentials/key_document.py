"""Reading access keys as the vendor writes them: JSON of its services, and the profile file of its SDK."""

import configparser
import json
import math
from collections.abc import Mapping
from typing import Any, Final

from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.identity import read_time

_ENVELOPES: Final = ("credential", "credentials")
_PROFILE: Final = "basic"
"""The profile file's section of keys for services with projects; that of the others is `global`."""

_RENEWAL_SHARE: Final = 0.1

# As the services, and the SDK in its own files, spell them.
_ACCESS_KEY: Final = ("access", "accessKeyId", "access_key_id", "access_key", "ak")
_SECRET_KEY: Final = ("secret", "secretAccessKey", "secret_access_key", "secret_key", "sk")
_SECURITY_TOKEN: Final = ("securitytoken", "securityToken", "security_token")
_EXPIRY: Final = ("expires_at", "expiration")


def read_key(text: str, now: float, look_again: float = math.inf) -> AccessKey:
    """The key in a JSON document or a profile file.

    It is to be renewed once a tenth of the time from `now` to its end is left, at the latest after `look_again` seconds.
    Raises `ValueError`, whose message quotes nothing, if there is none or if it has ended.
    """
    try:
        members = _json_members(text) if text.lstrip().startswith("{") else _profile_members(text)
    except (ValueError, RecursionError, configparser.Error):
        members = {}
    access_key, secret_key = _first(members, _ACCESS_KEY), _first(members, _SECRET_KEY)
    if not access_key or not secret_key:
        msg = "holds no access key with its secret key"
        raise ValueError(msg)
    expires_at = _expiry(_first(members, _EXPIRY))
    if expires_at <= now:
        msg = "holds an access key that has expired"
        raise ValueError(msg)
    return AccessKey(
        access_key=access_key,
        secret_key=secret_key,
        security_token=_first(members, _SECURITY_TOKEN),
        project_id=_first(members, ("project_id",)),
        renew_at=now + min(look_again, (1 - _RENEWAL_SHARE) * (expires_at - now)),
        expires_at=expires_at,
    )


def _json_members(text: str) -> Mapping[str, Any]:
    document = json.loads(text)
    for name in _ENVELOPES:
        if isinstance(document.get(name), dict):
            return dict(document[name])
    return dict(document)


def _profile_members(text: str) -> Mapping[str, str]:
    parser = configparser.ConfigParser(interpolation=None)  # a secret may hold a percent sign
    parser.read_string(text)
    return dict(parser[_PROFILE]) if parser.has_section(_PROFILE) else {}


def _first(members: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := members.get(name), str) and value), "")


def _expiry(text: str) -> float:
    if not text:
        return math.inf
    try:
        return read_time(text)
    except (ValueError, OverflowError) as error:
        msg = "holds an expiry that is no time"
        raise ValueError(msg) from error
