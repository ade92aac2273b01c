"""The queue against a model that does the same slowly."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.upstream.resilience.fair_queue import FairQueue

LENGTH = 12
tenants = st.sampled_from("abcd")


class FairQueueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.queue: FairQueue[int] = FairQueue(LENGTH)
        self.lanes: dict[str, list[int]] = defaultdict(list)
        self.turns: list[str] = []  # the model's ring
        self.number = 0

    @rule(tenant=tenants)
    def push(self, tenant) -> None:
        self.number += 1
        before = {name: list(lane) for name, lane in self.lanes.items()}
        longest = max(map(len, before.values()), default=0)
        displaced = self.queue.push(tenant, self.number)
        if sum(map(len, before.values())) < LENGTH:
            assert displaced is None
        elif len(before.get(tenant, [])) + 2 > longest:
            assert displaced == self.number
            return
        else:
            (loser,) = [name for name, lane in before.items() if displaced in lane]
            assert len(before[loser]) == longest
            assert before[loser][-1] == displaced
            self.lanes[loser].pop()
        if tenant not in self.turns:
            self.turns.append(tenant)
        self.lanes[tenant].append(self.number)

    @precondition(lambda self: len(self.queue) > 0)
    @rule()
    def pop(self) -> None:
        tenant = self.turns.pop(0)
        assert self.queue.pop() == self.lanes[tenant].pop(0)
        if self.lanes[tenant]:
            self.turns.append(tenant)

    @rule(tenant=tenants, data=st.data())
    def discard(self, tenant, data) -> None:
        item = data.draw(st.sampled_from([*self.lanes[tenant], 0]))
        self.queue.discard(tenant, item)
        if item:
            self.lanes[tenant].remove(item)
            if not self.lanes[tenant]:
                self.turns.remove(tenant)

    @invariant()
    def counts(self) -> None:
        assert len(self.queue) == sum(map(len, self.lanes.values())) <= LENGTH
        assert self.queue.tenants == len(self.turns)

    @invariant()
    def keeps_nothing_of_idle_tenants(self) -> None:
        assert set(self.queue._lanes) == set(self.turns)
        assert sum(map(len, self.queue._tenants_with.values())) == len(self.turns)


TestFairQueue = FairQueueMachine.TestCase


@given(st.lists(tenants, max_size=60), tenants)
def test_the_items_ahead_are_foreseen(arrivals, tenant) -> None:
    queue: FairQueue[object] = FairQueue(1000)
    for arrival in arrivals:
        queue.push(arrival, object())
    foreseen = queue.ahead_of(tenant)
    mine = object()
    queue.push(tenant, mine)
    ahead = 0
    while queue.pop() is not mine:
        ahead += 1
    assert ahead <= foreseen <= len(arrivals)
    if len(set(arrivals) | {tenant}) <= 2 and tenant not in arrivals:
        assert ahead == foreseen == min(1, len(arrivals))


@given(st.lists(tenants, min_size=1, max_size=100))
def test_within_a_tenant_the_order_is_that_of_arrival_and_between_tenants_turns(arrivals) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(1000)
    for number, tenant in enumerate(arrivals):
        queue.push(tenant, (tenant, number))
    served = [queue.pop() for _ in arrivals]
    for tenant in set(arrivals):
        numbers = [number for name, number in served if name == tenant]
        assert numbers == sorted(numbers)
        # While it has something, nobody else has two turns before its next one.
        turns = [place for place, (name, _) in enumerate(served) if name == tenant]
        for before, after in zip([-1, *turns], turns, strict=False):
            between = [name for name, _ in served[before + 1 : after]]
            assert len(between) == len(set(between))


def test_a_crowd_delays_the_first_call_of_another_tenant_by_one_turn() -> None:
    queue: FairQueue[str] = FairQueue(2000)
    for n in range(1000):
        queue.push("crowd", f"c{n}")
    queue.push("other", "mine")
    assert [queue.pop(), queue.pop()] == ["c0", "mine"]


def test_a_full_queue_makes_room_for_those_who_have_less() -> None:
    queue: FairQueue[str] = FairQueue(4)
    for n in range(4):
        assert queue.push("crowd", f"c{n}") is None
    assert queue.push("crowd", "c4") == "c4"
    assert queue.push("other", "o0") == "c3"
    assert queue.push("other", "o1") == "c2"
    assert queue.push("other", "o2") == "o2"  # two and two: neither has more than its share
    assert [queue.pop() for _ in range(4)] == ["c0", "o0", "c1", "o1"]


def test_a_queue_without_places_has_none() -> None:
    assert FairQueue(0).push("a", "x") == "x"
