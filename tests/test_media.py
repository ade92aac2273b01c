import dataclasses

import pytest

from gateway.errors import GatewayError, Reason
from gateway.media import MAX_URI_CHARS, Box, ImageContent, ImageUri, Language, LocalizedText, TaggingParameters


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (LocalizedText("猫", "cat"), Language.ZH, "猫"),
        (LocalizedText("猫", "cat"), Language.EN, "cat"),
        (LocalizedText(zh="猫"), Language.EN, "猫"),
        (LocalizedText(en="cat"), Language.ZH, "cat"),
        (LocalizedText(), Language.ZH, ""),
    ],
)
def test_a_text_falls_back_to_the_other_language(text, language, expected) -> None:
    assert text.in_language(language) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.org",
        "https://example.org:8443/cat.jpg?Signature=a%2Bb&Expires=1#top",
        "HTTPS://EXAMPLE.ORG/",
        "http://[2606:4700::1111]/cat.jpg",
        "https://例え.jp/猫.jpg",
        "https://example.org/a@b",
    ],
)
def test_a_url_is_kept_as_it_is(uri) -> None:
    assert ImageUri(uri).uri == uri


def test_the_longest_url() -> None:
    start = "https://example.org/"
    ImageUri(start + "a" * (MAX_URI_CHARS - len(start)))
    with pytest.raises(GatewayError, match="4097 characters") as caught:
        ImageUri(start + "a" * (MAX_URI_CHARS - len(start) + 1))
    assert caught.value.reason is Reason.URI_INVALID


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "cat.jpg",
        "//example.org/cat.jpg?secret",
        "ftp://example.org/secret",
        "file:///etc/secret",
        "data:image/png;base64,secret",
        "http://",
        "https:///secret",
        "http://:80/secret",
        "http://example.org:secret/",
        "http://example.org:65536/secret",
        "http://[secret/",
        "https://someone:secret@example.org/",
        "https://secret@example.org/",
        "https://@example.org/secret",
        "https://exa\nmple.org/secret",
        "https://example.org/ secret",
    ],
)
def test_any_other_url_is_refused_without_repeating_it(uri) -> None:
    with pytest.raises(GatewayError) as caught:
        ImageUri(uri)
    assert (caught.value.reason, caught.value.field) == (Reason.URI_INVALID, "uri")
    assert "secret" not in str(caught.value)


def test_parameters_have_the_contract_s_defaults() -> None:
    parameters = TaggingParameters()
    assert (parameters.language, parameters.threshold, parameters.limit) == ("zh", 60.0, 50)


@pytest.mark.parametrize("given", [{"threshold": 0.0}, {"threshold": 100.0}, {"limit": 1}, {"limit": 150}])
def test_bounds_are_allowed(given) -> None:
    TaggingParameters(**given)


@pytest.mark.parametrize(
    ("given", "measured", "allowed"),
    [
        ({"threshold": -0.01}, "-0.01", "0 to 100"),
        ({"threshold": 100.01}, "100.01", "0 to 100"),
        ({"threshold": float("nan")}, "nan", "0 to 100"),
        ({"threshold": float("inf")}, "inf", "0 to 100"),
        ({"limit": 0}, "0", "1 to 150"),
        ({"limit": 151}, "151", "1 to 150"),
    ],
)
def test_beyond_the_bounds_is_refused_with_the_bounds(given, measured, allowed) -> None:
    with pytest.raises(GatewayError) as caught:
        TaggingParameters(**given)
    error = caught.value
    assert (error.reason, error.field) == (Reason.INVALID_ARGUMENT, f"parameters.{next(iter(given))}")
    assert (error.measured, error.allowed) == (measured, allowed)
    assert measured in error.message
    assert allowed in error.message


@pytest.mark.parametrize("value", [ImageContent(b"a"), Box(0, 0, 1, 1), TaggingParameters()])
def test_values_are_frozen(value) -> None:
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)
