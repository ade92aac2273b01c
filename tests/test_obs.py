import json
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.errors import GatewayError, Reason
from gateway.obs import ObsObject, check_usable, expires_at, is_signed, region_of, signed_url

VECTORS = json.loads((Path(__file__).parent / "vectors" / "obs.json").read_text(encoding="utf-8"))
OBJECT = "https://pictures.obs.cn-east-3.myhuaweicloud.com/cat.jpg"
UNTIL = 1_800_000_000


class Keys(NamedTuple):
    access_key: str
    secret_key: str
    security_token: str


OBS = f"{OBJECT}?AccessKeyId=AK&Expires={UNTIL}&Signature=hunter2%3D"
S3_V2 = f"{OBJECT}?AWSAccessKeyId=AK&Expires={UNTIL}&Signature=hunter2%3D"
S3_V4 = (
    f"{OBJECT}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20270115%2Fcn-east-3%2Fs3%2Faws4_request"
    "&X-Amz-Date=20270115T075000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=hunter2"
)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_vendors_sdk_makes_the_same_urls(vector) -> None:
    target = ObsObject.at(vector["url"], endpoint=vector["endpoint"], own_domain=vector["own_domain"])
    keys = Keys(VECTORS["access_key"], VECTORS["secret_key"], vector["security_token"] or "")
    assert signed_url(target, keys, vector["valid_until"], vector["method"]) == vector["signed"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_what_is_signed_can_be_signed_anew(vector) -> None:
    target = ObsObject.at(vector["signed"], endpoint=vector["endpoint"], own_domain=vector["own_domain"])
    keys = Keys(VECTORS["access_key"], VECTORS["secret_key"], vector["security_token"] or "")
    assert signed_url(target, keys, vector["valid_until"], vector["method"]) == vector["signed"]
    assert expires_at(vector["signed"]) == vector["valid_until"]


@pytest.mark.parametrize("url", [S3_V2, S3_V4])
def test_an_authorization_of_another_kind_is_replaced(url) -> None:
    assert ObsObject.at(url) == ObsObject.at(OBJECT)


def test_an_object_that_is_named_by_bucket_and_key() -> None:
    assert ObsObject.of_bucket("pictures", "a/猫.jpg", "cn-east-3") == ObsObject.at(
        "https://pictures.obs.cn-east-3.myhuaweicloud.com/a/猫.jpg"
    )


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://example.org/cat.jpg", "host"),
        ("https://obs.cn-east-3.myhuaweicloud.com.example.org/b/cat.jpg", "host"),
        ("https://picturesobs.cn-east-3.myhuaweicloud.com/cat.jpg", "host"),
        ("https://store.example/b/cat.jpg", "host"),
        ("https://pictures.obs.cn-east-3.myhuaweicloud.com", "no object"),
        ("https://pictures.obs.cn-east-3.myhuaweicloud.com/", "no object"),
        ("https://obs.cn-east-3.myhuaweicloud.com/pictures", "no object"),
        ("https://obs.cn-east-3.myhuaweicloud.com//cat.jpg", "no object"),
        (f"{OBJECT}#hunter2", "fragment"),
        (f"{OBJECT}\n", "control"),
        ("ftp://pictures.obs.cn-east-3.myhuaweicloud.com/cat.jpg", "http://"),
        ("https://u:hunter2@pictures.obs.cn-east-3.myhuaweicloud.com/cat.jpg", "user name"),
        ("https://pictures.obs.cn-east-3.myhuaweicloud.com:x/cat.jpg", "malformed"),
        ("https://[::1/cat.jpg", "malformed"),
        ("cat.jpg", "http://"),
    ],
)
def test_what_is_no_object_of_the_store_cannot_be_signed(url, why) -> None:
    with pytest.raises(GatewayError, match=why) as caught:
        ObsObject.at(url, endpoint="other.example")
    assert (caught.value.reason, caught.value.field) == (Reason.URI_INVALID, "uri")
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(("url", "end"), [(OBS, UNTIL), (S3_V2, UNTIL), (S3_V4, UNTIL), (OBJECT, None)])
def test_until_when_an_authorization_is_valid(url, end) -> None:
    assert is_signed(url) == (end is not None)
    assert expires_at(url) == end


@pytest.mark.parametrize("parameter", ["AccessKeyId", "Expires", "Signature"])
def test_a_part_of_an_authorization_is_none(parameter) -> None:
    url = OBS.replace(parameter, "Other")
    assert not is_signed(url)
    assert expires_at(url) is None
    check_usable(url, UNTIL + 1e9, None)


@pytest.mark.parametrize("text", ["", "soon", "-1", "1e3", "٣"])
def test_an_end_that_cannot_be_read_is_left_to_the_store(text) -> None:
    for url in (OBS.replace(str(UNTIL), text), S3_V4.replace("Expires=600", f"Expires={text}")):
        assert is_signed(url) == bool(text)
        check_usable(url, UNTIL + 1e9, None)
    check_usable(S3_V4.replace("20270115T075000Z", text), UNTIL + 1e9, None)


@pytest.mark.parametrize("url", [OBS, S3_V2, S3_V4])
def test_what_has_expired_is_refused_and_clocks_may_differ(url) -> None:
    check_usable(url, UNTIL + 30.0, None)
    check_usable(url, UNTIL + 2.0, None, tolerance=2.0)
    for late, tolerance in ((35.4, 30.0), (2.1, 2.0)):
        with pytest.raises(GatewayError) as caught:
            check_usable(url, UNTIL + late, None, tolerance=tolerance)
        assert (caught.value.reason, caught.value.field) == (Reason.URI_INVALID, "uri")
        assert caught.value.measured == f"expired {late:.0f} s ago"
        assert not {"hunter2", "AK", "cat.jpg"} & set(caught.value.message.replace("/", " ").split())


@pytest.mark.parametrize(
    ("url", "region"),
    [
        (OBJECT, "cn-east-3"),
        ("https://OBS.CN-East-3.myhuaweicloud.com./pictures/cat.jpg", "cn-east-3"),
        ("https://a.b.obs.eu-west-101.myhuaweicloud.eu/cat.jpg", "eu-west-101"),
        ("https://obs.obs.cn-north-4.myhuaweicloud.com/cat.jpg", "cn-north-4"),
        ("https://pictures.obs.myhuaweicloud.com/cat.jpg", None),
        ("https://pictures.obs.cn-east-3.myhuaweicloud.com.example.org/cat.jpg", None),
        ("https://jobs.cn-east-3.myhuaweicloud.com/cat.jpg", None),
        ("https://example.org/?u=https://pictures.obs.cn-east-3.myhuaweicloud.com/", None),
    ],
)
def test_the_region_of_a_store(url, region) -> None:
    assert region_of(url) == region


def test_the_service_reads_the_store_of_its_own_region_only() -> None:
    check_usable(OBS, UNTIL, "cn-east-3")
    check_usable("https://example.org/cat.jpg", UNTIL, "cn-north-4")
    check_usable("https://pictures.obs.myhuaweicloud.com/cat.jpg", UNTIL, "cn-north-4")
    with pytest.raises(GatewayError, match="cn-east-3") as caught:
        check_usable(OBS, UNTIL, "cn-north-4")
    assert (caught.value.reason, caught.value.measured, caught.value.allowed) == (
        Reason.URI_INVALID,
        "region cn-east-3",
        "region cn-north-4",
    )
