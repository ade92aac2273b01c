import pytest

from gateway.cli.output import OutputFolder
from gateway.media import ImageFacts, PreparedImage

GIVEN = ImageFacts("png", 40, 30, 1, 9)


def image(data: bytes = b"new", kind: str | None = "jpeg") -> PreparedImage:
    return PreparedImage(data, GIVEN, sent=ImageFacts(kind, 40, 30, 1, len(data)) if kind else None)


@pytest.mark.parametrize(
    ("item_id", "kind", "name"),
    [
        ("photos/cat.png", "jpeg", "cat.jpg"),
        ("photos/cat.png", "webp", "cat.webp"),
        ("photos/cat.JPEG", None, "cat.png"),
        ("/a b/holiday photo (1).tar.gif", "png", "holiday photo (1).tar.png"),
        (".hidden", "bmp", ".hidden.bmp"),
        ("x" * 250 + ".jpg", "jpeg", "x" * 200 + ".jpg"),
        ("https://example.org/a/cat.jpg?sig=1/2#x", "jpeg", "cat.jpg"),
        ("https://example.org/a/%2e%2e%2f%2e%2e%2fetc%2fpass wd.jpg", "jpeg", "pass_wd.jpg"),
        ("https://example.org/..", "jpeg", "picture.jpg"),
        ("https://example.org", "jpeg", "picture.jpg"),
        ("https://example.org/%00%0a.jpg", "jpeg", "jpg.jpg"),
    ],
)
def test_files_are_named_after_their_pictures(tmp_path, item_id, kind, name) -> None:
    path = OutputFolder(tmp_path).save(item_id, image(kind=kind))
    assert path == tmp_path / name
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_there_stays(tmp_path) -> None:
    """Inputs in the same folder, results of an earlier run, links to anywhere."""
    (tmp_path / "cat.jpg").write_bytes(b"input")
    outside = tmp_path / "outside"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "dog.jpg").symlink_to(outside)
    folder = OutputFolder(tmp_path)
    assert [folder.save("cat.jpg", image()).name for _ in range(3)] == ["cat-2.jpg", "cat-3.jpg", "cat-4.jpg"]
    assert (tmp_path / "cat.jpg").read_bytes() == b"input"
    assert OutputFolder(tmp_path / "out").save("dog.jpg", image()).name == "dog-2.jpg"
    assert not outside.exists()


def test_the_folder_is_made(tmp_path) -> None:
    assert OutputFolder(tmp_path / "a" / "b").save("x.png", image()).exists()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="exists"):
        OutputFolder(tmp_path / "file")
