"""Tokens, forged and genuine, as RFC 8725 lists the ways to forge them."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.access.algorithms import ALL, ASYMMETRIC
from gateway.access.identity import Identity, RefusedError, Shown
from gateway.access.jwk_set import read_jwk_set
from gateway.access.tenants import Roster
from gateway.access.tokens import TokenAuthenticator

ISSUER, AUDIENCE = "https://issuer.test", "image-gateway"


def public(key, kid: str | None = None, **more: object) -> dict[str, object]:
    kinds = {
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    made = next(kind for of, kind in kinds.items() if isinstance(key, of)).to_jwk(key.public_key(), as_dict=True)
    made.pop("key_ops", None)
    return made | ({} if kid is None else {"kid": kid}) | more


@pytest.fixture(scope="session")
def keys() -> dict[str, object]:
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "ec384": ec.generate_private_key(ec.SECP384R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
        "other": ec.generate_private_key(ec.SECP256R1()),
    }


class Keys:
    """A source of one set."""

    def __init__(self, *entries: dict[str, object], algorithms=ASYMMETRIC) -> None:
        self._set = read_jwk_set(json.dumps({"keys": entries}).encode(), algorithms)
        self.asked: list[str] = []

    async def keys(self, key_id: str):
        self.asked.append(key_id)
        return self._set

    async def reload(self) -> None: ...
    async def aclose(self) -> None: ...


@pytest.fixture
def source(keys) -> Keys:
    return Keys(*(public(keys[name], name) for name in ("rsa", "ec", "ec384", "ed")))


def authenticator(source, *, algorithms=ASYMMETRIC, claim="sub", roster=Roster()) -> TokenAuthenticator:  # noqa: B008  # frozen
    return TokenAuthenticator(
        lambda: roster, source, issuer=ISSUER, audience=AUDIENCE, algorithms=algorithms, tenant_claim=claim, leeway=30
    )


def claims(**more: object) -> dict[str, object]:
    given = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 300, "sub": "shop"} | more
    return {name: value for name, value in given.items() if value is not None}


def signed(key, algorithm="ES256", kid: str | None = "ec", headers=None, **more: object) -> str:
    return jwt.encode(claims(**more), key, algorithm, headers=({} if kid is None else {"kid": kid}) | (headers or {}))


def decoded_expiry(token: str) -> int:
    return jwt.decode(token, options={"verify_signature": False})["exp"]


async def refused(asked: TokenAuthenticator, token: str) -> str:
    with pytest.raises(RefusedError) as caught:
        await asked.identify(Shown(bearer=token))
    assert not any(part and part in str(caught.value) for part in token.split("."))
    return caught.value.why


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [("rsa", "RS256"), ("rsa", "RS512"), ("rsa", "PS384"), ("ec", "ES256"), ("ec384", "ES384"), ("ed", "EdDSA")],
)
async def test_a_token_of_the_issuer_is_taken(keys, source, name, algorithm) -> None:
    token = signed(keys[name], algorithm, name)
    identity = await authenticator(source).identify(Shown(bearer=token))
    assert identity == Identity("shop", "jwt", subject="shop", until=decoded_expiry(token) + 30)


async def test_other_credentials_are_left_to_others(source) -> None:
    assert await authenticator(source).identify(Shown(api_key="k", names=("dns:a",))) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"exp": 1_000_000_000}, "expired"),
        ({"exp": None}, "claims"),
        ({"exp": "soon"}, "malformed"),
        ({"exp": 1e400}, "malformed"),
        ({"nbf": 99_999_999_999}, "not_yet"),
        ({"iat": 99_999_999_999}, "not_yet"),
        ({"iss": "https://other.test"}, "issuer"),
        ({"iss": None}, "claims"),
        ({"iss": ISSUER + "/"}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["another", "third"]}, "audience"),
        ({"aud": None}, "claims"),
        ({"sub": ""}, "tenant"),
        ({"sub": "a b"}, "tenant"),
        ({"sub": "x" * 65}, "tenant"),
    ],
)
async def test_claims_that_are_not_for_us_are_refused(keys, source, change, why) -> None:
    assert await refused(authenticator(source), signed(keys["ec"], **change)) == why


async def test_clocks_may_differ_a_little(keys, source) -> None:
    token = signed(keys["ec"], exp=int(time.time()) - 5)
    assert await authenticator(source).identify(Shown(bearer=token))


async def test_a_token_may_end_beyond_all_numbers(keys, source) -> None:
    token = signed(keys["ec"], exp=10**400)
    identity = await authenticator(source).identify(Shown(bearer=token))
    assert identity is not None
    assert identity.until >= 1e18


async def test_a_token_signed_by_another_key_is_refused(keys, source) -> None:
    assert await refused(authenticator(source), signed(keys["other"])) == "signature"


async def test_a_token_that_was_changed_is_refused(keys, source) -> None:
    head, body, signature = signed(keys["ec"]).split(".")
    changed = base64.urlsafe_b64encode(json.dumps(claims(sub="admin")).encode()).rstrip(b"=").decode()
    assert body != changed
    assert await refused(authenticator(source), f"{head}.{changed}.{signature}") == "signature"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256"])
async def test_an_unsigned_token_is_refused(keys, source, algorithm) -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "ec"}).encode()).rstrip(b"=").decode()
    body = signed(keys["ec"]).split(".")[1]
    assert await refused(authenticator(source), f"{head}.{body}.") == "algorithm"


@pytest.mark.parametrize("form", ["pem", "der", "jwk"])
async def test_a_public_key_is_no_secret_of_hs256(keys, source, form) -> None:
    """Signed by us, by hand: the library refuses to make such a token."""
    key = keys["rsa"].public_key()
    secret = {
        "pem": key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        "der": key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(public(keys["rsa"], "rsa")).encode(),
    }[form]
    import hashlib  # noqa: PLC0415  # nobody else signs by hand
    import hmac  # noqa: PLC0415

    parts = [{"alg": "HS256", "typ": "JWT", "kid": "rsa"}, claims()]
    message = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.new(secret, message, hashlib.sha256).digest()).rstrip(b"=")
    token = (message + b"." + signature).decode()
    assert await refused(authenticator(source), token) == "algorithm"
    assert await refused(authenticator(source, algorithms=ALL), token) == "algorithm"  # HS256 allowed, but not of this key


async def test_a_key_is_used_with_algorithms_of_its_kind_only(keys, source) -> None:
    assert await refused(authenticator(source), signed(keys["ec384"], "ES384", "ec")) == "algorithm"


async def test_a_key_that_says_its_algorithm_is_used_with_that_only(keys) -> None:
    asked = authenticator(Keys(public(keys["rsa"], "rsa", alg="PS256")))
    assert await asked.identify(Shown(bearer=signed(keys["rsa"], "PS256", "rsa")))
    assert await refused(asked, signed(keys["rsa"], "RS256", "rsa")) == "algorithm"


@pytest.mark.parametrize(
    "kid", ["other", "../../etc/passwd", "' OR 1=1 --", "http://attacker.test/keys", "ec\x00", "EC", "x" * 256]
)
async def test_a_key_id_leads_nowhere_but_to_the_set(keys, source, kid) -> None:
    assert await refused(authenticator(source), signed(keys["other"], kid=kid)) == "unknown_key"


@pytest.mark.parametrize("kid", [7, None, ["ec"], {"a": 1}, "x" * 257])
async def test_a_key_id_that_is_no_text_is_refused(keys, source, kid) -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "kid": kid}).encode()).rstrip(b"=").decode()
    body, signature = signed(keys["ec"]).split(".")[1:]
    assert await refused(authenticator(source), f"{head}.{body}.{signature}") == "malformed"
    assert source.asked == []


async def test_keys_that_a_token_brings_along_are_not_looked_at(keys, source) -> None:
    headers = {"jwk": public(keys["other"]), "jku": "http://attacker.test/keys", "x5u": "http://attacker.test/c", "x5c": ["MII"]}
    assert await refused(authenticator(source), signed(keys["other"], headers=headers)) == "signature"


async def test_an_extension_that_must_be_understood_is_refused(keys, source) -> None:
    assert await refused(authenticator(source), signed(keys["ec"], headers={"crit": ["b64"], "b64": True})) == "malformed"


async def test_without_a_key_id_the_only_key_for_the_algorithm_is_meant(keys, source) -> None:
    assert await authenticator(source).identify(Shown(bearer=signed(keys["ec"], kid=None)))
    two = Keys(public(keys["ec"], "a"), public(keys["other"], "b"))
    assert await refused(authenticator(two), signed(keys["ec"], kid=None)) == "unknown_key"


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "..", "eyJ" * 9000, "é.é.é", "a.b.c.d.e", "W10.W10.W10"])
async def test_what_is_no_token_is_refused(source, token) -> None:
    with pytest.raises(RefusedError) as caught:
        await authenticator(source).identify(Shown(bearer=token))
    assert caught.value.why == "malformed"


async def test_symmetric_algorithms_have_to_be_allowed() -> None:
    secret = base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")
    entry = {"kty": "oct", "k": secret, "kid": "s"}
    with pytest.raises(ValueError, match="has no key that can be used"):
        Keys(entry)
    asked = authenticator(Keys(entry, algorithms=ALL), algorithms=ALL)
    assert await asked.identify(Shown(bearer=signed(b"s" * 32, "HS256", "s")))
    assert await refused(asked, signed(b"t" * 32, "HS256", "s")) == "signature"


async def test_the_tenant_is_told_by_the_claim_that_is_chosen_or_by_a_subject(keys, source) -> None:
    token = signed(keys["ec"], azp="client-7", sub="https://people.test/a b")
    assert (await authenticator(source, claim="azp").identify(Shown(bearer=token))).tenant == "client-7"
    roster = Roster(subjects={"https://people.test/a b": "shop"})
    identity = await authenticator(source, roster=roster).identify(Shown(bearer=token))
    assert (identity.tenant, identity.subject) == ("shop", "https://people.test/a b")
    assert await refused(authenticator(source, claim="none"), token) == "tenant"


def small_rsa() -> dict[str, object]:
    return public(rsa.generate_private_key(65537, 1024), "small")  # noqa: S505  # that is the point


@pytest.mark.parametrize(
    "entry",
    [
        lambda key: public(key, "k", use="enc"),
        lambda key: public(key, "k", key_ops=["sign"]),
        lambda key: public(key, "k", key_ops=None),
        lambda key: public(key, "k", key_ops=5),
        lambda key: public(key, "k") | {"kty": ["EC"]},
        lambda key: public(key, "k", alg="RS256"),
        lambda key: public(key, "k", alg=["ES256"]),
        lambda key: public(key, "k") | {"kid": 7},
        lambda key: public(key, "k") | {"x": "!"},
        lambda key: public(key, "k") | {"crv": "P-999"},
        lambda _: {"kty": "what"},
        lambda _: small_rsa(),
    ],
)
def test_keys_that_cannot_be_used_are_left_out(keys, entry) -> None:
    content = json.dumps({"keys": [entry(keys["ec"]), 7, public(keys["ed"], "ed")]}).encode()
    found = read_jwk_set(content, ASYMMETRIC)
    assert found.has("ed")
    assert not found.has("k")
    assert not found.has("small")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"keys": 7}', b'{"keys": []}', b"\xff", b'{"keys": [' + b"{}," * 300 + b"{}]}"]
)
def test_what_is_no_key_set_is_told(content) -> None:
    with pytest.raises(ValueError, match=r"is no JWK set|has no key"):
        read_jwk_set(content, ASYMMETRIC)


async def test_an_api_key_is_left_to_those_who_know_keys(source) -> None:
    assert await authenticator(source).identify(Shown(bearer="igk_0123456789abcdef_" + "x" * 43)) is None
