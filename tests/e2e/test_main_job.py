"""Photographs through every layer, as processes: client → gRPC → gateway → HTTP with a token → REST face → engine."""

import http.server
import json
import os
import threading
from pathlib import Path

import pytest
from PIL import Image

from .conftest import SECRETS, run, started


@pytest.fixture
def gateway(rest_face, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(SECRETS["password"] + "\n")
    base = f"http://{rest_face.address}"
    with started(
        ["serve", "--provider", "cloud", "--endpoint", base, "--iam-endpoint", base, "--region", "cn-east-3"],
        IMAGE_GATEWAY_CLOUD_USER="someone",
        IMAGE_GATEWAY_CLOUD_DOMAIN="account",
        IMAGE_GATEWAY_CLOUD_PASSWORD_FILE=str(secret),
        IMAGE_GATEWAY_LOG_LEVEL="debug",
    ) as server:
        yield server


def test_bad_files_fail_alone_and_the_others_get_the_same_tags_on_every_way(
    gateway, tagged, photos, bad_pictures, tmp_path
) -> None:
    for name, (data, _) in bad_pictures.items():
        (tmp_path / name).write_bytes(data)
    good = [str(photos / name) for name in ("dog.jpg", "cat.png", "clock.bmp", "hens.webp")]
    bad = [str(tmp_path / name) for name in bad_pictures] + [str(tmp_path / "missing.jpg")]
    files = [path for pair in zip(bad, [*good, *good], strict=False) for path in pair]
    through = tagged(*files, "--target", gateway.address, status=1)
    embedded = tagged(*files, status=1)
    assert [item["item_id"] for item in through] == files == [item["item_id"] for item in embedded]
    boxed = 0
    for sent, computed in zip(through, embedded, strict=True):
        if "error" in sent:
            assert sent["error"] == computed["error"]
            assert sent["error"]["message"]
        else:
            assert sent["tags"] == computed["tags"]
            boxed += any(tag["boxes"] for tag in sent["tags"])
            assert (sent["provider"], computed["provider"]) == ("cloud", "local")
            assert len(sent["upstream_request_ids"]) == 1
            assert sent["attempts"] == (sent["cache"] == "miss")  # each picture comes twice, and is asked about once
    assert boxed >= 5  # at least all but the clock
    reasons = {Path(item["item_id"]).name: item["error"]["reason"] for item in through if "error" in item}
    assert reasons == {name: reason for name, (_, reason) in bad_pictures.items()} | {"missing.jpg": "INVALID_ARGUMENT"}


def test_the_gateway_is_healthy_stops_cleanly_and_prints_no_secret(gateway, rest_face, tagged, photos) -> None:
    assert run("health", "--target", gateway.address).stdout == "SERVING\n"
    tagged(str(photos / "dog.jpg"), "--target", gateway.address)
    assert gateway.stop() == 0
    assert "health: SERVING" in gateway.logged()
    for secret in SECRETS.values():
        assert secret not in gateway.logged() + gateway.output + rest_face.logged()
    assert run("health", "--target", gateway.address, "--timeout", "1").returncode == 1


def test_a_gateway_with_a_wrong_password_says_so_and_is_not_serving(rest_face, tagged, photos) -> None:
    base = f"http://{rest_face.address}"
    with started(
        ["serve", "--provider", "cloud", "--endpoint", base, "--iam-endpoint", base],
        IMAGE_GATEWAY_CLOUD_USER="someone",
        IMAGE_GATEWAY_CLOUD_DOMAIN="account",
        IMAGE_GATEWAY_CLOUD_PASSWORD="not-this-one-5150",
    ) as server:
        assert run("health", "--target", server.address).stdout == "NOT_SERVING\n"
        (item,) = tagged(str(photos / "dog.jpg"), "--target", server.address, status=1)
        assert item["error"]["code"] == "FAILED_PRECONDITION"
        assert item["error"]["reason"] == "UPSTREAM_AUTHENTICATION_FAILED"
        server.stop()
        assert "not-this-one-5150" not in server.output + server.logged() + rest_face.logged()
        assert "The username or password is wrong" in rest_face.logged()


def test_the_demo_shows_the_whole_way(tmp_path, photos) -> None:
    done = run("demo", "--out", str(tmp_path), "--language", "zh", str(photos / "dog.jpg"), str(photos / "phone-dogs.jpg"))
    assert done.returncode == 0, done.stderr
    assert "2 of 2 tagged" in done.stdout
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [Path(item["item_id"]).name for item in results] == ["dog.jpg", "phone-dogs.jpg"]
    assert "狗" in {tag["tag"] for tag in results[0]["tags"]}
    assert results[0]["provider"] == "cloud"
    with Image.open(tmp_path / "phone-dogs.jpg.tagged.jpg") as upright:
        assert upright.height > upright.width
    assert (tmp_path / "overview.jpg").exists()


def test_the_demo_fails_if_a_picture_does(tmp_path, photos, bad_pictures) -> None:
    bad = tmp_path / "tiny.png"
    bad.write_bytes(bad_pictures["tiny.png"][0])
    done = run("demo", "--out", str(tmp_path / "out"), str(photos / "dog.jpg"), str(bad))
    assert done.returncode == 1
    assert "IMAGE_DIMENSIONS_OUT_OF_RANGE" in done.stdout.replace("\n", "")
    assert len(json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))) == 2


def test_pictures_by_url(tagged, photos, rest_face) -> None:
    """Downloaded by the gateway where the provider does not; loopback is for the embedded way only."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Quiet(*a, directory=os.fspath(photos))) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{files.server_address[1]}"
        good, missing = tagged(f"{url}/dog.jpg", f"{url}/missing.jpg", status=1)
        assert "dog" in {tag["tag"] for tag in good["tags"]}
        assert missing["error"]["reason"] == "URI_DOWNLOAD_FAILED"
        with started(["serve"]) as server:
            (item,) = tagged(f"{url}/dog.jpg", "--target", server.address, status=1)
        files.shutdown()
    assert item["error"]["reason"] == "URI_FORBIDDEN"


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["serve", "--listen", "nonsense"], {}, ["setting listen is 'nonsense' (from the command line)", "HOST:PORT"]),
        (["serve", "--provider", "moon"], {}, ["setting provider is 'moon'", "'local' or 'cloud'"]),
        (["serve", "--provider", "cloud"], {}, ["user, domain", "password"]),
        (["serve"], {"IMAGE_GATEWAY_CLOUD_TIMEOUT": "-1"}, ["cloud.timeout is '-1'", "IMAGE_GATEWAY_CLOUD_TIMEOUT", "above 0"]),
        (["serve"], {"IMAGE_GATEWAY_PROVDER": "local"}, ["IMAGE_GATEWAY_PROVDER", "did you mean IMAGE_GATEWAY_PROVIDER?"]),
        (["serve", "--config", "/does/not/exist"], {}, ["/does/not/exist cannot be read"]),
        (["rest", "--access-key", "AK"], {}, ["access_key and secret_key", "both or neither"]),
        (["tag", "x.jpg", "--threshold", "101"], {}, ["threshold is 101", "0 to 100"]),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_explained(arguments, settings, said) -> None:
    done = run(*arguments, **settings)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr


def test_a_port_in_use_is_explained(rest_face) -> None:
    for name in ("serve", "rest"):
        done = run(name, "--listen", rest_face.address)
        assert done.returncode == 2
        assert rest_face.address.rpartition(":")[2] in done.stderr
        assert "Traceback" not in done.stderr


def test_json_stays_json_where_output_is_not_unicode(tmp_path, photos) -> None:
    picture = tmp_path / "é猫.png"
    picture.write_bytes((photos / "cat.png").read_bytes())
    done = run("tag", "--json", "--language", "zh", str(picture), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    item = json.loads(done.stdout)
    assert item["item_id"] == str(picture)
    assert "猫" in {tag["tag"] for tag in item["tags"]}


def test_annotated_pictures_are_written(tmp_path, tagged, photos) -> None:
    tagged(str(photos / "cat.png"), "--annotate", str(tmp_path))
    with Image.open(tmp_path / "cat.png.tagged.jpg") as picture:
        assert picture.size == (451, 300)
