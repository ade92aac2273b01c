"""A gateway as a process, the cloud's API in another, secrets planted wherever there are any, errors provoked, everything logged:
none of the secrets is seen anywhere, and one trace leads from the caller to the cloud."""

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import jwt
import pytest
import requests

from gateway.access.key_text import new_key
from gateway.imagerecognition.v1 import enhancement_pb2, enhancement_pb2_grpc, music_pb2, music_pb2_grpc
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc

from .collector import Collector, collecting
from .conftest import SECRETS, started, started_rest_face

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.planted-jwt-signature-5512"
KEY, WITHDRAWN = new_key(), new_key()
JWT_KEY = "planted-key-of-the-issuer-that-nobody-may-see"
CLAIMS = {"iss": "issuer", "aud": "gateway", "sub": "shop", "exp": 4_000_000_000}
TOKEN = jwt.encode(CLAIMS, JWT_KEY, "HS256")
EXPIRED = jwt.encode(CLAIMS | {"exp": 1_000_000_000}, JWT_KEY, "HS256")
PLANTED = {
    "key that is taken": KEY.secret,
    "hash of that key": KEY.hash.removeprefix("sha256:"),
    "key that is not taken any more": WITHDRAWN.secret,
    "issuer's key": JWT_KEY,
    "issuer's key, as its file has it": base64.urlsafe_b64encode(JWT_KEY.encode()).decode().rstrip("="),
    "token that is taken": TOKEN.rpartition(".")[2],
    "token that has expired": EXPIRED.rpartition(".")[2],
    "user and password": base64.b64encode(b"someone:planted-basic-5540").decode(),
    "password": SECRETS["password"],
    "wrong password": "planted-wrong-password-8804",
    "secret key": SECRETS["secret_key"],
    "security token": "planted-security-token-3327",
    "API key": "planted-api-key-6671",
    "JWT": JWT.rpartition(".")[2],
    "redis password": "planted-redis-password-1290",
    "collector's key": "planted-collector-key-4418",
    "ops token": "planted-ops-token-7702",
    "signature of a URL": "planted-url-signature-2213",
    "token in a URL": "planted-url-token-9035",
}
SIGNED_URL = (
    "https://bucket.obs.cn-east-3.myhuaweicloud.com/cat.png?AccessKeyId=AKPLANTED&Expires=1&Signature=planted-url-signature-2213"
    "&x-obs-security-token=planted-url-token-9035"
)


@dataclass
class Run:
    """Everything that came out of the gateway and of the REST face."""

    collector: Collector
    pages: dict[str, str] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def texts(self) -> Iterator[tuple[str, str]]:
        yield from self.pages.items()
        yield from ((f"log {number}", log) for number, log in enumerate(self.logs))
        yield from ((f"error {number}", error) for number, error in enumerate(self.errors))
        yield "traces", self.collector.raw.decode("utf-8", "replace")


def call(run: Run, address: str, dog: bytes) -> None:
    """Calls that succeed, and such that fail in all kinds of ways."""
    metadata = (
        ("traceparent", f"00-{TRACE}-{PARENT}-01"),
        ("x-request-id", "order-7"),
        ("authorization", f"Bearer {JWT}"),
        ("x-api-key", PLANTED["API key"]),
    )
    with grpc.insecure_channel(address) as channel:
        tagging = pb_grpc.TaggingServiceStub(channel)
        with contextlib.suppress(grpc.RpcError):  # not every run has good credentials
            tagging.TagImage(pb.TagImageRequest(content=dog), metadata=metadata)
        items = [pb.StreamTagImagesItem(item_id=str(n), content=dog[: len(dog) - n * 1000]) for n in range(3)]
        list(tagging.StreamTagImages(iter(pb.StreamTagImagesRequest(item=item) for item in items), metadata=metadata))
        enhancement = enhancement_pb2_grpc.EnhancementServiceStub(channel)
        music = music_pb2_grpc.MusicServiceStub(channel)
        for broken in (
            lambda: tagging.TagImage(pb.TagImageRequest(content=dog[:2000]), metadata=metadata),
            lambda: tagging.TagImage(pb.TagImageRequest(uri=SIGNED_URL), metadata=metadata),
            lambda: tagging.TagImage(pb.TagImageRequest(uri=SIGNED_URL.replace("https", "ftp")), metadata=metadata),
            lambda: tagging.TagImage(
                pb.TagImageRequest(uri=SIGNED_URL.replace("bucket.obs", "127.0.0.1:9/x")), metadata=metadata
            ),
            lambda: tagging.TagImage(pb.TagImageRequest(content=dog), timeout=0.001, metadata=metadata),
            lambda: music.RecognizeBackgroundMusic(music_pb2.RecognizeBackgroundMusicRequest(uri=SIGNED_URL), metadata=metadata),
            lambda: enhancement.DefogImage(enhancement_pb2.DefogImageRequest(content=b"no picture"), metadata=metadata),
            lambda: channel.unary_unary("/gateway.imagerecognition.v1.TaggingService/TagImage")(b"\xff", metadata=metadata),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                broken()
            run.errors.append(str(caught.value))


def knock(run: Run, address: str, dog: bytes) -> None:
    """Calls of callers that the gateway knows, and of such that it does not."""
    forged = TOKEN[:-4] + "AAAA"
    with grpc.insecure_channel(address) as channel:
        tagging = pb_grpc.TaggingServiceStub(channel)
        for good in ({"x-api-key": KEY.text}, {"authorization": f"Bearer {KEY.text}"}, {"authorization": f"Bearer {TOKEN}"}):
            tagging.TagImage(pb.TagImageRequest(content=dog), metadata=tuple(good.items()))
            with pytest.raises(grpc.RpcError) as caught:
                tagging.TagImage(pb.TagImageRequest(content=dog[:2000]), metadata=tuple(good.items()))
            run.errors.append(str(caught.value))
        for bad in (
            [],
            [("x-api-key", WITHDRAWN.text)],
            [("x-api-key", KEY.text[:-1])],
            [("x-api-key", PLANTED["API key"])],
            [("x-api-key", KEY.text), ("x-api-key", WITHDRAWN.text)],
            [("x-api-key", KEY.text), ("x-tenant-id", "another")],
            [("authorization", f"Bearer {EXPIRED}")],
            [("authorization", f"Bearer {forged}")],
            [("authorization", f"Bearer {JWT}")],
            [("authorization", f"Basic {PLANTED['user and password']}")],
        ):
            with pytest.raises(grpc.RpcError) as caught:
                tagging.TagImage(pb.TagImageRequest(content=dog), metadata=bad)
            run.errors.append(str(caught.value))


def fetched(address: str, path: str, token: str) -> str:
    return requests.get(f"http://{address}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30).text


def asking(folder: Path) -> dict[str, str]:
    """Settings by which callers are asked who they are, with their files in `folder`."""
    tenants, issuer = folder / "tenants.toml", folder / "issuer.json"
    tenants.write_text(f'[[tenants]]\nname = "shop"\n[[tenants.keys]]\nid = "{KEY.id}"\nhash = "{KEY.hash}"\n')
    secret = PLANTED["issuer's key, as its file has it"]
    issuer.write_text(json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "k": secret}]}))
    return {
        "IMAGE_GATEWAY_ACCESS_AUTHENTICATORS": "api_key,jwt",
        "IMAGE_GATEWAY_ACCESS_TENANTS_FILE": str(tenants),
        "IMAGE_GATEWAY_ACCESS_JWT_KEYS": str(issuer),
        "IMAGE_GATEWAY_ACCESS_JWT_ALGORITHMS": "HS256",
        "IMAGE_GATEWAY_ACCESS_JWT_ISSUER": "issuer",
        "IMAGE_GATEWAY_ACCESS_JWT_AUDIENCE": "gateway",
    }


ASKING = 4
"""The run in which callers are asked."""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Iterator[Run]:
    folder: Path = tmp_path_factory.mktemp("seen")
    dog = (Path(__file__).parents[2] / "examples" / "photos" / "dog.jpg").read_bytes()
    token, headers = folder / "ops-token", folder / "headers"
    token.write_text(PLANTED["ops token"] + "\n")
    headers.write_text("# of the collector\nAuthorization: Bearer " + PLANTED["collector's key"] + "\n")
    with collecting() as collector, started_rest_face(IMAGE_GATEWAY_LOG_LEVEL="debug") as face:
        it = Run(collector)
        keys = {
            "IMAGE_GATEWAY_CLOUD_ACCESS_KEY": SECRETS["access_key"],
            "IMAGE_GATEWAY_CLOUD_SECRET_KEY": SECRETS["secret_key"],
            "IMAGE_GATEWAY_CLOUD_PROJECT": "cn-east-3",
            "IMAGE_GATEWAY_CLOUD_URIS": "download",
        }
        by_password = {
            "IMAGE_GATEWAY_CLOUD_USER": "someone",
            "IMAGE_GATEWAY_CLOUD_DOMAIN": "account",
            "IMAGE_GATEWAY_CLOUD_PROJECT": "cn-east-3",
        }
        kinds = (
            by_password | {"IMAGE_GATEWAY_CLOUD_PASSWORD": PLANTED["password"]},
            keys,
            by_password | {"IMAGE_GATEWAY_CLOUD_PASSWORD": PLANTED["wrong password"]},
            keys | {"IMAGE_GATEWAY_CLOUD_SECURITY_TOKEN": PLANTED["security token"]},
            keys | asking(folder),
        )
        for number, credentials in enumerate(kinds):
            with started(
                [
                    "serve",
                    "--provider",
                    "cloud,local" if number == 2 else "cloud",
                    "--endpoint",
                    f"http://{face.address}",
                    "--iam-endpoint",
                    f"http://{face.address}",
                ],
                IMAGE_GATEWAY_LOG_LEVEL="debug",
                IMAGE_GATEWAY_LOG_FORMAT="json",
                IMAGE_GATEWAY_TRACE_ENDPOINT=collector.address,
                IMAGE_GATEWAY_TRACE_HEADERS_FILE=str(headers),
                IMAGE_GATEWAY_OPS_LISTEN="127.0.0.1:0",
                IMAGE_GATEWAY_OPS_TOKEN_FILE=str(token),
                IMAGE_GATEWAY_CACHE_STORE="redis",
                IMAGE_GATEWAY_REDIS_URL=f"redis://someone:{PLANTED['redis password']}@127.0.0.1:9/0",
                **credentials,
            ) as server:
                ops = re.search(r"operators' port: http://([^/]+)/", server.logged())
                assert ops is not None
                (knock if number == ASKING else call)(it, server.address, dog)
                for path in ("/metrics", "/config", "/readyz", "/log-level"):
                    it.pages[f"{number}{path}"] = fetched(ops[1], path, token=PLANTED["ops token"])
                server.stop()
                it.logs.append(server.logged() + server.output)
        face.stop()
        it.logs.append(face.logged() + face.output)
        yield it


@pytest.mark.parametrize("name", PLANTED)
def test_no_secret_is_seen_anywhere(run, name) -> None:
    assert not [where for where, text in run.texts() if PLANTED[name] in text]


def test_no_picture_is_seen_anywhere(run, dog) -> None:
    encoded = base64.b64encode(dog).decode()
    pieces = [encoded[start : start + 64] for start in range(0, 4096, 64)] + [
        dog[start : start + 48].hex() for start in (0, 1024)
    ]
    assert not [where for where, text in run.texts() if any(piece in text for piece in pieces)]


def test_no_token_of_the_cloud_is_seen_anywhere(run) -> None:
    """Those of the REST face begin so, and are long."""
    assert not [where for where, text in run.texts() if re.search(r"X-Auth-Token|X-Subject-Token|[A-Za-z0-9+/_-]{300,}", text)]


def test_there_was_something_to_see(run) -> None:
    """Or else the tests above could not fail."""
    logged = run.logs[0]
    assert len(run.errors) == 4 * 8 + 3 + 10
    line = r'^image_gateway_authentications_total{authenticator="(\w+)",result="(\w+)"} ([1-9]).0$'
    assert set(re.findall(line, run.pages[f"{ASKING}/metrics"], flags=re.MULTILINE)) == {
        ("api_key", "ok", "5"),
        ("api_key", "unknown", "1"),
        ("api_key", "malformed", "2"),
        ("jwt", "ok", "2"),
        ("jwt", "expired", "1"),
        ("jwt", "signature", "1"),
        ("jwt", "malformed", "1"),
        ("none", "missing", "1"),
        ("none", "malformed", "1"),
        ("none", "unsupported", "1"),
    }
    assert "a call is refused" in run.logs[ASKING]
    assert '"level": "debug"' in logged
    assert "image_gateway_cloud_attempts_total" in run.pages["0/metrics"]
    shown = json.loads(run.pages["0/config"])
    assert (shown["cloud.password"], shown["cloud.secret_key"], shown["redis.url"]) == ("(set)", None, "(set)")
    assert "UPSTREAM_AUTHENTICATION_FAILED" in "".join(run.pages["2/readyz"])
    assert any(span.name == "attempt" for span in run.collector.spans)


def test_the_log_is_json_and_tells_whose_call_it_was(run) -> None:
    lines = [json.loads(line) for line in run.logs[0].splitlines() if line.startswith("{")]
    assert len(lines) == len([line for line in run.logs[0].splitlines() if not line.startswith("ready ")])
    calls = [line for line in lines if line["logger"] == "gateway.calls" and line.get("request_id") == "order-7"]
    assert {line["code"] for line in calls} >= {"OK", "INVALID_ARGUMENT"}
    assert all(line["trace_id"] == TRACE for line in calls)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)


def test_one_trace_leads_from_the_caller_to_the_cloud(run) -> None:
    spans = {span.span_id: span for span in run.collector.spans}
    posts = [span for span in run.collector.named("POST") if span.trace_id.hex() == TRACE]
    assert posts
    served = []
    for post in posts:
        path = [post.name]
        span = post
        while span.parent_span_id in spans:
            span = spans[span.parent_span_id]
            path.append(span.name)
        assert span.parent_span_id.hex() == PARENT
        served.append(tuple(path))
    assert ("POST", "attempt", "cache", "gateway.imagerecognition.v1.TaggingService/TagImage") in served
    assert {"prepare", "queue", "cache", "item", "engine", "decode", "download"} <= {span.name for span in spans.values()}


def test_the_collector_is_told_who_sends(run) -> None:
    assert all(headers["authorization"] == "Bearer " + PLANTED["collector's key"] for headers in run.collector.headers)


def test_signed_calls_carry_the_trace_and_are_accepted(run) -> None:
    """`traceparent` is not signed; what is signed is as before. The second run used an access key."""
    assert 'outcome="success"' in run.pages["1/metrics"]
