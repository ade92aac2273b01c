"""Settings of the cloud provider and of downloads."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from gateway.settings import TEXT_OR_LIST, BaseUrl, Settings, read_secret_file
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

    region: str = Field(
        "cn-east-3",
        min_length=1,
        description="Region whose endpoints are used, and name of the project in it.",
        json_schema_extra={"reason": "where the vendor offered the service first"},
    )
    endpoint: BaseUrl | None = Field(
        None,
        description="Image service, instead of the region's: a private cloud, a proxy, the REST face.",
        examples=["https://image.example.com"],
    )
    iam_endpoint: BaseUrl | None = Field(
        None,
        description="Identity service, instead of the region's.",
        examples=["https://iam.example.com"],
    )
    auth: Auth | None = Field(
        None,
        description="Where the credentials come from: `password` (a token), `keys` (an access key given here), `keys_file`, "
        "`environment` (the variables of the vendor's SDK) or `metadata` (keys of the cloud machine that this runs on). If not "
        "given, `password` if `user` is set, else `keys` if `access_key` is set, else `password`.",
        examples=["password"],
    )
    user: str | None = Field(
        None,
        min_length=1,
        description="IAM user name.",
        examples=["someone"],
    )
    domain: str | None = Field(
        None,
        min_length=1,
        description="Account (domain) name of that user.",
        examples=["account"],
    )
    password: SecretStr | None = Field(None, min_length=1, description="That user's password. Prefer `password_file`.")
    password_file: Path | None = Field(
        None,
        description="File that holds the password; read anew for every token, so that it can be rotated.",
        examples=["/run/secrets/cloud-password"],
    )
    token_store: Path | None = Field(
        None,
        description="Folder, of this user only, in which replicas share a token, so that they do not all sign in.",
        examples=["/var/lib/image-gateway/tokens"],
    )
    access_key: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{1,128}$",
        description="Access key (AK) to sign requests with.",
        examples=["AKEXAMPLE"],
    )
    secret_key: SecretStr | None = Field(
        None, min_length=1, description="Secret key (SK) that belongs to `access_key`. Prefer `secret_key_file`."
    )
    secret_key_file: Path | None = Field(
        None,
        description="File that holds the secret key; read anew every 10 seconds, so that it can be replaced.",
        examples=["/run/secrets/cloud-secret-key"],
    )
    security_token: SecretStr | None = Field(
        None, min_length=1, description="Security token, if `access_key` is a temporary one. It is not renewed; `keys_file` is."
    )
    security_token_file: Path | None = Field(
        None,
        description="File that holds the security token; read anew every 10 seconds, as `secret_key_file` is.",
        examples=["/run/secrets/cloud-security-token"],
    )
    keys_file: Path | None = Field(
        None,
        description="File with an access key for `auth = keys_file`, temporary or not: JSON as the cloud hands it out, or the "
        "profile file of the vendor's SDK. Read anew every 10 seconds.",
        examples=["/run/secrets/cloud-keys.json"],
    )
    metadata_endpoint: BaseUrl = Field(
        "http://169.254.169.254",
        description="The instance metadata service, for `auth = metadata`; the address is the cloud's own.",
        json_schema_extra={"reason": "the cloud's own address"},
    )
    project: str | None = Field(
        None,
        min_length=1,
        description="Project name, if it is not the region's name.",
        examples=["cn-east-3_images"],
    )
    project_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="Project id, instead of a project name. With access keys it saves the look-up of the id.",
        examples=["0a1b2c3d4e5f60718293a4b5c6d7e8f9"],
    )
    connect_timeout: Annotated[float, Field(gt=0, le=300)] = Field(
        5.0,
        description="Seconds to connect.",
        json_schema_extra={"reason": "a connection within a continent takes a tenth of a second; two lost packets are got over"},
    )
    timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        30.0,
        description="Seconds for one whole call, its answer included.",
        json_schema_extra={"reason": "the slowest operation with the largest picture, and some"},
    )
    uris: Literal["pass_on", "download"] = Field(
        "pass_on",
        description="What becomes of a picture given as a URL: the cloud downloads it, or the gateway does, so that it can be "
        "prepared like any other.",
        json_schema_extra={"reason": "nothing is downloaded here unless it is wanted"},
    )
    enhancement_form: bool = Field(
        default=False,
        description="Send pictures to be enhanced as form-data, a quarter less than base64 in JSON. With access keys the picture "
        "is then not covered by the signature.",
        json_schema_extra={"reason": "JSON is what the signature covers"},
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
            self.secret("password")
        if self.chosen_auth == "keys":
            self.secret("secret_key")
            self.secret("security_token")
        if self.chosen_auth == "keys_file" and self.keys_file is not None:
            read_secret_file("keys_file", self.keys_file)

    @property
    def _needs_iam(self) -> bool:
        return self.chosen_auth == "password" or self.project_id is None

    def _missing(self, environment: Mapping[str, str]) -> list[str]:
        missing: list[str] = []
        match self.chosen_auth:
            case "password":
                missing += [name for name in ("user", "domain") if getattr(self, name) is None]
                if self.password is None and self.password_file is None:
                    missing.append("password or password_file")
            case "keys":
                missing += ["access_key"] if self.access_key is None else []
                if self.secret_key is None and self.secret_key_file is None:
                    missing.append("secret_key or secret_key_file")
            case "keys_file":
                missing += ["keys_file"] if self.keys_file is None else []
            case "environment":
                missing += [f"environment variable {name}" for name in (AK_VARIABLE, SK_VARIABLE) if not environment.get(name)]
            case "metadata":
                pass  # all that it needs has a default
        return missing


class DownloadSettings(Settings):
    """What this gateway itself may download when a picture is given as a URL."""

    allow_private: bool = Field(
        default=False,
        description="Whether private, loopback and link-local addresses may be reached. Off: no way into the own network.",
        json_schema_extra={"reason": "no way into the own network", "reload": True},
    )
    allow: Annotated[str, BeforeValidator(_joined), AfterValidator(_check_allow_list), TEXT_OR_LIST] = Field(
        "",
        description="What may be reached although it is not public, separated by commas: addresses, networks (CIDR) and host "
        "names, each with `:PORT` for one port only.",
        json_schema_extra={"reason": "likewise", "reload": True},
    )
    max_bytes: int = Field(
        16 << 20,
        ge=1,
        le=64 << 20,
        description="Largest download; what is over the operation's limit is made to fit.",
        json_schema_extra={"reason": "twice what operations take, to be made to fit", "reload": True},
    )
    max_redirects: int = Field(
        3,
        ge=0,
        le=10,
        description="Redirects followed; each target is checked like the first address.",
        json_schema_extra={"reason": "a store's own, and one or two more", "reload": True},
    )
    timeout: Annotated[float, Field(gt=0, le=300)] = Field(
        10.0,
        description="Seconds for one whole download, redirects included.",
        json_schema_extra={"reason": "what is slower is not worth the place", "reload": True},
    )
    concurrency: int = Field(
        16,
        ge=1,
        le=1000,
        description="Downloads at once; others wait in order of arrival. Bounds memory: each may hold `max_bytes`.",
        json_schema_extra={"reason": "bounds memory: each may hold `max_bytes`"},
    )
