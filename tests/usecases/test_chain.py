import pytest

from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason
from gateway.usecases.chain import Chain


class Provider:
    """Fails with `failure`, if that is set."""

    def __init__(self, name: str, failure: Reason | None = None) -> None:
        self.name = name
        self.failure = failure
        self.asked = 0

    async def check(self) -> None:
        self.asked += 1
        if self.failure is not None:
            raise GatewayError(self.failure, f"said by {self.name}")


async def name_of(provider: Provider, _: Call) -> str:
    await provider.check()
    return provider.name


async def test_the_first_that_can_answers_and_nobody_else_is_asked() -> None:
    first, second = Provider("first"), Provider("second")
    assert await Chain([first, second], fall_back_on=frozenset(Reason)).first(name_of, UNHURRIED) == "first"
    assert second.asked == 0


async def test_the_next_takes_over_on_the_failures_that_are_named_and_on_no_others() -> None:
    told: list[tuple[str, Reason]] = []
    first, second = Provider("first", Reason.UPSTREAM_THROTTLED), Provider("second")
    chain = Chain(
        [first, second],
        fall_back_on=frozenset({Reason.UPSTREAM_THROTTLED}),
        taken_over=lambda provider, reason: told.append((provider.name, reason)),
    )
    assert await chain.first(name_of, UNHURRIED) == "second"
    assert told == [("first", Reason.UPSTREAM_THROTTLED)]
    first.failure = Reason.IMAGE_DAMAGED
    with pytest.raises(GatewayError) as caught:
        await chain.first(name_of, UNHURRIED)
    assert (caught.value.reason, second.asked, len(told)) == (Reason.IMAGE_DAMAGED, 1, 1)


async def test_the_last_one_s_failure_is_the_answer() -> None:
    chain = Chain([Provider("first", Reason.OVERLOADED), Provider("last", Reason.INTERNAL)], fall_back_on=frozenset(Reason))
    with pytest.raises(GatewayError, match="said by last"):
        await chain.first(name_of, UNHURRIED)


async def test_one_that_hangs_leaves_time_for_the_next() -> None:
    now = 100.0
    deadlines = []

    async def ask(provider: Provider, call: Call) -> str:
        nonlocal now
        deadlines.append(call.deadline)
        if provider.name == "hangs":
            now = call.deadline
            raise GatewayError(Reason.DEADLINE_EXCEEDED, "too late")
        return provider.name

    chain = Chain([Provider("hangs"), Provider("quick")], clock=lambda: now)
    assert await chain.first(ask, Call(deadline=108.0)) == "quick"
    assert deadlines == [106.0, 108.0]


async def test_a_deadline_that_was_missed_otherwise_is_missed() -> None:
    async def ask(provider: Provider, call: Call) -> str:
        raise GatewayError(Reason.DEADLINE_EXCEEDED, f"said by {provider.name}")

    chain = Chain([Provider("first"), Provider("second")], clock=lambda: 100.0)
    with pytest.raises(GatewayError, match="said by first"):
        await chain.first(ask, Call(deadline=108.0))


async def test_it_is_well_as_long_as_one_that_would_be_asked_is_well() -> None:
    ill = Provider("cloud", Reason.UPSTREAM_UNAVAILABLE)
    told: list[Reason] = []
    chain = Chain(
        [ill, Provider("local")],
        fall_back_on=frozenset({Reason.UPSTREAM_UNAVAILABLE}),
        taken_over=lambda _, reason: told.append(reason),
    )
    failure = GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down")
    assert chain.failure({"cloud": failure, "local": None}) is None
    assert told == []  # no call was taken over
    assert chain.failure({"cloud": failure, "local": failure}) is failure
    wrong = GatewayError(Reason.UPSTREAM_NOT_FOUND, "the first one's failure is the answer")
    assert chain.failure({"cloud": wrong, "local": None}) is wrong
    assert Chain([ill]).failure({"cloud": failure}) is failure
