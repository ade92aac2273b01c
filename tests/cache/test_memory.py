import asyncio
from collections import OrderedDict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.cache.memory import ENTRY_OVERHEAD, MemoryStore

BOUND = 16 * (ENTRY_OVERHEAD + 33)
KEYS = [bytes([number]) * 32 for number in range(24)]


def size_of(value: bytes) -> int:
    return 32 + len(value) + ENTRY_OVERHEAD


async def test_what_is_put_is_there_until_its_time_is_over(clock) -> None:
    store = MemoryStore(BOUND, clock)
    await store.put(KEYS[0], b"value", ttl=10.0)
    clock.now += 9.999
    assert await store.get(KEYS[0]) == b"value"
    clock.now += 0.001
    assert await store.get(KEYS[0]) is None
    assert (store.entries, store.size_bytes) == (0, 0)


async def test_the_least_recently_used_goes_first(clock) -> None:
    store = MemoryStore(BOUND, clock)
    for key in KEYS[:16]:
        await store.put(key, b"1", ttl=10.0)
    assert store.size_bytes == BOUND
    assert await store.get(KEYS[0]) == b"1"
    await store.put(KEYS[16], b"1", ttl=10.0)
    assert await store.get(KEYS[1]) is None
    assert await store.get(KEYS[0]) == b"1"
    assert store.entries == 16


@pytest.mark.parametrize(("spare", "kept"), [(0, True), (-1, False)])
async def test_what_takes_over_an_eighth_is_not_kept(clock, spare, kept) -> None:
    store = MemoryStore(BOUND, clock)
    await store.put(KEYS[0], b"old", ttl=10.0)
    value = bytes(BOUND // 8 - 32 - ENTRY_OVERHEAD - spare)
    await store.put(KEYS[0], value, ttl=10.0)
    assert await store.get(KEYS[0]) == (value if kept else None)  # never the old one


class Against(RuleBasedStateMachine):
    """The store against a plain model of it: an ordered dictionary whose sizes are added up anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.store = MemoryStore(BOUND, lambda: self.now)
        self.model: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()

    @rule(key=st.sampled_from(KEYS), length=st.integers(0, BOUND // 6), ttl=st.sampled_from([1.0, 5.0, 100.0]))
    def put(self, key, length, ttl) -> None:
        value = bytes(length)
        asyncio.run(self.store.put(key, value, ttl))
        self.model.pop(key, None)
        if size_of(value) <= BOUND // 8:
            self.model[key] = (value, self.now + ttl)
        while self.taken() > BOUND:
            self.model.popitem(last=False)

    @rule(key=st.sampled_from(KEYS))
    def get(self, key) -> None:
        found = asyncio.run(self.store.get(key))
        value, expires_at = self.model.get(key, (None, 0.0))
        if value is not None and self.now >= expires_at:
            del self.model[key]
            value = None
        assert found == value
        if value is not None:
            self.model.move_to_end(key)

    @rule(seconds=st.sampled_from([0.5, 1.0, 4.0]))
    def wait(self, seconds) -> None:
        self.now += seconds

    @invariant()
    def never_over_the_bound_and_exactly_counted(self) -> None:
        assert self.store.size_bytes == self.taken() <= BOUND
        assert self.store.entries == len(self.model)

    def taken(self) -> int:
        return sum(size_of(value) for value, _ in self.model.values())


TestAgainstAModel = Against.TestCase
TestAgainstAModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


async def test_a_smaller_bound_drops_what_is_over_it_and_a_larger_one_takes_more(clock) -> None:
    store = MemoryStore(BOUND, clock)
    for key in KEYS[:16]:
        await store.put(key, b"1", ttl=10.0)
    store.resize(BOUND // 2)
    assert (store.entries, store.size_bytes) == (8, BOUND // 2)
    assert await store.get(KEYS[7]) is None
    assert await store.get(KEYS[8]) == b"1"
    store.resize(2 * BOUND)
    for key in KEYS:
        await store.put(key, b"1", ttl=10.0)
    assert store.entries == 24
