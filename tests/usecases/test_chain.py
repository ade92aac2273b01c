import pytest

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


async def name_of(provider: Provider) -> str:
    await provider.check()
    return provider.name


async def test_the_first_that_can_answers_and_nobody_else_is_asked() -> None:
    first, second = Provider("first"), Provider("second")
    assert await Chain([first, second], fall_back_on=frozenset(Reason)).first(name_of) == "first"
    assert second.asked == 0


async def test_the_next_takes_over_on_the_failures_that_are_named_and_on_no_others() -> None:
    told: list[tuple[str, Reason]] = []
    first, second = Provider("first", Reason.UPSTREAM_THROTTLED), Provider("second")
    chain = Chain(
        [first, second],
        fall_back_on=frozenset({Reason.UPSTREAM_THROTTLED}),
        taken_over=lambda provider, reason: told.append((provider.name, reason)),
    )
    assert await chain.first(name_of) == "second"
    assert told == [("first", Reason.UPSTREAM_THROTTLED)]
    first.failure = Reason.IMAGE_DAMAGED
    with pytest.raises(GatewayError) as caught:
        await chain.first(name_of)
    assert (caught.value.reason, second.asked, len(told)) == (Reason.IMAGE_DAMAGED, 1, 1)


async def test_the_last_one_s_failure_is_the_answer() -> None:
    chain = Chain([Provider("first", Reason.OVERLOADED), Provider("last", Reason.INTERNAL)], fall_back_on=frozenset(Reason))
    with pytest.raises(GatewayError, match="said by last"):
        await chain.first(name_of)


async def test_it_is_well_as_long_as_one_that_would_be_asked_is_well() -> None:
    ill = Provider("cloud", Reason.UPSTREAM_UNAVAILABLE)
    await Chain([ill, Provider("local")], fall_back_on=frozenset({Reason.UPSTREAM_UNAVAILABLE})).check()
    with pytest.raises(GatewayError):
        await Chain([ill]).check()
