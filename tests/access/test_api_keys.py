import re
from datetime import UTC, datetime, timedelta

import pytest

from gateway.access.api_keys import ApiKeyAuthenticator
from gateway.access.identity import Identity, RefusedError, Shown
from gateway.access.key_text import HASH_FORM, ID_FORM, new_key, read_key
from gateway.access.tenants import KeyRecord, Roster
from gateway.errors import Reason

KEY = new_key()


def authenticator(clock, **keys: KeyRecord) -> ApiKeyAuthenticator:
    return ApiKeyAuthenticator(lambda: Roster(keys=keys), clock)


def known(**times: datetime) -> dict[str, KeyRecord]:
    return {KEY.id: KeyRecord("shop", KEY.hash, **times)}


def at(clock, seconds: float) -> datetime:
    return datetime.fromtimestamp(clock.now, UTC) + timedelta(seconds=seconds)


async def refused(asked: ApiKeyAuthenticator, text: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await asked.identify(Shown(api_key=text))
    assert caught.value.reason is Reason.UNAUTHENTICATED
    return caught.value


def test_keys_are_random_long_and_read_back() -> None:
    one, other = new_key(), new_key()
    assert one.id != other.id
    assert one.secret != other.secret
    assert len(one.secret) == 43  # 256 bits in base64
    assert read_key(one.text) == one
    assert re.fullmatch(ID_FORM, one.id)
    assert re.fullmatch(HASH_FORM, one.hash)
    assert one.secret not in one.hash


def test_a_key_is_not_shown_by_accident() -> None:
    assert KEY.secret not in repr(KEY)
    assert KEY.hash not in repr(KeyRecord("shop", KEY.hash))
    assert KEY.text not in repr(Shown(bearer=KEY.text, api_key=KEY.text))


@pytest.mark.parametrize("shown", [Shown(api_key=KEY.text), Shown(bearer=KEY.text)])
async def test_a_key_is_known_wherever_it_is_sent(clock, shown) -> None:
    assert await authenticator(clock, **known()).identify(shown) == Identity("shop", "api_key", KEY.id)


@pytest.mark.parametrize("shown", [Shown(), Shown(bearer="eyJ.a.b"), Shown(names=("dns:a",))])
async def test_other_credentials_are_left_to_others(clock, shown) -> None:
    assert await authenticator(clock, **known()).identify(shown) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text + "x",
        str.upper,
        lambda _: "igk_",
        lambda _: "secret",
        lambda text: text + "\n",
        lambda _: "é" * 30,
    ],
)
async def test_what_is_no_key_is_refused(clock, spoil) -> None:
    assert (await refused(authenticator(clock, **known()), spoil(KEY.text))).why == "malformed"


async def test_a_wrong_secret_an_unknown_id_and_a_revoked_key_are_told_alike(clock) -> None:
    wrong = KEY._replace(secret=new_key().secret).text
    errors = [
        await refused(authenticator(clock, **known()), wrong),
        await refused(authenticator(clock, **known()), new_key().text),
        await refused(authenticator(clock), KEY.text),
    ]
    assert {(error.why, str(error)) for error in errors} == {("unknown", "the API key is not known here, or not any more")}
    assert KEY.secret not in str(errors)


async def test_an_id_is_compared_as_long_if_it_is_not_known(clock, monkeypatch) -> None:
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda one, other: compared.append((len(one), len(other))))
    for text in (new_key().text, KEY.text):
        await refused(authenticator(clock, **known()), text)
    assert compared == [(71, 71), (71, 71)]


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ({"not_before": -1}, None),
        ({"not_before": 0}, None),
        ({"not_before": 1}, "not_yet"),
        ({"expires": 1}, None),
        ({"expires": 0}, "expired"),
        ({"not_before": -2, "expires": -1}, "expired"),
    ],
)
async def test_a_key_is_in_force_between_its_times(clock, times, why) -> None:
    asked = authenticator(clock, **known(**{name: at(clock, seconds) for name, seconds in times.items()}))
    if why is None:
        assert await asked.identify(Shown(api_key=KEY.text))
    else:
        assert (await refused(asked, KEY.text)).why == why


async def test_two_keys_of_a_tenant_overlap_while_one_follows_the_other(clock) -> None:
    fresh = new_key()
    keys = {
        KEY.id: KeyRecord("shop", KEY.hash, expires=at(clock, 60)),
        fresh.id: KeyRecord("shop", fresh.hash, not_before=at(clock, 0)),
    }
    asked = authenticator(clock, **keys)
    for key in (KEY, fresh):
        assert (await asked.identify(Shown(api_key=key.text))).tenant == "shop"
    clock.now += 60
    assert (await asked.identify(Shown(api_key=fresh.text))).tenant == "shop"
    assert (await refused(asked, KEY.text)).why == "expired"
