import itertools

import pytest

from gateway.rest.replay import ReplayError, Replays

LIFETIME = 900.0


def signature(number: int) -> str:
    return f"{number:064x}"


@pytest.fixture
def replays(clock) -> Replays:
    return Replays(clock, LIFETIME, grace=2.0, most_kept=10)


def arrive(replays: Replays, number: int, signed_at: float, user: str = "ada") -> None:
    replays.check(user, signature(number), signed_at)
    replays.remember(user, signature(number), signed_at)


def test_the_same_signature_comes_once(replays, clock) -> None:
    arrive(replays, 1, clock.now)
    clock.now += 2
    for _ in range(3):
        with pytest.raises(ReplayError, match="came before"):
            arrive(replays, 1, clock.now - 2)
    arrive(replays, 2, clock.now - 2)


@pytest.mark.parametrize("skew", [-LIFETIME + 2, -1.0, 0.0, 1.0, LIFETIME])
def test_within_the_grace_after_the_first_it_may_come_again_whatever_its_clock(replays, clock, skew) -> None:
    signed_at = clock.now + skew
    arrive(replays, 1, signed_at)
    clock.now += 1.0
    arrive(replays, 1, signed_at)
    clock.now += 1.0  # two seconds after the first, not after the second
    with pytest.raises(ReplayError):
        arrive(replays, 1, signed_at)


def test_a_clock_that_is_set_back_opens_nothing(replays, clock) -> None:
    arrive(replays, 1, clock.now)
    clock.now -= 60
    with pytest.raises(ReplayError):
        arrive(replays, 1, clock.now + 60)


def test_without_grace_it_never_comes_again(clock) -> None:
    replays = Replays(clock, LIFETIME, grace=0.0)
    arrive(replays, 1, clock.now)
    with pytest.raises(ReplayError):
        arrive(replays, 1, clock.now)


def test_what_was_not_remembered_may_come_again(replays, clock) -> None:
    replays.check("ada", signature(1), clock.now)
    clock.now += 10
    replays.check("ada", signature(1), clock.now - 10)


@pytest.mark.parametrize("skew", [-LIFETIME, 0.0, LIFETIME])
def test_it_is_kept_as_long_as_its_signing_time_is_accepted(replays, clock, skew) -> None:
    signed_at = clock.now + skew
    arrive(replays, 0, signed_at)
    for number in itertools.count(1):
        clock.now += 100
        if clock.now > signed_at + LIFETIME:
            break
        arrive(replays, number % 5 + 1000 * number, clock.now)
        with pytest.raises(ReplayError):
            arrive(replays, 0, signed_at)


def test_at_the_limit_the_window_narrows_and_no_replay_passes(replays, clock) -> None:
    start = clock.now
    for number in range(30):
        clock.now = start + number
        arrive(replays, number, clock.now)
    clock.now += 10
    for number in range(30):
        with pytest.raises(ReplayError):
            arrive(replays, number, start + number)
    with pytest.raises(ReplayError, match="is the clock right"):
        arrive(replays, 99, start + 19)
    arrive(replays, 99, start + 20)


def test_what_is_too_old_makes_room(replays, clock) -> None:
    for number in range(100):
        clock.now += 200  # five at a time are young enough
        arrive(replays, number, clock.now)
    assert replays._users["ada"].count == 5
    arrive(replays, 1000, clock.now - LIFETIME)


def test_nothing_comes_after_its_time_however_long_its_body_took(replays, clock) -> None:
    signed_at = clock.now
    arrive(replays, 1, signed_at)
    clock.now += LIFETIME + 1
    arrive(replays, 2, clock.now)
    with pytest.raises(ReplayError, match="15 minutes"):
        arrive(replays, 1, signed_at)


def test_users_are_apart(replays, clock) -> None:
    start = clock.now
    arrive(replays, 500, start, user="eve")
    for number in range(30):
        arrive(replays, number, start + number)
    clock.now += 10
    arrive(replays, 501, start, user="eve")
    with pytest.raises(ReplayError):
        arrive(replays, 500, start, user="eve")


def test_memory_is_bounded(replays, clock) -> None:
    for number in range(1000):
        arrive(replays, number, clock.now + number)
    assert replays._users["ada"].count <= 10
    assert sum(len(together) for together in replays._users["ada"]._by_time.values()) <= 10
