"""The credential that the settings ask for."""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping

from gateway.upstream.credentials.cloud_clock import CloudClock
from gateway.upstream.credentials.identity import Sender
from gateway.upstream.credentials.key_sources import EnvironmentKeys, FileKeys, KeySource, SettingsKeys
from gateway.upstream.credentials.keys import KeysCredential
from gateway.upstream.credentials.metadata import MetadataKeys
from gateway.upstream.credentials.password import PasswordCredential
from gateway.upstream.credentials.protocol import Credential
from gateway.upstream.credentials.retried import Retried
from gateway.upstream.credentials.sign_in import PasswordSignIn
from gateway.upstream.credentials.token_file import FileTokenStore
from gateway.upstream.credentials.token_store import TokenStore, account_of
from gateway.upstream.settings import CloudSettings


def opened_credential(
    settings: CloudSettings,
    sender: Sender,
    *,
    clock: Callable[[], float] = time.time,
    store: TokenStore | None = None,
    environment: Mapping[str, str] = os.environ,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    random: Callable[[], float] = random.random,
) -> Credential:
    """Make the credential; nothing is asked for yet. `aclose()` it before `sender` is closed.

    `sender` is the transport; `clock` returns seconds since the epoch. `store` shares tokens with other replicas, in place of the
    one that the settings name; `environment` is where `auth = "environment"` looks. `sleep` waits for some seconds and
    `random` returns a number from 0 up to 1: for pauses before what failed is asked for again. Raises `ValueError` naming all
    the settings that are missing.
    """
    settings.check_complete(environment)
    cloud_clock = CloudClock(clock)
    if settings.chosen_auth == "password":
        if store is None and settings.token_store is not None:
            store = FileTokenStore(settings.token_store, account_of(settings))
        sign_in = Retried(PasswordSignIn(sender, settings, cloud_clock).fetch, sleep=sleep, random=random)
        return PasswordCredential(sign_in.fetch, cloud_clock, store)
    source = key_source(settings, sender, cloud_clock, environment)
    return KeysCredential(source, sender, settings, cloud_clock, sleep=sleep, random=random)


def key_source(
    settings: CloudSettings, sender: Sender, clock: Callable[[], float], environment: Mapping[str, str] = os.environ
) -> KeySource:
    """Where the settings say that access keys come from: themselves, unless they say otherwise."""
    match settings.chosen_auth:
        case "keys_file" if settings.keys_file is not None:
            return FileKeys(settings.keys_file, clock)
        case "environment":
            return EnvironmentKeys(environment)
        case "metadata":
            return MetadataKeys(sender, settings.metadata_endpoint, clock)
        case _:
            return SettingsKeys(settings, clock)
