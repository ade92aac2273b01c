import logging

import pytest

from gateway.config import ConfigError, GatewaySettings, declared_settings, load_settings
from gateway.config.reload import Reload, changed_settings, reloadable


class Source:
    """Where settings are read; tests change it."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}
        self.problems: list[str] = []

    def read(self) -> GatewaySettings:
        if self.problems:
            raise ConfigError(self.problems)
        return load_settings(self.given, {})


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def reload(source, caplog):
    caplog.set_level(logging.INFO)
    return Reload(source.read, source.read())


async def test_what_has_changed_is_applied_once_and_said(source, reload, caplog) -> None:
    told: list[float] = []
    others: list[object] = []
    reload.register(["cache.ttl", "cache.error_ttl"], lambda new: told.append(new.cache.ttl))
    reload.register(["limit.rate"], others.append)
    source.given = {"cache.ttl": "5"}
    await reload.now()
    await reload.now()
    assert told == [5.0]
    assert others == []
    assert reload.current.cache.ttl == 5.0
    assert caplog.messages == ["settings that took effect: cache.ttl", "no setting has changed"]


async def test_what_needs_a_restart_stays_as_it_is_and_is_said_each_time(source, reload, caplog) -> None:
    told: list[GatewaySettings] = []
    reload.register(["cache.ttl", "cache.enabled"], told.append)
    source.given = {"cache.ttl": "5", "cache.enabled": "false", "listen": "127.0.0.1:1"}
    await reload.now()
    assert [(new.cache.ttl, new.cache.enabled, new.listen) for new in told] == [(5.0, True, "127.0.0.1:50051")]
    await reload.now()
    restart = "settings that need a restart to take effect: cache.enabled, listen"
    assert caplog.messages == ["settings that took effect: cache.ttl", restart, restart]
    source.given = {"cache.ttl": "5"}
    await reload.now()
    assert caplog.messages[-1] == "no setting has changed"


async def test_what_nobody_uses_needs_a_restart(source, reload, caplog) -> None:
    source.given = {"limit.rate": "5"}
    await reload.now()
    assert caplog.messages == ["settings that need a restart to take effect: limit.rate"]
    assert reload.current.limit.rate is None


async def test_settings_with_problems_change_nothing_and_say_why(source, reload, caplog) -> None:
    told: list[object] = []
    refreshed: list[int] = []
    reload.register(["cache.ttl"], told.append)

    async def refresh() -> None:
        refreshed.append(1)

    reload.register_files(refresh)
    source.problems = ["setting cache.ttl is 'x'", "unknown setting lisen"]
    await reload.now()
    assert (told, refreshed) == ([], [])
    assert caplog.messages[1:] == source.problems
    assert {record.levelname for record in caplog.records} == {"ERROR"}


async def test_files_are_read_anew_whatever_has_changed(reload) -> None:
    read: list[str] = []

    async def keys() -> None:
        read.append("keys")

    async def certificate() -> None:
        read.append("certificate")

    reload.register_files(keys)
    reload.register_files(certificate)
    await reload.now()
    assert read == ["keys", "certificate"]


async def test_a_level_that_was_set_at_run_time_is_left_alone_unless_the_setting_changes(source, reload) -> None:
    levels: list[str] = []
    reload.register(["log_level"], lambda new: levels.append(new.log_level))
    source.given = {"cache.ttl": "5"}
    await reload.now()
    assert levels == []
    source.given = {"log_level": "debug"}
    await reload.now()
    assert levels == ["debug"]


async def test_no_secret_is_said(source, reload, caplog) -> None:
    source.given = {"cloud.password": "hunter2", "redis.url": "redis://:hunter3@h"}
    await reload.now()
    assert caplog.messages == ["settings that need a restart to take effect: cloud.password, redis.url"]


def test_changes_are_those_of_any_room(source) -> None:
    before = source.read()
    source.given = {"provider": "cloud", "rest.password": "x", "rpc.max_calls": "7"}
    assert changed_settings(before, source.read()) == ["provider", "rpc.max_calls", "rest.password"]


def test_secrets_and_addresses_are_never_reloadable() -> None:
    settings = {setting.path: setting for setting in declared_settings()}
    assert not {path for path in reloadable() if settings[path].is_secret or path.endswith("listen")}
    assert reloadable("hedge") == {"hedge.after", "hedge.share"}
