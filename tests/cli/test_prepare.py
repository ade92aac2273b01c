"""`image-gateway prepare` in this process, on real photographs."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from gateway.cli.main import main
from gateway.cli.table import prepared_row
from gateway.client import GatewayError, Item, Operation, Preparation, Reason
from gateway.media import ImageFacts, PreparedImage


@pytest.fixture(autouse=True)
def wide(monkeypatch) -> None:
    """Lines long enough for no text to be broken."""
    monkeypatch.setattr("gateway.cli.table.PIPE_WIDTH", 400)


def run(capsys, *arguments: object) -> tuple[int, str]:
    status = main(["prepare", *map(str, arguments)])
    return status, capsys.readouterr().out


def lines(capsys, *arguments: object, status: int = 0) -> list[dict]:
    done, output = run(capsys, "--json", *arguments)
    assert done == status
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def files(photos) -> list[Path]:
    return sorted(path for path in photos.iterdir() if path.suffix != ".md")


def test_the_photographs_fit_and_the_table_says_what_is_done(capsys, files) -> None:
    status, output = run(capsys, *files)
    assert status == 0
    header, *rows = output.splitlines()
    assert header.split("  ")[0] == "picture"
    assert len(rows) == len(files) == 11
    by_name = {row.split()[0]: row for row in rows}
    for text in ("103 kB JPEG, 800×600", "as it is", "1.3%", "nothing"):
        assert text in by_name["dog.jpg"]
    for text in ("90 kB JPEG, 1200×831, EXIF\u00a06", "1.1%", "strip_metadata: 98 bytes: exif"):
        assert text in by_name["phone-dogs.jpg"]


def test_a_refused_picture_says_why_and_the_others_are_shown(capsys, photos, tmp_path, bad_pictures) -> None:
    for name, (data, _) in bad_pictures.items():
        (tmp_path / name).write_bytes(data)
    status, output = run(capsys, *(tmp_path / name for name in bad_pictures), photos / "dog.jpg", tmp_path / "missing.jpg")
    assert status == 1
    rows = {row.split()[0]: row for row in output.splitlines()}
    for name, (_, reason) in bad_pictures.items():
        assert f"{reason}: " in rows[name]
    assert "the file cannot be read: No such file" in rows["missing.jpg"]
    assert "nothing" in rows["dog.jpg"]


def test_json_tells_everything(capsys, photos) -> None:
    dog, missing = lines(capsys, "--max-side", 400, photos / "dog.jpg", "missing.jpg", status=1)
    assert dog["item_id"] == str(photos / "dog.jpg")
    assert dog["given"] == {"format": "jpeg", "width": 800, "height": 600, "orientation": 1, "size_bytes": 102_615}
    prepared = dog["prepared"]
    assert (prepared["format"], prepared["width"], prepared["height"]) == ("jpeg", 400, 300)
    assert prepared["base64_chars"] == -(-prepared["size_bytes"] // 3) * 4
    assert prepared["base64_limit"] == 10_485_760
    assert (dog["unchanged"], dog["actions"]) == (False, [{"name": "fit", "detail": "800x600 px to 400x300 px"}])
    assert dog["milliseconds"] > 0
    assert "written" not in dog
    assert missing["error"]["reason"] == "INVALID_ARGUMENT"


def test_the_files_that_would_be_sent_are_written(capsys, photos, tmp_path) -> None:
    names = ["dog.jpg", "phone-dogs.jpg", "hens.webp", "cat.png"]
    written = lines(capsys, "--operation", "super_resolution", "--out", tmp_path, *(photos / name for name in names))
    assert [Path(item["written"]).name for item in written] == ["dog.jpg", "phone-dogs.jpg", "hens.jpg", "cat.png"]
    for name, item in zip(names, written, strict=True):
        data = Path(item["written"]).read_bytes()
        assert len(data) == item["prepared"]["size_bytes"]
        assert item["unchanged"] == (data == (photos / name).read_bytes())
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.size == (item["prepared"]["width"], item["prepared"]["height"])
    assert [item["unchanged"] for item in written] == [True, False, False, True]


def test_no_input_is_overwritten(capsys, photos, tmp_path) -> None:
    picture = tmp_path / "dog.jpg"
    picture.write_bytes((photos / "dog.jpg").read_bytes())
    (item,) = lines(capsys, "--max-side", 100, "--out", tmp_path, picture)
    assert Path(item["written"]).name == "dog-2.jpg"
    assert picture.read_bytes() == (photos / "dog.jpg").read_bytes()


@pytest.mark.parametrize(
    ("name", "flags", "actions"),
    [
        ("phone-dogs.jpg", ["--keep-metadata"], []),
        ("phone-dogs.jpg", ["--keep-metadata", "--max-side", "500"], ["fit", "rotate"]),
        ("dog.jpg", ["--max-bytes", "20000"], ["shrink"]),
        ("hens.webp", ["--operation", "super_resolution"], ["convert"]),
        ("hens.webp", ["--operation", "super_resolution", "--convert", "never"], None),
    ],
)
def test_flags_change_what_is_done(capsys, photos, name, flags, actions) -> None:
    (item,) = lines(capsys, *flags, photos / name, status=0 if actions is not None else 1)
    if actions is None:
        assert item["error"]["reason"] == "IMAGE_FORMAT_UNSUPPORTED"
    else:
        assert [action["name"] for action in item["actions"]] == actions


def test_quality_is_tried_first(capsys, photos) -> None:
    sizes = [
        lines(capsys, "--max-side", 400, "--quality", quality, photos / "dog.jpg")[0]["prepared"]["size_bytes"]
        for quality in (20, 90)
    ]
    assert sizes[0] < sizes[1] / 2


def test_a_full_decode_finds_what_headers_do_not_show(capsys, photos, tmp_path) -> None:
    data = bytearray((photos / "cat.png").read_bytes())
    data[len(data) // 2] ^= 0xFF
    picture = tmp_path / "cat.png"
    picture.write_bytes(data)
    lines(capsys, picture)
    (item,) = lines(capsys, "--full-decode", picture, status=1)
    assert item["error"]["reason"] == "IMAGE_DAMAGED"


def test_the_settings_are_what_flags_change(capsys, photos, monkeypatch) -> None:
    monkeypatch.setenv("IMAGE_GATEWAY_PREPARE_MAX_SIDE", "200")
    monkeypatch.setenv("IMAGE_GATEWAY_PREPARE_STRIP_METADATA", "false")
    dogs = photos / "phone-dogs.jpg"
    assert lines(capsys, dogs)[0]["prepared"]["height"] == 200
    assert lines(capsys, "--max-side", 2000, dogs)[0]["actions"] == []


def test_a_file_longer_than_any_message_is_prepared_here(capsys, tmp_path) -> None:
    picture = tmp_path / "large.bmp"
    Image.new("RGB", (3000, 2000), (10, 200, 30)).save(picture)
    assert picture.stat().st_size > 17 << 20
    (item,) = lines(capsys, picture)
    assert [action["name"] for action in item["actions"]] == ["shrink"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: FILE|URL"),
        (["x.jpg", "--convert", "maybe"], "invalid choice: 'maybe'"),
        (["x.jpg", "--operation", "dance"], "invalid choice: 'dance'"),
        (["x.jpg", "--max-side", "5"], "max_side is 5; it must be 15 to 4096"),
        (["x.jpg", "--max-bytes", "0"], "max_bytes is 0; it must be 1024 to 7864320"),
        (["x.jpg", "--quality", "101"], "quality is 101; it must be 1 to 100"),
        (["x.jpg", "--out", "/dev/null/x"], "Not a directory"),
    ],
)
def test_wrong_usage_is_explained(capsys, arguments, said) -> None:
    try:
        status = main(["prepare", *arguments])
    except SystemExit as stopped:
        status = stopped.code
    captured = capsys.readouterr()
    assert status == 2
    assert said in captured.err
    assert captured.out == ""


def test_a_row_of_a_changed_picture_shows_both() -> None:
    image = PreparedImage(b"", ImageFacts("bmp", 5000, 3000, 1, 45_000_054), sent=ImageFacts("jpeg", 4096, 2458, 1, 1_966_080))
    row = prepared_row(Item("a", Preparation(image)), Operation.TAGGING)
    assert row.facts == ("45.0 MB BMP, 5000×3000", "2.0 MB JPEG, 4096×2458", "25.0%")
    refused = prepared_row(Item("a", GatewayError(Reason.IMAGE_EMPTY, "nothing there")), Operation.TAGGING)
    assert (refused.facts, refused.outcome.plain) == ((), "IMAGE_EMPTY: nothing there")
