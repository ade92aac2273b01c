"""What is looked over before FFmpeg gets it."""

import io
import struct

import av
import numpy as np
import pytest

from gateway.engines.music.mp4 import MAX_BOXES, MAX_SAMPLES, MAX_TABLE_BYTES, check_mp4, without_tags
from gateway.errors import GatewayError, Reason

from .sounds import encoded, melody


@pytest.fixture(scope="module")
def recording() -> bytes:
    """Two seconds of sound, and pictures."""
    return encoded(melody(0, 2), pictures=True)


def refused(media: bytes) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        check_mp4(media)
    assert caught.value.field == "content"
    return caught.value


def patched(media: bytes, table: bytes, offset: int, value: int) -> bytes:
    """`value` so many bytes after the name of the last such table: that of the sound."""
    at = media.rindex(table) + 4 + offset
    return media[:at] + struct.pack(">I", value) + media[at + 4 :]


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def test_recordings_pass(recording) -> None:
    check_mp4(recording)
    check_mp4(recording + bytes(100))  # as some recorders leave it
    check_mp4(recording + box(b"free", b"x" * 1000))


@pytest.mark.parametrize(
    "media", [b"", b"ftyp", b"\xff\xd8\xff\xe0 JFIF", b"OggS" * 10, b"RIFF....WAVEfmt ", b"\x1aE\xdf\xa3" * 9]
)
def test_other_files_are_unsupported(media) -> None:
    assert refused(media).reason is Reason.MEDIA_UNSUPPORTED


def test_every_truncation_is_damage(recording) -> None:
    for size in (*range(8, 200), *range(200, len(recording), 61), len(recording) - 1):
        assert refused(recording[:size]).reason is Reason.MEDIA_DAMAGED


def test_a_box_of_no_size_is_damage(recording) -> None:
    assert refused(recording + b"\0\0\0\4free").reason is Reason.MEDIA_DAMAGED
    assert refused(recording + b"\0\0\0\1free" + struct.pack(">Q", 15)).reason is Reason.MEDIA_DAMAGED


@pytest.mark.parametrize(("table", "offset"), [(b"stsz", 8), (b"stsc", 4), (b"stco", 4)])
def test_a_table_of_too_many_entries_is_refused(recording, table, offset) -> None:
    error = refused(patched(recording, table, offset, MAX_SAMPLES + 1))
    assert error.reason is Reason.MEDIA_UNSUPPORTED
    assert str(MAX_SAMPLES) in error.allowed


def test_sizes_of_64_bits_do_not_hide_a_table(recording) -> None:
    hidden = struct.pack(">I4sQIII", 1, b"stsz", 28, 0, 1, MAX_SAMPLES + 1)
    assert refused(recording + box(b"moov", hidden)).reason is Reason.MEDIA_UNSUPPORTED
    check_mp4(recording + box(b"moov", struct.pack(">I4sQIII", 1, b"stsz", 28, 0, 1, 5)))


def test_a_table_outside_all_boxes_counts(recording) -> None:
    assert refused(recording + box(b"trun", struct.pack(">II", 0, MAX_SAMPLES + 1))).reason is Reason.MEDIA_UNSUPPORTED


def test_boxes_without_end_are_refused(recording) -> None:
    assert refused(recording + box(b"free", b"") * MAX_BOXES).reason is Reason.MEDIA_UNSUPPORTED


def test_the_demuxer_sees_no_tags(recording) -> None:
    data = box(b"data", struct.pack(">II", 1, 0) + b"Some title")
    header = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    tagged = recording + box(b"udta", box(b"meta", bytes(4) + header + box(b"ilst", box(b"\xa9nam", data))))
    with av.open(io.BytesIO(tagged)) as given, av.open(without_tags(tagged)) as seen:
        assert given.metadata["title"] == "Some title"
        assert "title" not in seen.metadata
        assert seen.duration == given.duration
    assert len(without_tags(tagged).getvalue()) == len(tagged)
    with pytest.raises(GatewayError):
        without_tags(recording + box(b"free", b"udta" * (MAX_BOXES + 1)))


def test_media_data_is_left_as_it_is(recording) -> None:
    media = recording + box(b"mdat", b"udta")
    assert without_tags(media).getvalue().endswith(b"udta")


def test_many_small_tables_add_up(recording) -> None:
    fragment = box(b"moof", box(b"trun", struct.pack(">II", 0, MAX_SAMPLES // 4)))
    check_mp4(recording + 3 * fragment)
    assert refused(recording + 5 * fragment).reason is Reason.MEDIA_UNSUPPORTED
    assert refused(recording + box(b"moof", 200_000 * box(b"trun", bytes(8)))).reason is Reason.MEDIA_UNSUPPORTED


def test_chunks_of_billions_of_samples_are_refused(recording) -> None:
    media = patched(recording, b"stsc", 12, 2**31)
    assert refused(media).reason is Reason.MEDIA_UNSUPPORTED


def test_a_compressed_table_of_contents_is_refused(recording) -> None:
    assert refused(recording + box(b"moov", box(b"cmov", bytes(8)))).reason is Reason.MEDIA_UNSUPPORTED


def test_media_data_may_hold_anything_and_other_boxes_not_too_much(recording) -> None:
    check_mp4(recording + box(b"mdat", b"stsz\xff" * 1000 + bytes(MAX_TABLE_BYTES)))
    assert refused(recording + box(b"free", bytes(MAX_TABLE_BYTES + 1))).reason is Reason.MEDIA_UNSUPPORTED


def test_no_bytes_make_it_fail_otherwise(recording) -> None:
    dice = np.random.default_rng(0)
    reasons = set()
    for _ in range(3000):
        media = np.frombuffer(recording, np.uint8)[: dice.choice([len(recording), 700])].copy()
        media[dice.integers(media.size, size=5)] = dice.integers(256, size=5)
        try:
            check_mp4(media.tobytes())
        except GatewayError as error:
            reasons.add(error.reason)
    assert reasons == {Reason.MEDIA_UNSUPPORTED, Reason.MEDIA_DAMAGED}
