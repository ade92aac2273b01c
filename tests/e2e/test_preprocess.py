"""Preparation as processes: the command line alone and through a gateway, and a client that knows nothing but reflection."""

import base64
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import run, started

BUF = str(Path(sys.executable).parent / "buf")
SERVICE = "gateway.imagerecognition.v1.PreprocessService"


@pytest.fixture(scope="module")
def gateway():
    with started(["serve"]) as server:
        yield server


@pytest.fixture(scope="module")
def long_photo() -> bytes:
    """Too long for one message of a default client, before and after."""
    buffer = io.BytesIO()
    noise = Image.frombytes("L", (5000, 2400), np.random.default_rng(7).bytes(5000 * 2400))
    noise.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def prepared(*arguments: str, status: int) -> list[dict]:
    done = run("prepare", "--json", *arguments)
    assert done.returncode == status, done.stderr
    items = [json.loads(line) for line in done.stdout.splitlines()]
    for item in items:
        item.pop("milliseconds", None)
    return items


def test_the_gateway_prepares_what_this_process_would(gateway, photos, bad_pictures, long_photo, tmp_path) -> None:
    for name, (data, _) in bad_pictures.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "long.jpg").write_bytes(long_photo)
    files = [str(path) for path in sorted(photos.iterdir())] + [str(path) for path in sorted(tmp_path.iterdir())]
    arguments = [*files, str(tmp_path / "missing.jpg"), "--max-side", "3000", "--out"]
    there = prepared(*arguments, str(tmp_path / "there"), "--target", gateway.address, status=1)
    here = prepared(*arguments, str(tmp_path / "here"), status=1)
    assert len(there) == len(here) == len(files) + 1
    for item, other in zip(there, here, strict=True):
        written, here_written = item.pop("written", None), other.pop("written", None)
        assert item == other
        if written is not None:
            assert Path(written).read_bytes() == Path(here_written).read_bytes()
    (long,) = (item for item in there if item["item_id"].endswith("long.jpg"))
    assert (tmp_path / "there" / "long.jpg").stat().st_size == long["prepared"]["size_bytes"]


def test_a_gateway_that_is_not_there_is_an_error_of_every_picture(photos) -> None:
    (item,) = prepared(str(photos / "dog.jpg"), "--target", "127.0.0.1:1", status=1)
    assert item["error"]["reason"] == "UNAVAILABLE"


def test_a_foreign_client_finds_its_way_by_reflection(gateway, photos) -> None:
    """`buf curl` asks the server for its schema and speaks JSON."""

    def call(method: str, *messages: dict) -> subprocess.CompletedProcess[str]:
        url = f"http://{gateway.address}/{SERVICE}/{method}"
        return subprocess.run(
            [BUF, "curl", "--http2-prior-knowledge", "--protocol", "grpc", "-d", "@-", url],
            input="\n".join(map(json.dumps, messages)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    content = base64.b64encode((photos / "dog.jpg").read_bytes()).decode()
    inspected = json.loads(call("InspectImage", {"content": content, "options": {"maxSide": 400}}).stdout)
    assert (inspected["image"]["width"], inspected["encoding"]["colorModel"]) == (800, "COLOR_MODEL_YCBCR")
    assert inspected["plan"]["actions"] == [{"name": "fit", "detail": "800x600 px to 400x300 px"}]

    prepared = json.loads(call("PrepareImage", {"content": content, "options": {"maxSide": 400}}).stdout)
    with Image.open(io.BytesIO(base64.b64decode(prepared["content"]))) as picture:
        assert picture.size == (400, 300)

    refused = json.loads(call("PrepareImage", {"content": content, "options": {"quality": 0}}).stderr)
    assert (refused["code"], refused["message"]) == ("invalid_argument", "options.quality is 0; it must be 1 to 100")

    streamed = call(
        "StreamPrepareImages", {"config": {"options": {"maxSide": 400}}}, {"item": {"itemId": "a", "content": content}}
    )
    documents, decoder, rest = [], json.JSONDecoder(), streamed.stdout.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        documents.append(document)
        rest = rest[end:].strip()
    assert [*map(list, documents)] == [["header"], ["chunk"], ["summary"]]
    assert documents[1]["chunk"]["data"] == prepared["content"]
    assert documents[2]["summary"]["succeeded"] == "1"
