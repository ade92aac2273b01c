import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.errors import GatewayError, Reason
from gateway.upstream.outcome import Outcome
from gateway.upstream.resilience.breaker import Breaker, Breakers, BreakerState, Passage
from gateway.upstream.resilience.settings import BreakerSettings

from .virtual_time import Clock

FAILURES = (Outcome.NOT_SENT, Outcome.LOST, Outcome.FAILED, Outcome.MALFORMED)
ANSWERS = (Outcome.REFUSED, Outcome.UNAUTHENTICATED, Outcome.THROTTLED)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock):
    def make(**values) -> Breaker:
        return Breaker(BreakerSettings(**values), clock, lambda: 0.0)

    return make


def attempt(breaker: Breaker, *outcomes: Outcome) -> None:
    for outcome in outcomes:
        with breaker.admit() as passage:
            passage.record(outcome)


def refusal(breaker: Breaker) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        breaker.admit()
    assert caught.value.reason is Reason.UPSTREAM_SUSPENDED
    return caught.value


@pytest.mark.parametrize("outcome", Outcome)
def test_what_counts_as_failure(make, outcome) -> None:
    breaker = make(failures=2)
    attempt(breaker, outcome, outcome)
    assert breaker.state is (BreakerState.OPEN if outcome in FAILURES else BreakerState.CLOSED)


def test_failures_one_after_another(make) -> None:
    breaker = make(failures=3)
    attempt(breaker, Outcome.FAILED, Outcome.LOST, Outcome.SUCCESS, Outcome.FAILED, Outcome.LOST)
    assert breaker.state is BreakerState.CLOSED
    attempt(breaker, Outcome.REFUSED, Outcome.THROTTLED, Outcome.STALE, Outcome.UNAUTHENTICATED)  # neither here nor there
    assert breaker.state is BreakerState.CLOSED
    attempt(breaker, Outcome.NOT_SENT)
    assert breaker.state is BreakerState.OPEN


def test_the_share_of_failures_in_the_window(make, clock) -> None:
    breaker = make(failures=100, share=0.5, calls=20, window=30)
    attempt(breaker, *[Outcome.FAILED, Outcome.SUCCESS] * 9, Outcome.FAILED)
    assert breaker.state is BreakerState.CLOSED  # 19 are too few
    attempt(breaker, Outcome.FAILED)
    assert breaker.state is BreakerState.OPEN

    late = make(failures=100, share=0.5, calls=20, window=30)
    attempt(late, *[Outcome.FAILED] * 15)
    clock.now += 31
    attempt(late, *[Outcome.FAILED] * 15)
    assert late.state is BreakerState.CLOSED


def test_once_it_works_again_what_was_before_is_forgotten(make, clock) -> None:
    breaker = make(failures=100, share=0.5, calls=20, window=30, pause=5)
    attempt(breaker, *[Outcome.FAILED] * 20)
    assert breaker.state is BreakerState.OPEN
    clock.now += 5
    attempt(breaker, Outcome.SUCCESS, Outcome.FAILED)
    assert breaker.state is BreakerState.CLOSED


def test_while_open_nothing_passes_and_callers_are_told_for_how_long(make, clock) -> None:
    breaker = make(failures=1, pause=5)
    attempt(breaker, Outcome.FAILED)
    clock.now += 2
    assert refusal(breaker).retry_after == pytest.approx(3)
    with pytest.raises(GatewayError):
        breaker.check()
    clock.now += 3
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.check()
    breaker.check()  # takes no probe's place
    attempt(breaker, Outcome.SUCCESS)
    assert breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize("answer", [Outcome.SUCCESS, *ANSWERS])
def test_a_probe_that_is_answered_closes_it_whatever_the_answer(make, clock, answer) -> None:
    breaker = make(failures=1)
    attempt(breaker, Outcome.FAILED)
    clock.now += 5
    attempt(breaker, answer)
    assert breaker.state is BreakerState.CLOSED


def test_each_probe_that_fails_doubles_the_pause_up_to_the_longest(make, clock) -> None:
    breaker, pauses = make(failures=1, pause=5, max_pause=300), []
    for _ in range(9):
        attempt(breaker, Outcome.FAILED)
        pauses.append(refusal(breaker).retry_after)
        clock.now += pauses[-1]
    assert pauses == pytest.approx([5, 10, 20, 40, 80, 160, 300, 300, 300])
    attempt(breaker, Outcome.SUCCESS, Outcome.FAILED)
    assert refusal(breaker).retry_after == pytest.approx(5)


def test_pauses_differ_between_replicas(clock) -> None:
    pauses = []
    for random in (0.0, 0.999):
        breaker = Breaker(BreakerSettings(failures=1, pause=10), clock, lambda random=random: random)
        attempt(breaker, Outcome.FAILED)
        pauses.append(refusal(breaker).retry_after)
    assert pauses == pytest.approx([10, 8], abs=0.01)


@pytest.mark.parametrize("probes", [1, 3])
def test_so_many_probes_at_once(make, clock, probes) -> None:
    breaker = make(failures=1, probes=probes)
    attempt(breaker, Outcome.FAILED)
    clock.now += 5
    passages = [breaker.admit() for _ in range(probes)]
    assert refusal(breaker).retry_after == 1.0
    with passages[0]:
        pass  # cancelled
    again = breaker.admit()
    refusal(breaker)
    again.record(Outcome.STALE)  # tells of its connection only
    assert breaker.state is BreakerState.HALF_OPEN
    attempt(breaker, Outcome.SUCCESS)
    assert breaker.state is BreakerState.CLOSED


def test_a_cancelled_probe_counts_as_nothing(make, clock) -> None:
    breaker = make(failures=1)
    attempt(breaker, Outcome.FAILED)
    clock.now += 5
    with pytest.raises(ZeroDivisionError), breaker.admit():
        raise ZeroDivisionError
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.check()


def test_what_was_admitted_before_tells_nothing_of_now(make, clock) -> None:
    breaker = make(failures=1)
    slow_failure, slow_success = breaker.admit(), breaker.admit()
    attempt(breaker, Outcome.FAILED)
    slow_success.record(Outcome.SUCCESS)
    assert breaker.state is BreakerState.OPEN
    clock.now += 5
    attempt(breaker, Outcome.SUCCESS)
    slow_failure.record(Outcome.FAILED)
    assert breaker.state is BreakerState.CLOSED


def test_the_first_word_counts(make) -> None:
    breaker = make(failures=2)
    with breaker.admit() as passage:
        passage.record(Outcome.FAILED)
        passage.record(Outcome.FAILED)
    assert breaker.state is BreakerState.CLOSED


def test_it_can_be_switched_off(make) -> None:
    breaker = make(enabled=False, failures=1)
    attempt(breaker, *[Outcome.FAILED] * 50)
    assert breaker.state is BreakerState.CLOSED


def test_each_operation_of_each_endpoint_has_its_own(clock) -> None:
    breakers = Breakers(BreakerSettings(failures=1), clock, lambda: 0.0)
    attempt(breakers.of("here", "tagging"), Outcome.FAILED)
    assert breakers.of("here", "defog").state is BreakerState.CLOSED
    assert breakers.of("there", "tagging").state is BreakerState.CLOSED
    assert breakers.states() == {
        ("here", "tagging"): BreakerState.OPEN,
        ("here", "defog"): BreakerState.CLOSED,
        ("there", "tagging"): BreakerState.CLOSED,
    }


class BreakerMachine(RuleBasedStateMachine):
    """Against a model: consecutive failures only (the window is too large to matter), two probes, pauses without jitter."""

    TRIPS_AT, PROBES, PAUSE, LONGEST = 3, 2, 5.0, 40.0

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        settings = BreakerSettings(
            failures=self.TRIPS_AT, probes=self.PROBES, pause=self.PAUSE, max_pause=self.LONGEST, calls=100_000
        )
        self.breaker = Breaker(settings, self.clock, lambda: 0.0)
        self.state = "closed"
        self.failures = self.openings = 0
        self.reopens_at = 0.0
        self.epoch = 0
        self.under_way: list[tuple[int, Passage]] = []

    @property
    def probing(self) -> int:
        return sum(epoch == self.epoch for epoch, _ in self.under_way)

    @rule()
    def admit(self) -> None:
        open_now = self.state == "open" and (self.clock.now < self.reopens_at or self.probing >= self.PROBES)
        if open_now:
            error = refusal(self.breaker)
            assert 0 < error.retry_after <= self.LONGEST
        else:
            self.under_way.append((self.epoch, self.breaker.admit()))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), outcome=st.sampled_from([None, *Outcome, *FAILURES]))
    def end(self, data, outcome) -> None:
        epoch, passage = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        with passage:
            if outcome is not None:
                passage.record(outcome)
        if epoch != self.epoch:
            return
        if self.state == "closed":
            if outcome in FAILURES:
                self.failures += 1
            elif outcome is Outcome.SUCCESS:
                self.failures = 0
            if self.failures == self.TRIPS_AT:
                self._opens()
        elif outcome in FAILURES:
            self._opens()
        elif outcome is Outcome.SUCCESS or outcome in ANSWERS:
            self.state, self.failures, self.openings = "closed", 0, 0
            self.epoch += 1

    def _opens(self) -> None:
        self.state, self.failures = "open", 0
        self.reopens_at = self.clock.now + min(self.LONGEST, self.PAUSE * 2**self.openings)
        self.openings += 1
        self.epoch += 1

    @rule(seconds=st.sampled_from([0.5, 4.0, 5.0, 21.0]))
    def wait(self, seconds) -> None:
        self.clock.now += seconds

    @invariant()
    def agrees(self) -> None:
        expected = self.state
        if expected == "open" and self.clock.now >= self.reopens_at:
            expected = "half_open"
        assert self.breaker.state == expected


TestBreakerMachine = BreakerMachine.TestCase


def test_new_settings_hold_for_those_that_are_there_and_those_to_come(clock) -> None:
    breakers = Breakers(BreakerSettings(failures=5, window=30), clock, lambda: 0.0)
    there = breakers.of("https://e", "tagging")
    attempt(there, Outcome.FAILED)
    breakers.adopt(BreakerSettings(failures=2, window=30, pause=7))
    attempt(there, Outcome.FAILED)
    assert refusal(there).retry_after == pytest.approx(7)
    breakers.adopt(BreakerSettings(failures=1, window=10, enabled=False))
    assert there.state is BreakerState.OPEN  # for as long as was said
    other = breakers.of("https://e", "defog")
    attempt(other, Outcome.FAILED)
    assert other.state is BreakerState.CLOSED
