"""Settings of the cloud provider and of downloads."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from gateway.settings import BaseUrl, Settings
from gateway.upstream.allow_list import AllowList
from gateway.upstream.catalogue import REGIONS, Endpoints


def _joined(entries: object) -> object:
    return ",".join(map(str, entries)) if isinstance(entries, list) else entries


def _check_allow_list(entries: str) -> str:
    AllowList(entries)
    return entries


Auth = Literal["password", "keys", "keys_file", "environment", "metadata"]

AK_VARIABLE: Final = "HUAWEICLOUD_SDK_AK"
SK_VARIABLE: Final = "HUAWEICLOUD_SDK_SK"
"""Variables that the vendor's SDK reads, too."""


class CloudSettings(Settings):
    """How to reach the cloud, and as whom."""

    region: str = Field("cn-east-3", min_length=1, description="Region whose endpoints are used, and name of the project in it.")
    endpoint: BaseUrl | None = Field(
        None, description="Image service, instead of the region's: a private cloud, a proxy, the REST face."
    )
    iam_endpoint: BaseUrl | None = Field(None, description="Identity service, instead of the region's.")
    auth: Auth | None = Field(
        None,
        description="Where the credentials come from: `password` (a token), `keys` (an access key given here), `keys_file`, "
        "`environment` (the variables of the vendor's SDK) or `metadata` (keys of the cloud machine that this runs on). If not "
        "given, `password` if `user` is set, else `keys` if `access_key` is set, else `password`.",
    )
    user: str | None = Field(None, min_length=1, description="IAM user name.")
    domain: str | None = Field(None, min_length=1, description="Account (domain) name of that user.")
    password: SecretStr | None = Field(None, min_length=1, description="That user's password. Prefer `password_file`.")
    password_file: Path | None = Field(
        None, description="File that holds the password; read anew for every token, so that it can be rotated."
    )
    token_store: Path | None = Field(
        None, description="Folder, of this user only, in which replicas share a token, so that they do not all sign in."
    )
    access_key: str | None = Field(None, pattern=r"^[A-Za-z0-9_.-]{1,128}$", description="Access key (AK) to sign requests with.")
    secret_key: SecretStr | None = Field(
        None, min_length=1, description="Secret key (SK) that belongs to `access_key`. Prefer `secret_key_file`."
    )
    secret_key_file: Path | None = Field(
        None, description="File that holds the secret key; read anew every 10 seconds, so that it can be replaced."
    )
    security_token: SecretStr | None = Field(
        None, min_length=1, description="Security token, if `access_key` is a temporary one. It is not renewed; `keys_file` is."
    )
    keys_file: Path | None = Field(
        None,
        description="File with an access key for `auth = keys_file`, temporary or not: JSON as the cloud hands it out, or the "
        "profile file of the vendor's SDK. Read anew every 10 seconds.",
    )
    metadata_endpoint: BaseUrl = Field(
        "http://169.254.169.254",
        description="The instance metadata service, for `auth = metadata`; the address is the cloud's own.",
    )
    project: str | None = Field(None, min_length=1, description="Project name, if it is not the region's name.")
    project_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="Project id, instead of a project name. With access keys it saves the look-up of the id.",
    )
    connect_timeout: Annotated[float, Field(gt=0, le=300)] = Field(5.0, description="Seconds to connect.")
    timeout: Annotated[float, Field(gt=0, le=3600)] = Field(30.0, description="Seconds for one whole call, its answer included.")
    uris: Literal["pass_on", "download"] = Field(
        "pass_on",
        description="What becomes of a picture given as a URL: the cloud downloads it, or the gateway does, so that it can be "
        "prepared like any other.",
    )
    enhancement_form: bool = Field(
        default=False,
        description="Send pictures to be enhanced as form-data, a quarter less than base64 in JSON. With access keys the picture "
        "is then not covered by the signature.",
    )

    @property
    def chosen_auth(self) -> Auth:
        """Where the credentials come from."""
        if self.auth is not None:
            return self.auth
        return "keys" if self.user is None and self.access_key is not None else "password"

    def endpoints(self) -> Endpoints:
        """The base URLs to call. Raises `ValueError` naming the setting that is missing."""
        known = REGIONS.get(self.region)
        if known is None and (self.endpoint is None or (self.iam_endpoint is None and self._needs_iam)):
            msg = (
                f"region: {self.region!r} is not in the catalogue ({', '.join(REGIONS)}); "
                "for another one, give endpoint and iam_endpoint"
            )
            raise ValueError(msg)
        image = self.endpoint or (known.image if known else "")
        return Endpoints(image=image, iam=self.iam_endpoint or (known.iam if known else ""))

    def check_complete(self, environment: Mapping[str, str] = os.environ) -> None:
        """Raise `ValueError` naming all that the cloud provider still needs, variables of `environment` included, or the file of
        credentials that cannot be read."""
        self.endpoints()
        missing = self._missing(environment)
        if missing:
            msg = f"{', '.join(missing)}: needed when provider is 'cloud' and auth is {self.chosen_auth!r}"
            raise ValueError(msg)
        if self.chosen_auth == "password":
            self.read_password()
        if self.chosen_auth == "keys":
            self.read_secret_key()
        if self.chosen_auth == "keys_file":
            _secret("keys_file", self.keys_file, None)

    def read_password(self) -> str:
        """The password now. Raises `ValueError` if its file cannot be read or is empty."""
        return _secret("password_file", self.password_file, self.password)

    def read_secret_key(self) -> str:
        """The secret key now. Raises `ValueError` if its file cannot be read or is empty."""
        return _secret("secret_key_file", self.secret_key_file, self.secret_key)

    @property
    def _needs_iam(self) -> bool:
        return self.chosen_auth == "password" or self.project_id is None

    def _missing(self, environment: Mapping[str, str]) -> list[str]:
        missing: list[str] = []
        match self.chosen_auth:
            case "password":
                missing += [name for name in ("user", "domain") if getattr(self, name) is None]
                if (self.password is None) == (self.password_file is None):
                    missing.append("exactly one of password and password_file")
            case "keys":
                missing += ["access_key"] if self.access_key is None else []
                if (self.secret_key is None) == (self.secret_key_file is None):
                    missing.append("exactly one of secret_key and secret_key_file")
            case "keys_file":
                missing += ["keys_file"] if self.keys_file is None else []
            case "environment":
                missing += [f"environment variable {name}" for name in (AK_VARIABLE, SK_VARIABLE) if not environment.get(name)]
            case "metadata":
                pass  # all that it needs has a default
        return missing


def _secret(name: str, file: Path | None, given: SecretStr | None) -> str:
    """The content of a file, without its line end, or what is given in the settings. Raises `ValueError`."""
    if file is None:
        return given.get_secret_value() if given else ""
    try:
        secret = file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{name}: {file} cannot be read ({type(error).__name__})"
        raise ValueError(msg) from error
    if not secret:
        msg = f"{name}: {file} is empty"
        raise ValueError(msg)
    return secret


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
    concurrency: int = Field(
        16,
        ge=1,
        le=1000,
        description="Downloads at once; others wait in order of arrival. Bounds memory: each may hold `max_bytes`.",
    )
