import pytest

from gateway.config import ConfigError, GatewaySettings
from gateway.rpc.settings import RpcSettings
from gateway.upstream.resilience.settings import LimitSettings
from gateway.workers.shares import check_divisible, share_of


def settings(workers: int, **rooms: object) -> GatewaySettings:
    return GatewaySettings(rpc=RpcSettings(workers=workers), **rooms)


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_the_account_s_limits_are_kept_by_all_together(workers) -> None:
    whole = settings(workers, limit=LimitSettings(concurrency=10, rate=5.0, burst=20, queue_length=100))
    parts = [share_of(whole, index) for index in range(workers)]
    assert sum(part.limit.concurrency for part in parts) == 10
    assert sum(part.limit.rate or 0 for part in parts) == pytest.approx(5.0)
    assert sum(part.limit.burst or 0 for part in parts) == 20
    assert sum(part.limit.queue_length for part in parts) == 100


def test_the_machine_s_memory_is_kept_by_all_together() -> None:
    whole = settings(3)
    parts = [share_of(whole, index) for index in range(3)]
    assert sum(part.cache.max_bytes for part in parts) == whole.cache.max_bytes
    assert sum(part.prepare.memory for part in parts) == whole.prepare.memory
    assert sum(part.rpc.max_held_bytes for part in parts) == whole.rpc.max_held_bytes


@pytest.mark.parametrize("workers", [2, 64])
def test_every_share_is_settings_that_are_allowed(workers) -> None:
    whole = settings(workers, limit=LimitSettings(concurrency=64, least=20, burst=1))
    for index in range(workers):
        part = share_of(whole, index)
        assert GatewaySettings.model_validate(part.model_dump()) == part


def test_what_is_not_set_stays_so() -> None:
    part = share_of(settings(2), 0)
    assert (part.limit.rate, part.limit.burst) == (None, None)


def test_fewer_calls_than_workers_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"limit\.concurrency is 3; it must be at least rpc\.workers, which is 4"):
        check_divisible(settings(4, limit=LimitSettings(concurrency=3)))
