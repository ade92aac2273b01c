"""URLs that authorize whoever has them, made of an access key.

Source: the store's API reference, "Authentication of Signature in a URL".
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, Protocol
from urllib.parse import quote, quote_from_bytes

from gateway.obs.address import ObsObject
from gateway.obs.authorization import SECURITY_TOKEN

MAX_VALIDITY: Final = 20 * 365 * 86_400
"""Seconds; the store knows no limit, but more is a typing error: milliseconds, or the time itself."""

_Parameter = tuple[str, str | None]

_RESOURCE_PARAMETERS: Final = frozenset(
    (  # noqa: SIM905  # one word a line would be sixty lines
        "acl append backtosource bucketstatus cors delete deletebucket directcoldaccess dispolicy encryption "
        "fileinterface inventory length lifecycle location logging metadata modify name notification object-lock obsalias "
        "obsbucketalias obscompresspolicy obsworkflowtriggerpolicy partnumber policy policystatus position "
        "publicaccessblock quota rename replication requestpayment response-cache-control response-content-disposition "
        "response-content-encoding response-content-language response-content-type response-expires restore retention "
        "storageclass storageinfo storagepolicy tagging torrent truncate uploadid uploads versionid versioning versions "
        "website x-image-process x-image-save-bucket x-image-save-object x-oss-process x-workflow-execution-state "
        "x-workflow-execution-type x-workflow-graph-name x-workflow-limit x-workflow-next-marker x-workflow-prefix "
        "x-workflow-start x-workflow-template-name"
    ).split(" ")
)
"""Parameters that are part of the resource, in lower case; so is each that begins with `x-obs-`. Others are not signed."""


class ObsKeys(Protocol):
    """An access key, and the security token that belongs to it if it is a temporary one."""

    @property
    def access_key(self) -> str: ...
    @property
    def secret_key(self) -> str: ...
    @property
    def security_token(self) -> str:
        """Empty for a permanent key."""


def signed_url(target: ObsObject, keys: ObsKeys, valid_until: int, method: str = "GET") -> str:
    """A URL with which anyone may do `method` to the object until `valid_until`, in seconds since the epoch.

    With temporary keys it is valid no longer than they are.
    """
    query = list(target.query)
    if keys.security_token:
        query.append((SECURITY_TOKEN, keys.security_token))
    path = quote_from_bytes(target.key)
    resource = f"/{target.bucket}/{path}"
    signature = _signature(f"{method}\n\n\n{valid_until}\n{resource}{_signed_part(query)}", keys.secret_key)
    query += [("Expires", str(valid_until)), ("AccessKeyId", keys.access_key), ("Signature", signature)]
    query.sort(key=lambda parameter: parameter[1] is not None)  # those without a value first, as the vendor's SDK has them
    encoded = "&".join(_joined(name, value and quote(value)) for name, value in query)
    return f"{target.site}{resource if target.bucket_in_path else '/' + path}?{encoded}"


def _signature(text: str, secret_key: str) -> str:
    return base64.b64encode(hmac.digest(secret_key.encode(), text.encode(), hashlib.sha1)).decode()


def _signed_part(query: Sequence[_Parameter]) -> str:
    """What of the parameters belongs to the resource, their values as they are."""
    signed = [
        _joined(name, value)
        for name, value in sorted(query, key=lambda parameter: parameter[0])
        if name.lower() in _RESOURCE_PARAMETERS or name.lower().startswith("x-obs-")
    ]
    return f"?{'&'.join(signed)}" if signed else ""


def _joined(name: str, value: str | None) -> str:
    return quote(name) if value is None else f"{quote(name)}={value}"
