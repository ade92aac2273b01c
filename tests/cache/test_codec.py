import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.codec import IMAGE_REASONS, MAGIC, WholeTagging, decode, encode
from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.media import (
    Box,
    CacheState,
    EnhancementReply,
    ImageFacts,
    Language,
    LocalizedText,
    MusicMatch,
    MusicReply,
    Tag,
    TaggingReply,
    TagInstance,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
percents = st.floats(0, 100)
counts = st.integers(0, (1 << 31) - 1)
localized = st.builds(LocalizedText, texts, texts)
instances = st.builds(TagInstance, st.builds(Box, numbers, numbers, numbers, numbers), percents)
tags = st.builds(Tag, texts, percents, texts, localized, localized, st.lists(instances, max_size=3).map(tuple))
ids = st.lists(texts, max_size=3).map(tuple)
taggings = st.builds(TaggingReply, texts, st.lists(tags, max_size=4).map(tuple), request_ids=ids)
answers = st.one_of(
    taggings,
    st.builds(WholeTagging, taggings, st.sampled_from(Language)),
    st.builds(
        EnhancementReply,
        texts,
        st.binary(max_size=64),
        st.builds(ImageFacts, texts, counts, counts, counts, counts),
        request_ids=ids,
    ),
    st.builds(MusicReply, texts, st.none() | st.builds(MusicMatch, texts, percents, numbers), request_ids=ids),
)

TAG = Tag("dog", 97.5, "animal", LocalizedText("狗", "dog"), LocalizedText("动物", "animal"), ())
REPLY = TaggingReply("cloud", (TAG,), request_ids=("id",))


def kept(header: object, picture: bytes = b"") -> bytes:
    """What a stranger might keep, who knows the layout."""
    text = json.dumps(header).encode()
    rest = struct.pack(">I", len(text)) + text + picture
    return MAGIC + struct.pack(">I", zlib.crc32(rest)) + rest


@given(answers)
def test_an_answer_comes_back_as_it_was(answer) -> None:
    assert decode(encode(answer), type(answer)) == answer


@given(
    st.sampled_from(sorted(IMAGE_REASONS)),
    texts,
    texts,
    texts,
    texts,
    st.none() | st.builds(UpstreamDetail, texts, st.integers(0, 999), texts),
)
def test_an_error_comes_back_as_it_was_in_place_of_any_answer(reason, message, field, measured, allowed, detail) -> None:
    error = GatewayError(reason, message, field=field, measured=measured, allowed=allowed, upstream=detail)
    for kind in (TaggingReply, WholeTagging, EnhancementReply, MusicReply):
        read = decode(encode(error), kind)
        assert isinstance(read, GatewayError)
        assert vars(read) == vars(error)


def test_what_is_true_of_one_call_only_is_not_kept() -> None:
    reply = TaggingReply("cloud", (TAG,), attempts=3, cache=CacheState.MISS, request_ids=("id",), queue_time=1.0, work_time=2.0)
    assert decode(encode(reply), TaggingReply) == REPLY


@given(st.data())
def test_damage_is_noticed_wherever_it_is(data) -> None:
    whole = bytearray(encode(EnhancementReply("local", bytes(range(20)), ImageFacts("png", 4, 3, 1, 20))))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="no answer"):
        decode(bytes(whole), EnhancementReply)


@given(st.data())
def test_what_was_cut_short_is_noticed(data) -> None:
    whole = encode(REPLY)
    with pytest.raises(ValueError, match="no answer"):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))], TaggingReply)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_and_nothing_else_happens(garbage) -> None:
    for bytes_ in (garbage, MAGIC + struct.pack(">I", zlib.crc32(garbage)) + garbage):
        with pytest.raises(ValueError, match="no answer"):
            decode(bytes_, TaggingReply)


GOOD_TAG = ["dog", 97.5, "animal", "狗", "dog", "动物", "animal", []]


def test_the_strangers_pen_is_right() -> None:
    assert decode(kept(["tagging", "cloud", ["id"], [GOOD_TAG]]), TaggingReply) == REPLY


@pytest.mark.parametrize(
    "header",
    [
        [],
        {},
        "tagging",
        ["whole", "cloud", [], "zh", []],  # of another kind
        ["tagging", "cloud", []],
        ["tagging", "cloud", [], [], []],
        ["tagging", 7, [], []],
        ["tagging", "cloud", "ids", []],
        ["tagging", "cloud", [7], []],
        ["tagging", "cloud", [], [GOOD_TAG[:-1]]],
        ["tagging", "cloud", [], [[None, *GOOD_TAG[1:]]]],
        ["tagging", "cloud", [], [["\ud800", *GOOD_TAG[1:]]]],
        ["tagging", "cloud", [], [["dog", 100.5, *GOOD_TAG[2:]]]],
        ["tagging", "cloud", [], [["dog", "97.5", *GOOD_TAG[2:]]]],
        ["tagging", "cloud", [], [["dog", True, *GOOD_TAG[2:]]]],
        ["tagging", "cloud", [], [["dog", float("nan"), *GOOD_TAG[2:]]]],
        ["tagging", "cloud", [], [[*GOOD_TAG[:-1], [[0, 0, 1, 50]]]]],
        ["tagging", "cloud", [], [[*GOOD_TAG[:-1], [[0, 0, 1, float("inf"), 50]]]]],
        ["tagging", "cloud", [], [[*GOOD_TAG[:-1], [[0, 0, 1, 10**400, 50]]]]],
        ["error", "NO_SUCH_REASON", "", "", "", "", None],
        ["error", Reason.UPSTREAM_THROTTLED, "", "", "", "", None],  # says nothing of the picture
        ["error", Reason.IMAGE_DAMAGED, "", "", "", "", ["", -1, ""]],
        ["error", Reason.IMAGE_DAMAGED, "", "", ""],
        [[[[]]]],
    ],
)
def test_what_no_release_writes_is_refused(header) -> None:
    with pytest.raises(ValueError, match="no answer"):
        decode(kept(header), TaggingReply)


def test_deeply_nested_json_is_refused() -> None:
    text = b"[" * 100_000
    rest = struct.pack(">I", len(text)) + text
    with pytest.raises(ValueError, match="no answer"):
        decode(MAGIC + struct.pack(">I", zlib.crc32(rest)) + rest, TaggingReply)


@pytest.mark.parametrize("facts", [["png", 1, 1, 1], ["png", 1, 1, 1, -1], ["png", 1, 1, 1, 1 << 31], ["png", 1, 1, 1, 1.0]])
def test_facts_that_no_picture_has_are_refused(facts) -> None:
    with pytest.raises(ValueError, match="no answer"):
        decode(kept(["enhancement", "local", [], facts], b"picture"), EnhancementReply)


def test_a_whole_tagging_in_no_language_is_refused() -> None:
    with pytest.raises(ValueError, match="no answer"):
        decode(kept(["whole", "cloud", [], "xx", []]), WholeTagging)
