import pytest

from gateway.upstream.credentials.refusals import LONGEST_PAUSE, PAUSE, Refusals
from gateway.upstream.credentials.token import Token

NOW = 1_800_000_000.0


class Account:
    """Signs in whenever it is time to."""

    def __init__(self) -> None:
        self.now = NOW
        self.refusals = Refusals(lambda: self.now)
        self.token = Token("token 0", "p7", NOW, NOW + 86_400)
        self.sign_ins: list[float] = []

    def accepted(self) -> None:
        self.refusals.accept(self.token)

    def refused(self) -> bool:
        """Whether that was worth a sign-in."""
        if not self.refusals.refuse(self.token):
            return False
        self.sign_ins.append(self.now - NOW)
        new = Token(f"token {len(self.sign_ins)}", "p7", self.now, self.now + 86_400)
        self.refusals.replace(self.token, new)
        self.token = new
        return True

    def goes_on(self, seconds: float, *, others_every: float = 0.0) -> None:
        """One operation is refused twice a second, which others are not."""
        others_at = self.now
        until = self.now + seconds
        while self.now < until:
            if others_every and self.now >= others_at:
                self.accepted()
                others_at += others_every
            self.refused()
            self.now += 0.5


@pytest.fixture
def account() -> Account:
    return Account()


def test_a_token_that_was_taken_a_moment_ago_and_is_refused_is_replaced_at_once(account) -> None:
    account.accepted()
    account.now += 1
    assert account.refused()


@pytest.mark.parametrize("apart", [0.0, 1.0, 30.0, 3600.0])
def test_two_tokens_that_are_revoked_are_both_replaced_soon(account, apart) -> None:
    account.accepted()
    assert account.refused()
    account.accepted()
    account.now += apart
    while not account.refused():
        account.now += 0.5
    assert account.sign_ins == [0, max(apart, PAUSE)]
    account.accepted()


def test_as_long_as_new_tokens_are_refused_too_sign_ins_become_rare(account) -> None:
    account.goes_on(1300)
    assert account.sign_ins == [0, 5, 15, 35, 75, 155, 315, 615, 915, 1215]


def test_one_operation_that_refuses_what_others_take_costs_no_more(account) -> None:
    account.goes_on(1300, others_every=2)
    assert account.sign_ins == [0, 5, 15, 35, 75, 155, 315, 615, 915, 1215]


def test_a_token_that_dies_while_one_operation_refuses_it_anyhow_is_replaced_soon(account) -> None:
    account.goes_on(1000, others_every=2)
    last = account.sign_ins[-1]
    died_at = account.now - NOW
    assert died_at - last < LONGEST_PAUSE / 2
    account.goes_on(PAUSE + 3)
    assert 0 < account.sign_ins[-1] - died_at <= PAUSE


def test_sign_ins_stay_apart_however_seldom_others_call(account) -> None:
    account.goes_on(1000, others_every=20)
    assert all(later - earlier >= PAUSE for earlier, later in zip(account.sign_ins, account.sign_ins[1:], strict=False))
    assert len(account.sign_ins) <= 1000 / 20 + 5


def test_after_a_new_token_that_helped_the_pause_is_short_again(account) -> None:
    account.goes_on(400)
    account.now += LONGEST_PAUSE
    assert account.refused()
    account.accepted()
    account.now += 3600
    account.sign_ins.clear()
    account.token = Token("renewed", "p7", account.now, account.now + 86_400)
    assert account.refused()
    account.now += PAUSE
    assert account.refused()


def test_a_routine_renewal_counts_for_nothing(account) -> None:
    account.refusals.replace(None, account.token)
    renewed = Token("renewed", "p7", NOW, NOW + 86_400)
    account.refusals.replace(account.token, renewed)
    assert account.refusals.refuse(renewed)


def test_a_clock_that_is_set_back_does_not_prolong_a_pause(account) -> None:
    assert account.refused()
    account.now -= 1_000_000
    assert account.refused()
