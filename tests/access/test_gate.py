import asyncio
import time
from datetime import UTC, datetime
from unittest.mock import AsyncMock, Mock

import pytest

from gateway.access.api_keys import ApiKeyAuthenticator
from gateway.access.authenticator import Authentication
from gateway.access.certificates import CertificateAuthenticator
from gateway.access.gate import Gate
from gateway.access.identity import Identity, RefusedError, Shown
from gateway.access.key_text import new_key
from gateway.access.operations import Operation
from gateway.access.tenants import KeyRecord, Limits, Roster, Tenant
from gateway.call import UNHURRIED
from gateway.errors import GatewayError, Reason
from gateway.telemetry.scope import Scope, entered

KEY, FRONT_KEY = new_key(), new_key()
SHOWN, FRONT = Shown(api_key=KEY.text), Shown(api_key=FRONT_KEY.text)


def roster(**more: object) -> Roster:
    tenants = {
        "shop": Tenant("shop", Limits("gold", operations=frozenset({Operation.TAGGING}), concurrency=1)),
        "front": Tenant("front", Limits("inner"), may_act_for=frozenset({"shop", "guest"})),
        "all": Tenant("all", Limits("inner"), may_act_for=frozenset({"*"})),
        "tried": Tenant("tried", Limits("new", operations=frozenset(), shadow=True)),
    }
    given = {
        "tenants": tenants,
        "keys": {KEY.id: KeyRecord("shop", KEY.hash), FRONT_KEY.id: KeyRecord("front", FRONT_KEY.hash)},
        "certificates": {"dns:tried.internal": "tried", "cn:everything": "all"},
        "subjects": {"shop@issuer": "shop"},
    }
    return Roster(**(given | more))


class Rosters:
    """The roster in force, which can be exchanged."""

    def __init__(self) -> None:
        self.current = roster()

    def __call__(self) -> Roster:
        return self.current


@pytest.fixture
def rosters() -> Rosters:
    return Rosters()


@pytest.fixture
def gate(rosters, metrics):
    asked = [ApiKeyAuthenticator(rosters, time.time), CertificateAuthenticator(rosters)]
    return Gate(Authentication(asked, allow_anonymous=False), rosters, metrics, time.monotonic)


async def refused(gate, shown: Shown, *claims: str, operation: Operation | None = None) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await gate.admit(shown, claims, operation)
    return caught.value


@pytest.mark.parametrize(
    ("shown", "tenant"),
    [
        (SHOWN, "shop"),
        (Shown(names=("ip:10.0.0.1", "dns:tried.internal")), "tried"),
        (Shown(api_key=KEY.text, names=("dns:tried.internal",)), "shop"),  # the first authenticator decides
        (Shown(api_key=KEY.text, names=("dns:stranger",)), "shop"),
    ],
)
async def test_callers_are_known_by_what_they_show(gate, counted, shown, tenant) -> None:
    assert (await gate.admit(shown, (), None)).tenant == tenant
    kind = "api_key" if shown.api_key else "certificate"
    assert counted("authentications_total", authenticator=kind, result="ok") == 1


async def test_whoever_shows_nothing_is_told_what_to_show(gate, counted) -> None:
    error = await refused(gate, Shown())
    assert error.reason is Reason.UNAUTHENTICATED
    assert "x-api-key: igk_…" in error.message
    assert "client certificate" in error.message
    assert counted("authentications_total", authenticator="none", result="missing") == 1


@pytest.mark.parametrize("shown", [Shown(bearer="eyJ.a.b"), Shown(names=("dns:stranger",))])
async def test_credentials_of_another_kind_are_none(gate, counted, shown) -> None:
    assert (await refused(gate, shown)).reason is Reason.UNAUTHENTICATED
    assert counted("authentications_total", authenticator="none", result="unknown") == 1


async def test_a_bad_credential_is_not_made_good_by_another(gate, counted) -> None:
    shown = Shown(api_key=new_key().text, names=("dns:tried.internal",))
    assert (await refused(gate, shown)).reason is Reason.UNAUTHENTICATED
    assert counted("authentications_total", authenticator="api_key", result="unknown") == 1


async def test_a_certificate_of_two_tenants_is_nobody_s(gate) -> None:
    error = await refused(gate, Shown(names=("dns:tried.internal", "cn:everything")))
    assert isinstance(error, RefusedError)
    assert error.why == "ambiguous"


async def test_the_tenant_is_the_authenticated_one(gate) -> None:
    assert (await gate.admit(SHOWN, ("shop",), None)).tenant == "shop"
    error = await refused(gate, SHOWN, "front")
    assert (error.reason, error.field) == (Reason.INVALID_ARGUMENT, "x-tenant-id")


@pytest.mark.parametrize("claimed", ["shop", "guest"])
async def test_a_front_service_may_act_for_others(gate, claimed) -> None:
    assert (await gate.admit(FRONT, (claimed,), None)).tenant == claimed
    assert (await gate.admit(FRONT, (), None)).tenant == "front"


async def test_a_front_service_may_act_for_no_more_than_it_says(gate) -> None:
    assert (await refused(gate, FRONT, "tried")).reason is Reason.INVALID_ARGUMENT
    assert (await gate.admit(Shown(names=("cn:everything",)), ("tried",), None)).tenant == "tried"


async def test_the_limits_are_those_of_the_tenant_that_is_acted_for(gate) -> None:
    assert (await gate.admit(FRONT, ("shop",), Operation.TAGGING)).places == 1
    assert (await refused(gate, FRONT, "shop", operation=Operation.DEFOG)).reason is Reason.PERMISSION_DENIED


async def test_a_tenant_does_what_it_is_allowed(gate, counted) -> None:
    await gate.admit(SHOWN, (), Operation.TAGGING)
    await gate.admit(SHOWN, (), None)
    error = await refused(gate, SHOWN, operation=Operation.DEFOG)
    assert (error.reason, error.measured, error.allowed) == (Reason.PERMISSION_DENIED, "defog", "tagging")
    assert counted("tenant_refusals_total", tenant_class="gold", limit="operation") == 1


async def test_in_shadow_it_does_all_and_that_is_counted_once_a_call(gate, counted) -> None:
    for _ in range(3):
        caller = await gate.admit(Shown(names=("dns:tried.internal",)), (), Operation.DEFOG)
        with caller.picture(), caller.picture():
            pass
    assert counted("tenant_shadow_refusals_total", tenant_class="new", limit="operation") == 3


async def test_a_tenant_that_is_not_listed_may_not_call_where_all_are(gate, rosters, counted) -> None:
    rosters.current = roster(others=None)
    assert (await refused(gate, FRONT, "guest")).reason is Reason.PERMISSION_DENIED
    assert counted("tenant_refusals_total", tenant_class="none", limit="tenant") == 1


async def test_the_scope_of_the_call_learns_who_calls(gate) -> None:
    with entered(Scope("method", "1")) as scope:
        await gate.admit(SHOWN, (), None)
    assert (scope.tenant, scope.tenant_class) == ("shop", "gold")


async def test_pictures_of_all_calls_of_a_tenant_are_counted_together(gate) -> None:
    one, other = [await gate.admit(SHOWN, (), None) for _ in range(2)]
    with one.picture(), pytest.raises(GatewayError), other.picture():
        pass
    with other.picture():
        pass


async def test_a_key_that_is_withdrawn_ends_a_stream_s_pictures(gate, rosters) -> None:
    caller = await gate.admit(SHOWN, (), None)
    with caller.picture():
        pass
    rosters.current = roster(keys={})
    with pytest.raises(GatewayError, match="withdrawn"), caller.picture():
        pass


@pytest.fixture
def timed(rosters, metrics, clock):
    """By the test's clock, with a token of a minute beside keys and certificates."""
    token = AsyncMock(return_value=Identity("shop", "jwt", subject="shop@issuer", until=clock.now + 60))
    tokens = Mock(kind="jwt", wanted="a token", identify=token)
    asked = [ApiKeyAuthenticator(rosters, clock), CertificateAuthenticator(rosters), tokens]
    return Gate(Authentication(asked, allow_anonymous=False), rosters, metrics, clock, now=clock)


def expiring(clock, seconds: float) -> dict[str, KeyRecord]:
    return {KEY.id: KeyRecord("shop", KEY.hash, expires=datetime.fromtimestamp(clock.now + seconds, UTC))}


def still_taken(caller) -> bool:
    try:
        with caller.picture():
            return True
    except GatewayError:
        return False


async def test_a_key_that_expires_ends_a_stream_s_pictures(timed, rosters, clock) -> None:
    rosters.current = roster(keys=expiring(clock, 60))
    caller = await timed.admit(SHOWN, (), Operation.TAGGING)
    clock.now += 59.9
    assert still_taken(caller)
    clock.now += 0.1
    assert not still_taken(caller)
    rosters.current = roster(keys=expiring(clock, 60))  # it has been prolonged
    assert still_taken(caller)


async def test_a_token_that_expires_ends_a_stream_s_pictures(timed, clock) -> None:
    caller = await timed.admit(Shown(bearer="a token"), (), Operation.TAGGING)
    clock.now += 59.9
    assert still_taken(caller)
    clock.now += 0.1
    with pytest.raises(RefusedError, match="expired"), caller.picture():
        pass


@pytest.mark.parametrize("kind", ["api_key", "certificate"])
async def test_a_stream_whose_credentials_are_withdrawn_is_counted_once(timed, rosters, counted, kind) -> None:
    shown = {"api_key": SHOWN, "certificate": Shown(names=("cn:everything",))}[kind]
    one, other = [await timed.admit(shown, (), Operation.TAGGING) for _ in range(2)]
    rosters.current = roster(keys={}, certificates={})
    assert not any(still_taken(caller) for caller in (one, one, one, other))
    assert counted("authentications_total", authenticator=kind, result="withdrawn") == 2


async def test_a_tenant_that_may_not_call_any_more_is_counted_in_streams_too(timed, rosters, counted) -> None:
    caller = await timed.admit(SHOWN, (), Operation.TAGGING)
    rosters.current = roster(tenants={}, others=None)
    assert not still_taken(caller)
    assert counted("tenant_refusals_total", tenant_class="none", limit="tenant") == 1


@pytest.mark.parametrize("subjects", [{}, {"shop@issuer": "front"}])
async def test_a_token_s_subject_that_is_removed_or_moved_ends_a_stream_s_pictures(timed, rosters, counted, subjects) -> None:
    caller = await timed.admit(Shown(bearer="a token"), (), Operation.TAGGING)
    rosters.current = roster(subjects={"shop@issuer": "shop", "another": "front"})
    assert still_taken(caller)
    rosters.current = roster(subjects=subjects)
    assert not still_taken(caller)
    assert counted("authentications_total", authenticator="jwt", result="withdrawn") == 1


async def test_an_operation_that_is_taken_away_ends_a_stream_s_pictures(timed, rosters, counted) -> None:
    caller = await timed.admit(SHOWN, (), Operation.TAGGING)
    assert still_taken(caller)
    rosters.current = roster(tenants={"shop": Tenant("shop", Limits("gold", operations=frozenset({Operation.DEFOG})))})
    assert not still_taken(caller)
    assert counted("tenant_refusals_total", tenant_class="gold", limit="operation") == 1


async def test_what_a_front_service_may_no_more_ends_its_stream_s_pictures(timed, rosters) -> None:
    caller = await timed.admit(FRONT, ("shop",), Operation.TAGGING)
    assert still_taken(caller)
    tenants = roster().tenants
    rosters.current = roster(tenants={"shop": tenants["shop"], "front": Tenant("front", Limits("inner"))})
    assert not still_taken(caller)


async def test_a_certificate_s_name_that_is_withdrawn_ends_a_stream_s_pictures(timed, rosters) -> None:
    caller = await timed.admit(Shown(names=("cn:everything",)), (), Operation.TAGGING)
    assert still_taken(caller)
    rosters.current = roster(certificates={"cn:everything": "shop"})
    assert not still_taken(caller)


@pytest.mark.parametrize("removed", ["dns:tried.internal", "cn:tried"])
async def test_a_certificate_of_several_names_is_the_tenant_s_while_one_is(timed, rosters, removed) -> None:
    names = {"dns:tried.internal": "tried", "cn:tried": "tried"}
    rosters.current = roster(certificates=names)
    shown = Shown(names=("cn:tried", "dns:tried.internal"))
    caller = await timed.admit(shown, (), Operation.TAGGING)
    rosters.current = roster(certificates={name: tenant for name, tenant in names.items() if name != removed})
    assert still_taken(caller)
    assert (await timed.admit(shown, (), Operation.TAGGING)).tenant == "tried"
    rosters.current = roster(certificates={})
    assert not still_taken(caller)


async def test_an_item_whose_credentials_are_withdrawn_while_it_waits_is_refused_and_keeps_no_place(timed, rosters) -> None:
    caller, other = [await timed.admit(shown, ("shop",), Operation.TAGGING) for shown in (SHOWN, FRONT)]
    with caller.picture():  # the tenant's only place
        waiting = asyncio.create_task(caller.turn(UNHURRIED))
        await asyncio.sleep(0)
        rosters.current = roster(keys={FRONT_KEY.id: KeyRecord("front", FRONT_KEY.hash)})
        assert not waiting.done()
    with pytest.raises(RefusedError, match="withdrawn"):
        await waiting
    (await other.turn(UNHURRIED))()


async def test_while_nothing_changes_pictures_are_not_judged_anew(timed, clock, monkeypatch) -> None:
    caller = await timed.admit(SHOWN, (), Operation.TAGGING)
    assert still_taken(caller)
    monkeypatch.setattr(timed, "check_again", Mock(side_effect=AssertionError))
    clock.now += 3600
    assert still_taken(caller)


async def test_limits_that_change_hold_for_calls_under_way(gate, rosters) -> None:
    caller = await gate.admit(SHOWN, (), None)
    rosters.current = roster(tenants={"shop": Tenant("shop", Limits(concurrency=2))})
    with caller.picture(), caller.picture():
        pass


@pytest.mark.parametrize("allow", [False, True])
async def test_without_authenticators_callers_are_who_they_say(metrics, allow) -> None:
    gate = Gate(Authentication([], allow_anonymous=allow), roster, metrics, time.monotonic)
    assert not gate.asks
    assert (await gate.admit(Shown(), ("shop",), Operation.TAGGING)).places == 1
    assert (await gate.admit(Shown(), (), None)).tenant == ""


async def test_anonymous_callers_may_be_allowed_beside_known_ones(rosters, metrics) -> None:
    asked = [ApiKeyAuthenticator(rosters, time.time)]
    gate = Gate(Authentication(asked, allow_anonymous=True), rosters, metrics, time.monotonic)
    assert (await gate.admit(Shown(), (), None)).tenant == ""
    assert (await gate.admit(SHOWN, (), None)).tenant == "shop"
    assert (await refused(gate, Shown(), "shop")).reason is Reason.INVALID_ARGUMENT  # not without a key
    assert (await refused(gate, Shown(api_key=new_key().text))).reason is Reason.UNAUTHENTICATED
    assert (await refused(gate, Shown(bearer="x"))).reason is Reason.UNAUTHENTICATED
    assert "no bearer token" in (await refused(gate, Shown(unsupported=True))).message
    assert (await gate.admit(Shown(api_key=KEY.text, unsupported=True), (), None)).tenant == "shop"  # a proxy's, perhaps
    assert (await gate.admit(Shown(names=("dns:stranger",)), (), None)).tenant == ""  # of the connection, not of the call


async def test_credentials_of_a_kind_that_is_not_known_are_counted_as_such(gate, counted) -> None:
    assert (await refused(gate, Shown(unsupported=True))).reason is Reason.UNAUTHENTICATED
    assert counted("authentications_total", authenticator="none", result="unsupported") == 1


async def test_tenants_that_nobody_lists_take_bounded_memory(metrics) -> None:
    gate = Gate(Authentication([], allow_anonymous=True), lambda: Roster(others=Limits(concurrency=1)), metrics, time.monotonic)
    busy = gate.allowance("busy")
    with busy.picture():
        for number in range(10_000):
            gate.allowance(str(number))
        assert gate.allowance("busy") is busy
    assert len(gate._allowances) <= 4097
