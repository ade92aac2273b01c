"""Settings of the REST face."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from gateway.settings import Address, Settings


class RestSettings(Settings):
    """Where the REST face listens, and whom it lets in. Its credentials are its own, never the cloud's."""

    listen: Address = Field("127.0.0.1:8600", description="Address to listen on; port 0 means a free one.")
    user: str = Field("demo", min_length=1, description="Name of the one user.")
    password: SecretStr | None = Field(
        None, min_length=1, description="That user's password. Without one, signing in by password is off."
    )
    domain: str = Field("demo", min_length=1, description="Account (domain) of that user.")
    project: str = Field("cn-east-3", min_length=1, description="Name of the one project; clients use the region's name.")
    project_id: str = Field(
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="Id of that project, as in request paths.",
    )
    access_key: str | None = Field(None, min_length=1, description="Access key (AK) of that user, for signed requests.")
    secret_key: SecretStr | None = Field(None, min_length=1, description="Secret key (SK) that belongs to `access_key`.")
    token_lifetime: int = Field(
        86_400, ge=60, le=604_800, description="Seconds for which a token is valid; the cloud's is 24 hours."
    )

    @model_validator(mode="after")
    def _key_pair(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            msg = "access_key and secret_key: give both or neither"
            raise ValueError(msg)
        return self
