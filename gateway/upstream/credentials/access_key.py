"""An access key: what requests are signed with."""

import math
import re
from dataclasses import dataclass, field
from typing import Final

from gateway.upstream.credentials.project import is_project_id

_HEADER_WORD: Final = re.compile(r"[!-+\--~]*")
"""Visible ASCII without a comma, which separates what an Authorization header holds."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An AK with its SK. A temporary one has a security token and an end; neither secret is ever shown.

    `expires_at` and `renew_at` (from when on its source is asked again) are seconds since the epoch.
    """

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    """Empty for a permanent key."""
    project_id: str = ""
    """The project that its source names; empty if none."""
    renew_at: float = field(default=math.inf, compare=False)
    expires_at: float = math.inf

    def __post_init__(self) -> None:
        """Raises `ValueError`, whose message quotes nothing, for what neither a header nor a path can carry."""
        in_headers = all(_HEADER_WORD.fullmatch(value) for value in (self.access_key, self.security_token))
        if not in_headers or (self.project_id and not is_project_id(self.project_id)):
            msg = "holds an access key, a security token or a project id with characters that none has"
            raise ValueError(msg)
