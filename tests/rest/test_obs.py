import pytest

from gateway.rest.errors import RestError
from gateway.rest.obs import check_not_expired, is_signed

OBJECT = "https://bucket.obs.cn-east-3.myhuaweicloud.com/cat.jpg"
SIGNED = f"{OBJECT}?AccessKeyId=AK&Expires=1800000000&Signature=a%2Fb%3D"


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        (SIGNED, True),
        (f"{SIGNED}&x-image-process=style", True),
        (OBJECT, False),
        (f"{OBJECT}?AccessKeyId=AK&Expires=1800000000", False),
        (f"{OBJECT}#{SIGNED.partition('?')[2]}", False),
    ],
)
def test_what_a_temporary_authorization_consists_of(url, signed) -> None:
    assert is_signed(url) == signed


def test_a_url_is_valid_until_it_expires() -> None:
    check_not_expired(SIGNED, 1_799_999_999.9)
    for now in (1_800_000_000.0, 1_900_000_000.0):
        with pytest.raises(RestError) as caught:
            check_not_expired(SIGNED, now)
        assert caught.value.code == "AIS.0024"
        assert "AK" not in caught.value.message


@pytest.mark.parametrize("expires", ["", "soon", "-1", "1e3", "٣", "9" * 5000])
def test_an_expiry_that_cannot_be_read_is_left_to_the_store(expires) -> None:
    check_not_expired(SIGNED.replace("1800000000", expires), 1_800_000_000.0)


def test_what_is_not_signed_does_not_expire() -> None:
    check_not_expired(f"{OBJECT}?Expires=1", 1_800_000_000.0)
