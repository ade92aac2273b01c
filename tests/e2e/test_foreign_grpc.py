"""The gRPC face under tools and stubs that nobody here wrote, with their default settings."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from .conftest import EXAMPLES, Server, started

PROTO = EXAMPLES.parent / "proto"
CONTRACT = PROTO / "gateway" / "imagerecognition" / "v1"
PACKAGE = "gateway.imagerecognition.v1"
BUF = Path(sys.executable).with_name("buf")
GO_MODULE = "imagerecognition.gateway"
GIF = base64.b64encode(b"GIF89a....").decode()
DEFAULT_MESSAGE_BYTES = 4 << 20

SCHEMAS = pytest.mark.parametrize("schema", [(), ("--schema", os.fspath(PROTO))], ids=["reflection", "protos"])


@pytest.fixture(scope="module")
def gateway() -> Iterator[Server]:
    with started(["serve"]) as server:
        yield server


@pytest.fixture(scope="module")
def dog(photos) -> str:
    return base64.b64encode((photos / "dog.jpg").read_bytes()).decode()


def execute(*command: str | Path, given: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False, **options)


def buf_curl(server: Server, method: str, *messages: object, schema: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    url = f"http://{server.address}/{PACKAGE}.{method}"
    given = "\n".join(map(json.dumps, messages))
    return execute(BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", *schema, "-d", "@-", url, given=given)


def answers(done: subprocess.CompletedProcess[str]) -> list[Any]:
    """The messages that were printed, one after another."""
    assert done.returncode == 0, done.stderr
    decoder, text, found = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        message, end = decoder.raw_decode(text)
        found.append(message)
        text = text[end:].lstrip()
    return found


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on the PATH")
    return path


@SCHEMAS
def test_buf_curl_asks_what_the_gateway_is(gateway, schema) -> None:
    (info,) = answers(buf_curl(gateway, "GatewayService/GetInfo", {}, schema=schema))
    assert info["apiVersions"] == [PACKAGE]
    assert f"{PACKAGE}.TaggingService/BatchTagImages" in info["operations"][0]["methods"]


@SCHEMAS
def test_buf_curl_tags_a_picture(gateway, dog, schema) -> None:
    request = {"content": dog, "parameters": {"language": "LANGUAGE_EN", "limit": 5}}
    (answer,) = answers(buf_curl(gateway, "TaggingService/TagImage", request, schema=schema))
    assert "dog" in [tag["name"] for tag in answer["tags"]]
    assert answer["image"] == {"format": "jpeg", "width": 800, "height": 600, "orientation": 1, "sizeBytes": "102615"}


def test_buf_curl_reads_our_errors(gateway) -> None:
    done = buf_curl(gateway, "TaggingService/TagImage", {"content": GIF})
    assert done.returncode == 8 * 3  # as buf documents it: eight times the gRPC code, INVALID_ARGUMENT
    error = json.loads(done.stderr)
    assert error["code"] == "invalid_argument"
    assert [detail["type"] for detail in error["details"]] == ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]


def test_buf_curl_gets_every_outcome_of_a_batch(gateway, dog) -> None:
    batch = {"requests": [{"content": GIF}, {"content": dog}], "parameters": {"language": "LANGUAGE_EN"}}
    (answer,) = answers(buf_curl(gateway, "TaggingService/BatchTagImages", batch))
    refused, tagged = answer["results"]
    assert [detail.get("reason") for detail in refused["error"]["details"]] == ["IMAGE_FORMAT_UNSUPPORTED", None]
    assert "dog" in [tag["name"] for tag in tagged["response"]["tags"]]


def test_buf_curl_streams(gateway, dog) -> None:
    first, second, last = answers(
        buf_curl(
            gateway,
            "TaggingService/StreamTagImages",
            {"config": {"order": "RESULT_ORDER_AS_SENT", "parameters": {"language": "LANGUAGE_EN"}}},
            {"item": {"itemId": "dog", "content": dog}},
            {"item": {"itemId": "gif", "content": GIF}},
        )
    )
    assert first["result"]["itemId"] == "dog"
    assert "dog" in [tag["name"] for tag in first["result"]["response"]["tags"]]
    assert second["result"]["itemId"] == "gif"
    assert second["result"]["error"]["details"][0]["reason"] == "IMAGE_FORMAT_UNSUPPORTED"
    assert {name: last["summary"][name] for name in ("received", "succeeded", "failed")} == {
        "received": "2",
        "succeeded": "1",
        "failed": "1",
    }


def test_grpcurl_finds_a_method_by_reflection_and_reads_our_errors(gateway) -> None:
    grpcurl = tool("grpcurl")
    listed = execute(grpcurl, "-plaintext", gateway.address, "list", f"{PACKAGE}.TaggingService")
    assert listed.stdout.split() == [
        f"{PACKAGE}.TaggingService.{method}" for method in ("BatchTagImages", "StreamTagImages", "TagImage")
    ]
    request = json.dumps({"content": GIF})
    done = execute(grpcurl, "-plaintext", "-d", "@", gateway.address, f"{PACKAGE}.TaggingService/TagImage", given=request)
    assert done.returncode == 64 + 3  # as grpcurl documents it: 64 and the gRPC code
    assert "IMAGE_FORMAT_UNSUPPORTED" in done.stderr


@pytest.mark.parametrize(("service", "status"), [("", 0), (f"{PACKAGE}.TaggingService", 0), ("no.such.Service", 3)])
def test_the_health_probe_of_grpc(gateway, service, status) -> None:
    done = execute(tool("grpc-health-probe"), f"-addr={gateway.address}", f"-service={service}")
    assert done.returncode == status, done.stderr


@pytest.fixture(scope="module")
def go_client(tmp_path_factory) -> Path:
    """The example in Go, built from stubs that are generated now."""
    go = tool("go")
    source = tmp_path_factory.mktemp("go")
    for name in ("go.mod", "go.sum", "main.go"):
        shutil.copy(EXAMPLES / "go" / name, source)
    tools = {**os.environ, "GOBIN": os.fspath(source / "bin"), "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}

    def succeed(*command: str | Path) -> None:
        done = subprocess.run(command, cwd=source, env=tools, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr

    fetched = subprocess.run([go, "mod", "download"], cwd=source, env=tools, capture_output=True, timeout=300, check=False)
    if fetched.returncode:
        pytest.skip("this Go is too old, or its modules cannot be fetched")
    succeed(go, "install", "tool")
    plugins = [f"--plugin={source / 'bin' / name}" for name in ("protoc-gen-go", "protoc-gen-go-grpc")]
    outputs = [
        f"--{name}={value}"
        for kind in ("go", "go-grpc")
        for name, value in ((f"{kind}_out", "."), (f"{kind}_opt", f"module={GO_MODULE}"))
    ]
    protos = sorted(CONTRACT.glob("*.proto"))
    succeed(sys.executable, "-m", "grpc_tools.protoc", "-I", PROTO, *plugins, *outputs, *protos)
    succeed(go, "build", "-o", "client", ".")
    return source / "client"


def check_example(run: Callable[..., subprocess.CompletedProcess[str]], gateway: Server, photos: Path, folder: Path) -> None:
    """What each of the examples does, whatever its language. `run`: with these arguments."""
    given, large, gif = folder / "castle.png", folder / "large.png", folder / "x.gif"
    gif.write_bytes(base64.b64decode(GIF))
    with Image.open(photos / "castle.jpg") as castle:
        castle.resize((900, 600)).save(given)
    done = run(gateway.address, CONTRACT / "service_config.json", given, large, gif)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith(f"{given}: building ") for line in lines)
    refused = " [IMAGE_FORMAT_UNSUPPORTED] [field content]"
    assert [line.split(":")[0] for line in lines if line.endswith(refused)] == [os.fspath(gif), f"{gif}, alone"]
    assert "summary: 2 received, 1 failed" in lines
    assert f"{large}: {large.stat().st_size} bytes" in lines
    assert any(line.startswith(f"{given}, alone: ") and "building" in line for line in lines)
    assert large.stat().st_size > DEFAULT_MESSAGE_BYTES
    with Image.open(large) as picture:
        assert picture.size == (2700, 1800)


def test_the_go_example(gateway, go_client, photos, tmp_path) -> None:
    check_example(partial(execute, go_client), gateway, photos, tmp_path)


@pytest.fixture(scope="module")
def java_client(tmp_path_factory) -> Path:
    """The folder of the example in Java, compiled with stubs that are generated now."""
    maven = tool("mvn")
    root = tmp_path_factory.mktemp("java")
    source = Path(shutil.copytree(EXAMPLES / "java", root / "examples" / "java", ignore=shutil.ignore_patterns("target")))
    (root / "proto").symlink_to(PROTO)
    done = subprocess.run([maven, "-q", "-B", "compile"], cwd=source, capture_output=True, text=True, timeout=300, check=False)
    if "Could not" in done.stdout and "resolve" in done.stdout:
        pytest.skip("its packages cannot be fetched")
    assert done.returncode == 0, done.stdout
    return source


def test_the_java_example(gateway, java_client, photos, tmp_path) -> None:
    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        given = " ".join(map(os.fspath, arguments))
        return execute(tool("mvn"), "-q", "-B", "exec:java", f"-Dexec.args={given}", cwd=java_client)

    check_example(run, gateway, photos, tmp_path)


@pytest.fixture(scope="module")
def typescript_client(tmp_path_factory) -> Path:
    """The folder of the example in TypeScript, with stubs that are generated now, by the commands of its README."""
    npm = tool("npm")
    root = tmp_path_factory.mktemp("typescript")
    source = Path(
        shutil.copytree(EXAMPLES / "typescript", root / "examples" / "typescript", ignore=shutil.ignore_patterns("node_*"))
    )
    (root / "proto").symlink_to(PROTO)
    (root / ".venv").symlink_to(sys.prefix)
    fetched = subprocess.run(
        [npm, "install", "--no-package-lock", "--no-audit", "--no-fund"],
        cwd=source,
        capture_output=True,
        timeout=300,
        check=False,
    )
    if fetched.returncode:
        pytest.skip("this Node is too old, or its packages cannot be fetched")
    commands = (source / "README.md").read_text(encoding="utf-8").split("```sh\n")[1].split("npm start")[0]
    done = execute("bash", "-ec", commands.split("\n", 1)[1], cwd=source)
    assert done.returncode == 0, done.stderr
    return source


def test_the_typescript_example(gateway, typescript_client, photos, tmp_path) -> None:
    check_example(partial(execute, tool("npm"), "--silent", "start", "--", cwd=typescript_client), gateway, photos, tmp_path)
