import asyncio
import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache import key
from gateway.cache.key import answer_key, canonical, digest, subject_digest
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    ImageFacts,
    ImageUri,
    Language,
    MediaContent,
    PreparedImage,
    TaggingParameters,
    TaggingVersion,
    UpscaleModel,
    UpscaleParameters,
)

FACTS = ImageFacts("jpeg", 1, 1, 1, 1)

DIFFERENT = [
    TaggingParameters(),
    TaggingParameters(language=Language.EN),
    TaggingParameters(threshold=60.00001),
    TaggingParameters(limit=51),
    TaggingParameters(version=TaggingVersion.V1),
    DarkEnhanceParameters(0.1),
    DarkEnhanceParameters(0.2),
    DefogParameters(1.0),
    DefogParameters(1.0, natural_look=False),
    UpscaleParameters(3),
    UpscaleParameters(4),
    UpscaleParameters(3, UpscaleModel.SRCNN),
]


@given(st.lists(st.binary(max_size=20), max_size=4), st.lists(st.binary(max_size=20), max_size=4))
def test_different_parts_have_different_digests(one, other) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


def test_the_digest_is_sha_256_of_the_parts_after_their_lengths() -> None:
    assert digest(b"ab", b"") == hashlib.sha256(b"\0\0\0\0\0\0\0\x02ab" + bytes(8)).digest()


def test_parameters_that_differ_are_told_apart() -> None:
    assert len({canonical(parameters) for parameters in DIFFERENT}) == len(DIFFERENT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TaggingParameters(threshold=60), TaggingParameters(threshold=60.0)),
        (TaggingParameters(threshold=-0.0), TaggingParameters(threshold=0.0)),
        (DefogParameters(2), DefogParameters(2.0)),
    ],
)
def test_equal_parameters_are_spelled_alike(one, other) -> None:
    assert canonical(one) == canonical(other)


def test_everything_that_an_answer_depends_on_is_in_its_key() -> None:
    keys = {
        answer_key(*parts)
        for parts in itertools.product(("cloud", "local"), ("tagging", "defog"), (b"", b"x"), (bytes(32), bytes(31) + b"\1"))
    }
    assert len(keys) == 16
    assert {len(found) for found in keys} == {32}


async def test_a_picture_goes_by_its_file_alone() -> None:
    one = PreparedImage(b"file", FACTS)
    other = PreparedImage(b"file", ImageFacts("jpeg", 9, 9, 1, 9), sent=FACTS)
    assert await subject_digest(one) == await subject_digest(other) == await subject_digest(MediaContent(b"file"))
    assert await subject_digest(one) != await subject_digest(PreparedImage(b"other", FACTS))


async def test_a_url_is_never_taken_for_a_file_of_the_same_bytes() -> None:
    uri = "https://example.org/a.jpg"
    assert await subject_digest(ImageUri(uri)) != await subject_digest(MediaContent(uri.encode()))


async def test_large_files_are_hashed_off_the_loop_to_the_same_digest(monkeypatch) -> None:
    hops = []
    to_thread = asyncio.to_thread

    async def counted(function, *parts):
        hops.append(len(parts[-1]))
        return await to_thread(function, *parts)

    monkeypatch.setattr(key.asyncio, "to_thread", counted)
    large, small = bytes((256 << 10) + 1), bytes(256 << 10)
    assert await subject_digest(MediaContent(large)) == digest(b"content", large)
    assert await subject_digest(MediaContent(small)) == digest(b"content", small)
    assert hops == [len(large)]
