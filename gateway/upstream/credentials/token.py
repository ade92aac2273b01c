"""A token: what stands for a user and a project for some hours."""

from dataclasses import dataclass, field
from typing import Final

RENEWAL_SHARE: Final = 0.1
"""A token is renewed, in the background, once this share of its lifetime is left (2.4 hours of 24)."""


@dataclass(frozen=True, slots=True)
class Token:
    """A project-scoped token. `issued_at` and `expires_at` are seconds since the epoch; `value` is never shown."""

    value: str = field(repr=False)
    project_id: str
    issued_at: float
    expires_at: float

    @property
    def renew_at(self) -> float:
        """From when on it is to be replaced while it still serves."""
        return self.expires_at - RENEWAL_SHARE * (self.expires_at - self.issued_at)
