from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.codec import WholeTagging
from gateway.cache.narrowing import chosen, narrowed, widened
from gateway.media import (
    Box,
    Language,
    LocalizedText,
    Tag,
    TaggingParameters,
    TaggingReply,
    TaggingVersion,
    TagInstance,
)

# Few values, so that thresholds meet confidences exactly, and those meet each other.
percents = st.integers(0, 10).map(lambda tenth: tenth * 10.0)
names = st.sampled_from(["", "", "dog", "狗", "cat"])
seen = st.just((TagInstance(Box(0, 0, 1, 1), 50.0),)) | st.just(())
things = st.lists(
    st.builds(
        Tag,
        st.just(""),
        percents,
        st.just("object"),
        st.builds(LocalizedText, names, names),
        st.just(LocalizedText("物", "thing")),
        seen,
    ),
    max_size=12,
)
parameters_ = st.builds(
    TaggingParameters, st.sampled_from(Language), percents, st.integers(1, 14), st.sampled_from(TaggingVersion)
)


def answered(things: list[Tag], parameters: TaggingParameters) -> TaggingReply:
    """What a provider answers that sees `things`, each of which it can name in its own way in any language."""
    tags = []
    for thing in sorted(things, key=lambda thing: -thing.confidence):
        if thing.confidence < parameters.threshold or len(tags) == parameters.limit:
            break
        text = thing.localized_name.zh if parameters.language is Language.ZH else thing.localized_name.en
        tag = replace(thing, name=text or f"unlisted in {parameters.language}")
        tags.append(
            tag if parameters.version is TaggingVersion.V2 else replace(tag, localized_type=LocalizedText(), instances=())
        )
    return TaggingReply("cloud", tuple(tags), request_ids=("id",))


@given(things, parameters_, st.sampled_from(Language))
def test_it_is_what_the_provider_would_have_answered_or_nothing(things, parameters, language) -> None:
    whole = WholeTagging(answered(things, widened(replace(parameters, language=language))), language)
    expected = answered(things, parameters)
    found = narrowed(whole, parameters)
    unnamed = any(tag.name.startswith("unlisted") for tag in expected.tags)
    if language is not parameters.language and unnamed:
        assert found is None
    else:
        assert found == expected


@given(things, parameters_)
def test_out_of_all_tags_in_the_same_language_it_is_always_to_be_had(things, parameters) -> None:
    assert chosen(answered(things, widened(parameters)), parameters) == answered(things, parameters)


def test_everything_is_the_lowest_threshold_and_the_highest_limit() -> None:
    asked = widened(TaggingParameters(Language.EN, 77.0, 3, TaggingVersion.V1))
    assert asked == TaggingParameters(Language.EN, 0.0, 150, TaggingVersion.V1)
