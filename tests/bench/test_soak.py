"""A small soak against the real server; and that each check fails when what it is about is wrong."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from bench.soak.account import Account, Bill
from bench.soak.checks import STORMY, Group, checks
from bench.soak.drills import drills
from bench.soak.footprint import Footprint
from bench.soak.ledger import End, Ledger
from bench.soak.questions import Questions
from bench.soak.report import report
from bench.soak.run import soak, stormy
from bench.soak.weather import WEIGHTS, Weather
from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.provider import CloudProvider
from gateway.upstream.resilience.settings import RetrySettings
from tests.upstream.misbehaving.books import Books
from tests.upstream.misbehaving.fault import Fault

QUICK = {fault: weight for fault, weight in WEIGHTS.items() if weight >= 20} | {Fault.TOKEN_REVOKED: 1.0}
SMALL = Weather(seed=3, share=0.17, storm_every=0, latency=0.002, weights=QUICK)
CALLS = 800
DRILLS = {drill.plan.title: drill for drill in drills(CALLS, seed=3)}


class Forgetful(CloudProvider):
    """Throws a good answer away now and then, and asks again."""

    async def tag(self, *asked: object):
        await super().tag(*asked)
        return await super().tag(*asked)


class Muddled(CloudProvider):
    """Gives each call the answer of the one before."""

    last = None

    async def tag(self, *asked: object):
        last, self.last = self.last, await super().tag(*asked)
        return last or self.last


class Leaky(CloudProvider):
    """Leaves its connections open and a task behind."""

    async def aclose(self) -> None:
        self.leak = asyncio.create_task(asyncio.Event().wait())


def failing(account: Account, groups: Iterable[Group] = STORMY) -> set[str]:
    return {check.name for check in checks(account, groups) if not check.holds}


def told(account: Account, groups: Iterable[Group] = STORMY) -> str:
    return report([(account, checks(account, groups))])


@pytest.mark.slow
@pytest.mark.parametrize("credentials", ["token", "keys"])
async def test_a_small_soak_holds(credentials) -> None:
    account = await soak(stormy(credentials, CALLS, 8, SMALL))
    assert failing(account) == set(), told(account)
    assert account.books.faults.total() >= CALLS // 10
    assert account.ledger.count(End.REFUSED) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("provider", "what"),
    [
        (Forgetful, {"calls made again though the server had answered"}),
        (Muddled, {"answers to another call"}),
        (Leaky, {"tasks left over", "files and sockets left open", "connections that the server still has"}),
    ],
)
async def test_a_provider_that_is_wrong_does_not_pass(provider, what) -> None:
    opened = []

    def open_provider(*given: object) -> CloudProvider:
        opened.append(provider(*given))
        return opened[0]

    account = await soak(stormy("token", 100, 8, replace(SMALL, share=0.0)), open_provider)
    assert what <= failing(account)
    if provider is Leaky:
        opened[0].leak.cancel()
        await CloudProvider.aclose(opened[0])


@pytest.mark.slow
@pytest.mark.parametrize("drill", DRILLS)
async def test_small_drills_hold(drill) -> None:
    account = await soak(DRILLS[drill].plan, DRILLS[drill].open_provider)
    groups = DRILLS[drill].groups
    assert failing(account, groups) == set(), told(account, groups)


@pytest.mark.slow
async def test_asking_again_for_lost_replies_is_found_in_the_books() -> None:
    weather = replace(SMALL, share=0.2, weights={Fault.RESET_AFTER_WORK: 1.0, Fault.CLOSE_AFTER_WORK: 1.0})
    plan = stormy("token", 100, 8, weather)
    again = plan.policies._replace(retry=RetrySettings(lost_replies=True, base_delay=0.01))
    assert "calls whose work was done more than once" not in failing(await soak(plan))
    assert "calls whose work was done more than once" in failing(await soak(replace(plan, policies=again)))


def settled() -> Account:
    """Ten calls of two tenants: eight are answered, one is refused, one given up. Both sides agree."""
    ledger, books, questions = Ledger(10), Books(), Questions("run")
    books.faults = Counter({Fault.REFUSED: 1})
    books.connections, books.sign_ins, books.most_under_way = 1, 1, 2
    for number in range(10):
        marker, tenant = questions.marker(number), ("ada", "bob")[number % 2]
        books.received[marker] += 1
        books.billed[marker] += number > 0
        books.answered[marker] += number > 0
        match number:
            case 0:
                detail = UpstreamDetail(attempts=1)
                ledger.refused(number, tenant, GatewayError(Reason.IMAGE_DAMAGED, "damaged", upstream=detail))
            case 1:
                ledger.record(number, tenant, End.GIVEN_UP)
            case _:
                ledger.record(number, tenant, End.ANSWERED, attempts=1)
    footprint = Footprint(tasks=1, files=10, memory=1 << 20)
    return Account(
        title="token",
        concurrency=2,
        questions=questions,
        ledger=ledger,
        books=books,
        bill=Bill(10, 8, 1),
        shares=Counter(ada=4, bob=4),
        before=footprint,
        warm=footprint,
        after=footprint,
        seconds=1.0,
    )


def test_accounts_that_agree() -> None:
    assert failing(settled()) == set()


def _counted(account: Account, counts: str, number: int, by: int) -> None:
    getattr(account.books, counts)[account.questions.marker(number)] += by


WRONGS: dict[str, Callable[[Account], object]] = {
    "requests that the server struck": lambda it: it.books.faults.clear(),
    "calls that ended exactly once": lambda it: it.ledger.record(5, "ada", End.ANSWERED, 1),
    "answers to another call": lambda it: it.ledger.ends.__setitem__(5, End.MISTAKEN),
    "errors without a type": lambda it: it.ledger.ends.__setitem__(5, End.UNTYPED),
    "errors that are the gateway's own fault": lambda it: it.ledger.reasons.update([Reason.INTERNAL]),
    "calls answered": lambda it: it.ledger.ends.__setitem__(5, End.GIVEN_UP),
    "calls refused to the caller though the server had answered": lambda it: _counted(it, "answered", 0, 1),
    "calls made again though the server had answered": lambda it: _counted(it, "answered", 5, 1),
    "calls answered to the caller and not by the server, once": lambda it: _counted(it, "answered", 5, -1),
    "calls with more requests at the server than the client says": lambda it: _counted(it, "received", 5, 1),
    "requests that the server did not understand": lambda it: it.books.stray.append("what?"),
    "calls billed by the server, and counted by the client": lambda it: _counted(it, "billed", 1, 1),
    "calls whose work was done more than once": lambda it: _counted(it, "billed", 5, 1),
    "requests that arrived": lambda it: _counted(it, "received", 1, 1),
    "sign-ins": lambda it: setattr(it.books, "sign_ins", 2),
    "requests at once, at the server": lambda it: setattr(it.books, "most_under_way", 3),
    "answers to the least served tenant, of an equal share": lambda it: it.shares.update(ada=4),
    "connections that the server still has": lambda it: setattr(it.books, "open_connections", 1),
}


@pytest.mark.parametrize("name", WRONGS)
def test_each_check_fails_when_it_should(name) -> None:
    account = settled()
    WRONGS[name](account)
    assert name in failing(account)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("requests for each call that had any", {"bill": Bill(11, 8, 3)}),
        ("requests that met a closed connection", {"bill": Bill(10, 8, 1, stale=2 * 2 + 1)}),
        ("tasks left over", {"after": Footprint(2, 10, 1 << 20)}),
        ("files and sockets left open", {"after": Footprint(1, 11, 1 << 20)}),
        ("growth of memory, MiB", {"after": Footprint(1, 10, 30 << 20)}),
    ],
)
def test_what_is_not_in_the_books(name, changes) -> None:
    assert name in failing(replace(settled(), **changes))


def _lavish(account: Account) -> None:
    object.__setattr__(account, "bill", Bill(1000, 8, 1))


WRONGS_OF_DRILLS: dict[str, dict[str, Callable[[Account], object]]] = {
    "a short queue before a cloud that throttles": {
        "requests for the calls that had any": _lavish,
        "calls refused without a request": lambda _: None,
    },
    "deadlines shorter than a cloud takes that hangs": {
        "calls that were spared the wait": lambda _: None,
        "requests to the cloud that hangs": _lavish,
    },
    "a second request beside a slow one": {
        "calls that hung to the end, of those struck": lambda _: None,
        "calls whose work was done more than once": lambda it: [_counted(it, "billed", number, 2) for number in range(50)],
    },
    "the same asked again and again": {
        "answers that were paid for again": lambda it: _counted(it, "billed", 5, 1),
        "requests": _lavish,
        "answers for each request": lambda _: None,
    },
}
"""What alone is asked of drills. Of the accounts of `settled` some of it does not hold."""


@pytest.mark.parametrize(("drill", "name"), [(drill, name) for drill, wrongs in WRONGS_OF_DRILLS.items() for name in wrongs])
def test_each_check_of_a_drill_fails_when_it_should(drill, name) -> None:
    account = settled()
    WRONGS_OF_DRILLS[drill][name](account)
    assert name in failing(account, DRILLS[drill].groups)


def test_every_check_of_a_drill_has_been_seen_to_fail() -> None:
    shared = {check.name for check in checks(settled(), STORMY)}
    for title, drill in DRILLS.items():
        asked = {check.name for check in checks(settled(), drill.groups)}
        assert asked - shared <= WRONGS_OF_DRILLS[title].keys() <= asked


def test_every_check_has_been_seen_to_fail() -> None:
    seen = {
        *WRONGS,
        "requests for each call that had any",
        "requests that met a closed connection",
        "tasks left over",
        "files and sockets left open",
    }
    assert {check.name for check in checks(settled(), STORMY)} == seen | {"growth of memory, MiB"}


def test_a_report_says_what_does_not_hold() -> None:
    account = settled()
    assert "does not hold" not in told(account)
    account.books.stray.append("what?")
    assert "| requests that the server did not understand | 1 | 0 | **does not hold** |" in told(account)
