"""Finding a project's id by its name (API reference, section 6.4)."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Project:
    """A project's id, which never changes: once found it is kept."""

    id: str
    renew_at: float = math.inf
    expires_at: float = math.inf


def is_project_id(value: object) -> TypeGuard[str]:
    """Whether `value` can be a project's id: what stands in a path as it is."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def project_query(iam: str, name: str) -> Outgoing:
    """The question for projects of that name; `iam` is the identity service's base URL."""
    return Outgoing("GET", f"{iam}/v3/projects", query=(("name", name),), headers={"Content-Type": "application/json"})


def read_project(reply: HttpReply, name: str) -> Project:
    """The one enabled project of that name in a reply with HTTP 200.

    Raises `GatewayError`: `UPSTREAM_PERMISSION_DENIED` if there is none, or more than one, `UPSTREAM_BAD_RESPONSE` if the reply
    is no list of projects.
    """
    try:
        # Proxies that drop the query have the service answer with all projects. A domain is listed as if it were one, too.
        listed = [entry for entry in json.loads(reply.body)["projects"] if entry.get("is_domain") is not True]
        named = [_checked(entry) for entry in listed if entry["name"] == name]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        message = "the identity service's reply is no list of projects"
        raise GatewayError(Reason.UPSTREAM_BAD_RESPONSE, message, upstream=_detail(reply)) from error
    enabled = [project_id for project_id, is_enabled in named if is_enabled]
    if len(enabled) == 1:
        return Project(enabled[0])
    if enabled:
        found = f"{len(enabled)} projects have the name that is set: give cloud.project_id"
    elif named:
        found = "the project of the name that is set is disabled: enable it, or give another cloud.project or cloud.project_id"
    else:
        found = "no project has the name that is set, or the region's: give cloud.project or cloud.project_id"
    message = f"of the projects open to the gateway's access key, {found}"
    raise GatewayError(Reason.UPSTREAM_PERMISSION_DENIED, message, upstream=_detail(reply))


def _checked(entry: dict[str, Any]) -> tuple[str, bool]:
    project_id, is_enabled = entry["id"], entry.get("enabled", True)
    if not is_project_id(project_id):
        msg = "not an id"
        raise ValueError(msg)
    return project_id, is_enabled is True


def _detail(reply: HttpReply) -> UpstreamDetail:
    return UpstreamDetail(http_status=reply.status, request_id=reply.request_id)
