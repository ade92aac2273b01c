"""Where the cloud's services are (API reference, section 1.3; regions beyond it as the vendor's SDK lists them)."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs of one region's services, without a trailing slash."""

    image: str
    iam: str


def _public(region: str) -> Endpoints:
    return Endpoints(image=f"https://image.{region}.myhuaweicloud.com", iam=f"https://iam.{region}.myhuaweicloud.com")


REGIONS: Final = MappingProxyType(
    {name: _public(name) for name in ("cn-east-3", "ap-southeast-1", "cn-north-4", "cn-north-1", "ap-southeast-3")}
)
"""Region name → its endpoints. Any other region works with endpoints given explicitly."""
