"""Settings of the cloud provider and of downloads."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from gateway.settings import BaseUrl, Settings
from gateway.upstream.allow_list import AllowList
from gateway.upstream.catalogue import REGIONS, Endpoints


def _joined(entries: object) -> object:
    return ",".join(map(str, entries)) if isinstance(entries, list) else entries


def _check_allow_list(entries: str) -> str:
    AllowList(entries)
    return entries


class CloudSettings(Settings):
    """How to reach the cloud, and as whom."""

    region: str = Field("cn-east-3", min_length=1, description="Region whose endpoints are used, and name of the project in it.")
    endpoint: BaseUrl | None = Field(
        None, description="Image service, instead of the region's: a private cloud, a proxy, the REST face."
    )
    iam_endpoint: BaseUrl | None = Field(None, description="Identity service, instead of the region's.")
    user: str | None = Field(None, min_length=1, description="IAM user name.")
    domain: str | None = Field(None, min_length=1, description="Account (domain) name of that user.")
    password: SecretStr | None = Field(None, min_length=1, description="That user's password. Prefer `password_file`.")
    password_file: Path | None = Field(
        None, description="File that holds the password; read anew for every token, so that it can be rotated."
    )
    project: str | None = Field(None, min_length=1, description="Project name, if it is not the region's name.")
    project_id: str | None = Field(None, min_length=1, description="Project id, instead of a project name.")
    max_concurrency: int = Field(
        10, ge=1, le=1000, description="Calls in flight at once; 10 is the vendor's default for an account."
    )
    connect_timeout: Annotated[float, Field(gt=0, le=300)] = Field(5.0, description="Seconds to connect.")
    timeout: Annotated[float, Field(gt=0, le=3600)] = Field(30.0, description="Seconds for one whole call, its answer included.")

    def endpoints(self) -> Endpoints:
        """The base URLs to call. Raises `ValueError` naming the setting that is missing."""
        known = REGIONS.get(self.region)
        if known is None and (self.endpoint is None or self.iam_endpoint is None):
            msg = (
                f"region: {self.region!r} is not in the catalogue ({', '.join(REGIONS)}); "
                "for another one, give endpoint and iam_endpoint"
            )
            raise ValueError(msg)
        image = self.endpoint or (known.image if known else "")
        return Endpoints(image=image, iam=self.iam_endpoint or (known.iam if known else ""))

    def check_complete(self) -> None:
        """Raise `ValueError` naming what the cloud provider still needs."""
        self.endpoints()
        missing = [name for name in ("user", "domain") if getattr(self, name) is None]
        if (self.password is None) == (self.password_file is None):
            missing.append("exactly one of password and password_file")
        if missing:
            msg = f"{', '.join(missing)}: needed when provider is 'cloud'"
            raise ValueError(msg)
        if self.password_file is not None:
            self.read_password()

    def read_password(self) -> str:
        """The password now. Raises `ValueError` if its file cannot be read or is empty."""
        if self.password_file is None:
            return self.password.get_secret_value() if self.password else ""
        try:
            password = self.password_file.read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"password_file: {self.password_file} cannot be read ({type(error).__name__})"
            raise ValueError(msg) from error
        if not password:
            msg = f"password_file: {self.password_file} is empty"
            raise ValueError(msg)
        return password


class DownloadSettings(Settings):
    """What this gateway itself may download when a picture is given as a URL."""

    allow_private: bool = Field(
        default=False,
        description="Whether private, loopback and link-local addresses may be reached. Off: no way into the own network.",
    )
    allow: Annotated[str, BeforeValidator(_joined), AfterValidator(_check_allow_list)] = Field(
        "",
        description="What may be reached although it is not public, separated by commas: addresses, networks (CIDR) and host "
        "names, each with `:PORT` for one port only.",
    )
    max_bytes: int = Field(
        16 << 20, ge=1, le=64 << 20, description="Largest download; what is over the operation's limit is made to fit."
    )
    max_redirects: int = Field(3, ge=0, le=10, description="Redirects followed; each target is checked like the first address.")
    timeout: Annotated[float, Field(gt=0, le=300)] = Field(
        10.0, description="Seconds for one whole download, redirects included."
    )
