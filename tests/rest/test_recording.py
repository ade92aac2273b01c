"""Recordings: what they know a call by, what they hold, and what happens to those that are damaged."""

import base64
import json
import logging
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.media import ImageUri
from gateway.rest.call import Call, read_call
from gateway.rest.errors import RestError
from gateway.rest.operations import OPERATIONS, Operation
from gateway.rest.recorded_reply import Answer, RecordingError, read_recording, write_recording
from gateway.rest.recorded_request import digest_of, recorded_request
from gateway.rest.recording import Recordings
from gateway.rest.recording_folder import RecordingFolder
from gateway.rest.recording_settings import RecordSettings
from gateway.rest.settings import RestConfigError

BY_NAME = {operation.name: operation for operation in OPERATIONS}
TAGGING, DEFOG, MUSIC = BY_NAME["image-tagging"], BY_NAME["defog"], BY_NAME["bgm-recognition"]
PICTURE = bytes(range(256))
SIGNED = "https://pictures.obs.cn-east-3.myhuaweicloud.com/cat.jpg?AccessKeyId=AKPLANTED&Expires=1&Signature=PLANTED%3D"


def called(operation: Operation = TAGGING, **members: object) -> Call:
    """The call that a request with `members` makes."""
    members = members or {"image": base64.b64encode(PICTURE).decode()}
    return read_call(operation, "application/json", {}, json.dumps(members).encode())


def sent_form(operation: Operation, file: bytes, **fields: str) -> Call:
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    body = parts.encode() + b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + file + b"\r\n--b--\r\n"
    return read_call(operation, "multipart/form-data", {"Content-Type": "multipart/form-data; boundary=b"}, body)


def digest(operation: Operation, call: Call) -> str:
    return digest_of(recorded_request(operation, call))


class Work:
    """What would be computed: counts how often, and answers, or raises, what it is told to."""

    def __init__(self, outcome: Callable[[], web.Response] | RestError | None = None) -> None:
        self.done = 0
        self._outcome = outcome or (lambda: web.json_response({"result": {"tags": ["猫"]}}))

    async def __call__(self) -> web.Response:
        self.done += 1
        if isinstance(self._outcome, RestError):
            raise self._outcome
        return self._outcome()


def recordings(folder: Path, mode: str = "replay-or-record", **bounds: int) -> Recordings:
    return Recordings(RecordSettings(mode=mode, folder=folder, **bounds))


async def refusal(answering) -> RestError:
    with pytest.raises(RestError) as caught:
        await answering
    return caught.value


# What a call is known by.


def test_what_does_not_matter_makes_no_difference() -> None:
    image = base64.b64encode(PICTURE).decode()
    wrapped = "\r\n".join(image[at : at + 60] for at in range(0, len(image), 60))
    first = digest(TAGGING, called(image=image, limit=50, threshold=60, language="zh"))
    assert digest(TAGGING, called(image=image)) == first
    assert digest(TAGGING, called(threshold=60.0, image=image, url="", unknown="x", language=None)) == first
    assert digest(TAGGING, called(image=wrapped, limit=50.0)) == first


def test_what_matters_makes_a_difference() -> None:
    image = base64.b64encode(PICTURE).decode()
    others = base64.b64encode(PICTURE + b"x").decode()
    calls = [
        (TAGGING, called(image=image)),
        (TAGGING, called(image=others)),
        (TAGGING, called(image=image, threshold=61)),
        (TAGGING, called(image=image, language="en")),
        (TAGGING, called(url="https://example.org/cat.jpg")),
        (TAGGING, called(url="https://example.org/dog.jpg")),
        (TAGGING, called(url="https://example.org/cat.jpg?id=1")),
        (TAGGING, called(url="https://example.org/cat.jpg?id=2")),
        (TAGGING, called(url="https://example.org/cat.jpg?di=1")),
        (TAGGING, called(url="https://example.org/cat.jpg?id=%ff")),
        (TAGGING, called(url="https://example.org/cat.jpg?id=%fe")),
        (BY_NAME["image-tagging-v1"], called(image=image, threshold=60, limit=50)),
        (DEFOG, called(DEFOG, image=image)),
        (DEFOG, called(DEFOG, image=image, natural_look=False)),
        (DEFOG, sent_form(DEFOG, PICTURE)),
        (DEFOG, sent_form(DEFOG, PICTURE, gamma="2")),
    ]
    assert len({digest(*call) for call in calls}) == len(calls)


def test_forms_are_known_by_their_values_not_by_their_text() -> None:
    first = digest(DEFOG, sent_form(DEFOG, PICTURE, gamma="1.50", natural_look="1"))
    assert digest(DEFOG, sent_form(DEFOG, PICTURE, natural_look="TRUE")) == first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SIGNED, SIGNED.replace("PLANTED", "ANOTHER").replace("Expires=1", "Expires=2")),
        (SIGNED, SIGNED.partition("?")[0]),
        ("https://s/o?X-Amz-Signature=1&X-Amz-Date=2&versionId=3", "https://s/o?versionId=3"),
        ("https://s/o?b=2&a=1", "https://s/o?a=1&b=2"),
        ("https://S/o#part", "https://s/o"),
        ("https://s/o?Access%4BeyId=1", "https://s/o"),
    ],
)
def test_urls_are_known_without_their_signatures(one, other) -> None:
    assert digest(TAGGING, called(url=one)) == digest(TAGGING, called(url=other))


@given(st.text("abc/?&=%41;#-é", max_size=30))
def test_no_value_of_a_query_is_in_the_canonical_form(tail) -> None:
    call = Call(ImageUri(f"https://example.org/o?token=s3cret&{tail}=s3cret&s3cret"), {}, is_form=False)
    assert "s3cret" not in json.dumps(recorded_request(MUSIC, call))


def test_digests_do_not_change_between_versions() -> None:
    """Golden: recordings that are kept beside a test suite must stay valid."""
    assert digest(TAGGING, called()) == "2cefeb0ae013ee6efb3d42827f371388"
    assert digest(TAGGING, called(url=SIGNED + "&id=1")) == "a804d5a23a1ab27d79b3b35cb1aab5b2"


# What a file holds.

REQUEST = recorded_request(TAGGING, called())


@pytest.mark.parametrize(
    "answer",
    [
        Answer("application/json; charset=utf-8", json.dumps({"result": ["猫", 1.5, "\ud800"]}).encode()),
        Answer("application/json", '{"result":"猫"}'.encode()),
        Answer("application/json", b'{"result": NaN}'),
        Answer("application/json", b"null"),
        Answer("image/jpeg", PICTURE),
        Answer("image/png", b""),
    ],
)
def test_answers_come_back_byte_for_byte(answer) -> None:
    assert read_recording(write_recording(REQUEST, answer), REQUEST) == answer


def test_refusals_come_back_with_their_detail() -> None:
    error = RestError("AIS.0503", "(the file ends in the middle)")
    back = read_recording(write_recording(REQUEST, error), REQUEST)
    assert isinstance(back, RestError)
    assert (back.code, back.message, back.status) == (error.code, error.message, error.status)


def test_files_can_be_read_and_edited_by_people() -> None:
    written = write_recording(REQUEST, Answer("application/json", json.dumps({"result": "猫"}).encode())).decode()
    assert '"sha256"' in written
    assert read_recording(written.replace("猫", "狗").encode(), REQUEST).body == json.dumps({"result": "狗"}).encode()


def changed(**members: object) -> bytes:
    """A recording with some members of its reply replaced, or left out if they are `...`."""
    document = json.loads(write_recording(REQUEST, Answer("image/png", PICTURE)))
    reply = document["reply"] | members
    return json.dumps(document | {"reply": {name: value for name, value in reply.items() if value is not ...}}).encode()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no JSON object"),
        (b"[]", "no JSON object"),
        (b"\xff\xfe", "no JSON object"),
        (b'{"a": ' * 100_000, "no JSON object"),
        (b'{"version": 1, "version": 1}', "no JSON object"),
        (write_recording(REQUEST, Answer("image/png", PICTURE))[:-100], "no JSON object"),
        (b"{}", "version: Field required"),
        (b'{"version": 2}', "version: Input should be 1"),
        (changed(kind="other"), "reply: Input tag 'other'"),
        (changed(status=201), "reply.answer.status"),
        (changed(content_type="text/html\r\nSet-Cookie: a=b"), "reply.answer.content_type"),
        (changed(content_type="text/html\n"), "reply.answer.content_type"),
        (changed(extra=1), "reply.answer.extra"),
        (changed(base64="!"), "reply.base64: it is no base64"),
        (changed(base64="é"), "reply.base64: it is no base64"),
        (changed(base64=...), "exactly one of document and base64"),
        (changed(document={}), "exactly one of document and base64"),
        (json.dumps(json.loads(changed()) | {"request": {"operation": "defog"}}).encode(), "do not belong together"),
        (json.dumps(json.loads(changed()) | {"digest": "0" * 32}).encode(), "do not belong together"),
        (write_recording(recorded_request(DEFOG, called(DEFOG)), Answer("image/png", b"")), "do not belong together"),
        (
            json.dumps(
                json.loads(changed()) | {"reply": {"kind": "refusal", "error_code": "AIS.9999", "detail": ""}},
            ).encode(),
            "no code of the contract",
        ),
    ],
)
def test_damaged_files(data, told) -> None:
    with pytest.raises(RecordingError) as caught:
        read_recording(data, REQUEST)
    assert told in str(caught.value)
    assert "Set-Cookie" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_damaged_files(data) -> None:
    with pytest.raises(RecordingError):
        read_recording(data, REQUEST)


# The folder.


def test_a_folder_is_bounded_in_files(tmp_path) -> None:
    folder = RecordingFolder(tmp_path, max_files=2, max_bytes=1000)
    folder.write("a", b"1")
    folder.write("b", b"1")
    with pytest.raises(RecordingError, match="2 files"):
        folder.write("c", b"1")
    folder.write("a", b"22")  # in place of the old one
    assert (folder.read("a"), folder.read("c")) == (b"22", None)


def test_a_folder_is_bounded_in_bytes_and_counts_what_is_there(tmp_path) -> None:
    (tmp_path / "old").write_bytes(bytes(60))
    folder = RecordingFolder(tmp_path, max_files=9, max_bytes=100)
    with pytest.raises(RecordingError, match="100 bytes"):
        folder.write("a", bytes(41))
    folder.write("a", bytes(40))
    folder.write("a", bytes(30))
    folder.write("b", bytes(10))
    with pytest.raises(RecordingError, match="100 bytes"):
        folder.write("b", bytes(11))
    assert folder.read("b") == bytes(10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "old"]


def test_files_are_the_owner_s_and_whole(tmp_path, monkeypatch) -> None:
    folder = RecordingFolder(tmp_path, 9, 100)
    folder.write("a", b"old")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600

    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(RecordingError, match="No space left"):
        folder.write("a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert folder.read("a") == b"old"


def test_what_is_no_file_is_not_read(tmp_path) -> None:
    folder = RecordingFolder(tmp_path, 9, 100)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe"):
        with pytest.raises(RecordingError, match="it cannot be read"):
            folder.read(name)


def test_files_that_are_too_long_are_not_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.rest.recording_folder.MAX_RECORDING_BYTES", 10)
    folder = RecordingFolder(tmp_path, 9, 100)
    folder.write("a", bytes(10))
    assert folder.read("a") == bytes(10)
    (tmp_path / "a").write_bytes(bytes(11))
    with pytest.raises(RecordingError, match="longer than 10"):
        folder.read("a")
    with pytest.raises(RecordingError, match="longer than 10"):
        folder.write("b", bytes(11))


def test_a_folder_is_written_from_many_threads(tmp_path) -> None:
    folder = RecordingFolder(tmp_path, max_files=20, max_bytes=10_000)

    def write(start: int) -> None:
        for number in range(start, start + 20):
            try:
                folder.write(str(number % 30), bytes(10))
            except RecordingError:
                continue

    threads = [threading.Thread(target=write, args=(start,)) for start in range(0, 40, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.iterdir())) == 20


# Recording and replaying.


def test_settings() -> None:
    assert RecordSettings().mode == "off"
    with pytest.raises(ValidationError, match="mode is 'replay', which needs one"):
        RecordSettings(mode="replay")
    with pytest.raises(ValidationError):
        RecordSettings(mode="rewind", folder="x")


async def test_off(tmp_path) -> None:
    off, work = recordings(tmp_path / "none", "off"), Work()
    for _ in range(2):
        assert (await off.answer(TAGGING, called(), work)).status == 200
    assert work.done == 2
    assert list(tmp_path.iterdir()) == []


async def test_record_then_replay(tmp_path) -> None:
    folder = tmp_path / "deep" / "folder"
    first = await recordings(folder, "record").answer(TAGGING, called(url=SIGNED, limit=3), Work())
    (file,) = folder.iterdir()
    assert file.name == f"image-tagging.{digest(TAGGING, called(url=SIGNED, limit=3))}.json"
    for secret in ("AKPLANTED", "PLANTED", "Expires"):
        assert secret not in file.read_text()
    work = Work()
    again = await recordings(folder, "replay").answer(TAGGING, called(limit=3, url=SIGNED.replace("PLANTED", "NEW")), work)
    assert (again.body, again.headers["Content-Type"], again.status) == (first.body, first.headers["Content-Type"], 200)
    assert work.done == 0


async def test_pictures_come_back_as_they_were(tmp_path) -> None:
    call = sent_form(DEFOG, PICTURE)
    await recordings(tmp_path).answer(DEFOG, call, Work(lambda: web.Response(body=PICTURE[::-1], content_type="image/png")))
    again = await recordings(tmp_path, "replay").answer(DEFOG, call, Work())
    assert (again.body, again.content_type) == (PICTURE[::-1], "image/png")
    assert PICTURE not in next(tmp_path.iterdir()).read_bytes()


async def test_recording_replaces_what_was_recorded(tmp_path) -> None:
    recording = recordings(tmp_path, "record")
    for text in ("old", "new"):
        await recording.answer(TAGGING, called(), Work(lambda text=text: web.json_response({"result": text})))
    again = await recordings(tmp_path, "replay").answer(TAGGING, called(), Work())
    assert json.loads(again.body) == {"result": "new"}


async def test_what_is_not_recorded(tmp_path) -> None:
    work = Work()
    error = await refusal(recordings(tmp_path, "replay").answer(TAGGING, called(), work))
    assert (error.code, error.status, work.done) == ("AIS.0206", 400, 0)
    assert f"nothing is recorded for image-tagging, digest {digest(TAGGING, called())}" in error.message
    assert list(tmp_path.iterdir()) == []


async def test_replay_or_record(tmp_path) -> None:
    both, work = recordings(tmp_path), Work()
    bodies = {(await both.answer(TAGGING, called(), work)).body for _ in range(3)}
    assert (work.done, len(bodies)) == (1, 1)


async def test_refusals_that_are_the_request_s_fault_are_kept(tmp_path) -> None:
    damaged = RestError("AIS.0503", "(the file ends in the middle)")
    both, work = recordings(tmp_path), Work(damaged)
    for _ in range(3):
        error = await refusal(both.answer(TAGGING, called(), work))
        assert (error.code, error.message) == (damaged.code, damaged.message)
    assert work.done == 1


@pytest.mark.parametrize("code", [TAGGING.family.failed, TAGGING.family.internal, "AIS.0024", "AIS.0029", "APIG.0308"])
async def test_refusals_that_pass_are_not_kept(tmp_path, code) -> None:
    both, work = recordings(tmp_path), Work(RestError(code))
    for _ in range(2):
        assert (await refusal(both.answer(TAGGING, called(), work))).code == code
    assert work.done == 2
    assert list(tmp_path.iterdir()) == []


async def test_only_successes_are_kept_as_answers(tmp_path) -> None:
    both, work = recordings(tmp_path), Work(lambda: web.json_response({}, status=202))
    assert (await both.answer(TAGGING, called(), work)).status == 202
    assert list(tmp_path.iterdir()) == []


async def test_a_damaged_recording_is_an_error_and_is_left_as_it_is(tmp_path, caplog) -> None:
    both, work = recordings(tmp_path), Work()
    await both.answer(TAGGING, called(), work)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    with caplog.at_level(logging.ERROR):
        error = await refusal(both.answer(TAGGING, called(), work))
    assert error.code == "AIS.0003"
    assert f"the recording {file.name} cannot be used" in error.message
    assert str(tmp_path) not in error.message
    assert file.name in caplog.text
    assert work.done == 1


async def test_a_full_folder_is_logged_and_answers_go_on(tmp_path, caplog) -> None:
    recording = recordings(tmp_path, "record", max_files=1)
    with caplog.at_level(logging.WARNING):
        for limit in (1, 2):
            assert (await recording.answer(TAGGING, called(url=SIGNED, limit=limit), Work())).status == 200
    assert len(list(tmp_path.iterdir())) == 1
    (record,) = caplog.records
    assert "1 files" in record.getMessage()


@pytest.mark.parametrize("mode", ["record", "replay"])
def test_a_folder_that_cannot_be_used_stops_the_start(tmp_path, mode) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RestConfigError, match=r"record\.folder is .*which cannot be used"):
        recordings(tmp_path / "file", mode)


def test_replay_makes_no_folder(tmp_path) -> None:
    with pytest.raises(RestConfigError, match="No such file"):
        recordings(tmp_path / "none", "replay")
    assert list(tmp_path.iterdir()) == []


async def test_files_are_never_read_or_written_on_the_event_loop(tmp_path, monkeypatch) -> None:
    threads: list[int] = []
    for name in ("read", "write"):
        real = getattr(RecordingFolder, name)

        def spied(self, *arguments, real=real):
            threads.append(threading.get_ident())
            return real(self, *arguments)

        monkeypatch.setattr(RecordingFolder, name, spied)
    await recordings(tmp_path).answer(TAGGING, called(), Work())
    assert len(threads) == 2
    assert threading.get_ident() not in threads
