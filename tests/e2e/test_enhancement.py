"""Enhancement and music as processes: the command line alone and through a gateway, and a client that knows only reflection."""

import hashlib
import io
import json
import subprocess
import wave
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import av
import grpc
import numpy as np
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from PIL import Image

from .conftest import run, started

RECORDING = Path(__file__).parents[2] / "examples" / "music" / "harbour-lights.mp4"
SERVICE = "gateway.imagerecognition.v1.EnhancementService"
DEFAULT_MESSAGE_BYTES = 4 << 20
RATE = 16000


@pytest.fixture(scope="module")
def gateway():
    with started(["serve"]) as server:
        yield server


@pytest.mark.parametrize(
    ("arguments", "kind", "times"),
    [
        (["dark", "--brightness", "0.4"], "JPEG", 1),
        (["defog", "--strong", "--gamma", "2.5"], "WEBP", 1),
        (["upscale", "--scale", "4", "--model", "SRCNN"], "BMP", 4),
    ],
)
def test_the_gateway_enhances_to_the_bytes_that_this_process_would(gateway, photos, tmp_path, arguments, kind, times) -> None:
    """With parameters other than the defaults, so that one that got lost on the way would tell."""
    given, here, there = (tmp_path / name for name in ("given", "here", "there"))
    with Image.open(photos / "castle.jpg") as castle:
        castle.resize((120, 90)).save(given, kind)
    enhancement, *flags = arguments
    command = ["enhance", enhancement, str(given)]
    embedded, through = side_by_side([*command, str(here), *flags], [*command, str(there), *flags, "--target", gateway.address])
    assert (embedded.returncode, through.returncode) == (0, 0), embedded.stderr + through.stderr
    assert here.read_bytes() == there.read_bytes()
    with Image.open(there) as picture:
        expected = {"JPEG": "JPEG", "WEBP": "JPEG", "BMP": "PNG"}[kind]
        assert (picture.format, picture.size) == (expected, (120 * times, 90 * times))
    assert f"{there}: {120 * times}x{90 * times} {expected}, {there.stat().st_size} bytes (from 120x90 {kind}" in through.stdout


def test_a_gateway_refuses_what_this_process_would(gateway, tmp_path) -> None:
    given, out = tmp_path / "given.png", tmp_path / "large.png"
    Image.new("1", (4000, 1001)).save(given)
    command = ["enhance", "upscale", str(given), str(out), "--scale", "4"]
    embedded, through = side_by_side(command, [*command, "--target", gateway.address])
    assert (embedded.returncode, through.returncode) == (1, 1)
    assert embedded.stderr == through.stderr
    assert "4000x1001" in through.stderr
    assert not out.exists()


def test_music_is_named_alike_here_and_through_a_gateway(gateway) -> None:
    command = ["music", "recognise", "--json", str(RECORDING)]
    here, there = side_by_side(command, [*command, "--target", gateway.address])
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    assert here.stdout == there.stdout
    assert json.loads(there.stdout)["music"]["audio_name"] == "Image Gateway - Harbour Lights"


def test_a_catalogue_of_ones_own_names_its_songs_here_and_in_a_gateway(tmp_path) -> None:
    songs = {name: chords(seed, seconds=24) for seed, name in enumerate(["Morning Ferry", "Old Quay", "Tide Table"])}
    (tmp_path / "songs").mkdir()
    for name, samples in songs.items():
        save_wav(tmp_path / "songs" / f"{name}.wav", samples)
    index = str(tmp_path / "catalogue.index")
    indexed = run("music", "index", str(tmp_path / "songs"), "--out", index)
    assert indexed.returncode == 0, indexed.stderr
    assert f"{index}: 3 songs" in indexed.stdout

    save_mp4(tmp_path / "excerpt.mp4", songs["Old Quay"][7 * RATE : 19 * RATE])
    save_mp4(tmp_path / "other.mp4", chords(99, seconds=12))
    command = ["music", "recognise", "--json", str(tmp_path / "excerpt.mp4"), str(tmp_path / "other.mp4")]
    with started(["serve"], IMAGE_GATEWAY_LOCAL_MUSIC_INDEX=index) as server:
        here, there = side_by_side([*command, "--index", index], [*command, "--target", server.address])
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    assert here.stdout == there.stdout
    excerpt, other = map(json.loads, here.stdout.splitlines())
    assert excerpt["music"]["audio_name"] == "Old Quay"
    assert excerpt["music"]["offset_seconds"] == pytest.approx(7, abs=0.3)
    assert other["music"] is None


def test_the_longest_results_come_through_a_gateway(gateway, tmp_path, photos) -> None:
    """12 million pixels as PNG, several times what a gRPC client takes in one message."""
    given, here, there = (tmp_path / name for name in ("given.png", "here.png", "there.png"))
    with Image.open(photos / "castle.jpg") as castle:
        castle.resize((1000, 750)).save(given)
    command = ["enhance", "upscale", "--scale", "4", str(given)]
    embedded, through = side_by_side([*command, str(here)], [*command, str(there), "--target", gateway.address])
    assert (embedded.returncode, through.returncode) == (0, 0), embedded.stderr + through.stderr
    assert there.stat().st_size > 3 * DEFAULT_MESSAGE_BYTES
    assert here.read_bytes() == there.read_bytes()
    with Image.open(there) as picture:
        assert (picture.format, picture.size) == ("PNG", (4000, 3000))


def test_a_foreign_client_gets_long_results_in_chunks(gateway) -> None:
    """The schema comes from the server alone; the client is told nothing but that."""
    small = io.BytesIO()
    Image.frombytes("RGB", (320, 320), np.random.default_rng(7).bytes(320 * 320 * 3)).save(small, "PNG")
    data = small.getvalue()
    with foreign(gateway.address, "UpscaleImage") as call, pytest.raises(grpc.RpcError) as caught:
        call([{"content": data, "scale": 4}])
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert "StreamUpscaleImage" in caught.value.details()

    upload = {"size_bytes": len(data), "sha256": hashlib.sha256(data).digest()}
    with foreign(gateway.address, "StreamUpscaleImage") as call:
        first, *rest = call(
            [
                {"config": {"request": {"scale": 4}, "upload": upload}},
                {"chunk": {"offset": 0, "data": data[:1000]}},
                {"chunk": {"offset": 1000, "data": data[1000:]}},
            ]
        )
    result = b"".join(response.chunk.data for response in rest)
    header = first.header
    assert len(result) == header.file.size_bytes > DEFAULT_MESSAGE_BYTES
    assert hashlib.sha256(result).digest() == header.file.sha256
    with Image.open(io.BytesIO(result)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1280, 1280))
    assert (header.image.width, header.original.width, header.processing.provider) == (1280, 320, "local")


def side_by_side(*commands: Sequence[str]) -> list[subprocess.CompletedProcess[str]]:
    """Run some commands at once: starting takes them longer than what they do."""
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(lambda arguments: run(*arguments), commands))


@contextmanager
def foreign(address: str, name: str) -> Iterator[Callable[[Sequence[dict[str, object]]], list[Message]]]:
    """A method as a client without stubs calls it: requests as fields, and all responses."""
    with grpc.insecure_channel(address) as channel:
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindServiceByName(SERVICE).FindMethodByName(name)
        request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        call = channel.stream_stream(
            f"/{SERVICE}/{name}", request_serializer=request.SerializeToString, response_deserializer=response.FromString
        )
        yield lambda requests: list(call((request(**fields) for fields in requests), timeout=60))


def chords(seed: int, *, seconds: int) -> np.ndarray:
    """Random triads of random length, with overtones and decay, at a tempo of their own; mono, 16 bits, `RATE`."""
    dice = np.random.default_rng(seed)
    tempo = dice.uniform(0.7, 1.4)
    parts = []
    for _ in range(4 * seconds):
        time = np.arange(round(tempo * dice.choice([0.25, 0.375, 0.5, 0.75]) * RATE)) / RATE
        root = 110 * 2 ** (dice.integers(0, 30) / 12)
        tones = [root * step * overtone for step in (1, dice.choice([1.189, 1.26]), 1.498) for overtone in (1, 2, 3)]
        parts.append(sum(np.sin(2 * np.pi * tone * time) for tone in tones) * np.exp(-4 * time))
    return np.round(np.concatenate(parts)[: seconds * RATE] * 3000).astype(np.int16)


def save_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def save_mp4(path: Path, samples: np.ndarray) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
