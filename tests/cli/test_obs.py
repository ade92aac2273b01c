import pytest

from gateway.cli.obs import ObsSignRequest, run_obs_sign
from gateway.errors import GatewayError, Reason
from gateway.obs import ObsObject, expires_at, signed_url
from gateway.upstream.credentials.access_key import AccessKey

KEYS = AccessKey("AK", "hunter2", "hunter3")
OBJECT = "https://pictures.obs.cn-east-3.myhuaweicloud.com/a/cat.jpg"
NOW = 1_800_000_000.9


def request(url: str = OBJECT, expires: int = 300, **options: object) -> ObsSignRequest:
    return ObsSignRequest(url, expires, "cn-east-3", **options)


@pytest.mark.parametrize("url", [OBJECT, "obs://pictures/a/cat.jpg"])
async def test_the_url_alone_is_printed(url, capsys) -> None:
    assert await run_obs_sign(request(url), KEYS, NOW) == 0
    output = capsys.readouterr()
    assert output.out == signed_url(ObsObject.at(OBJECT), KEYS, 1_800_000_300) + "\n"
    assert output.err == ""
    assert expires_at(output.out.strip()) == 1_800_000_300


async def test_the_name_of_an_object_is_taken_as_it_is(capsys) -> None:
    await run_obs_sign(request("obs://pictures/100% true?#.jpg"), KEYS, NOW)
    assert "/100%25%20true%3F%23.jpg?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("https://store.example/pictures/cat.jpg", {"endpoint": "store.example"}),
        ("https://pictures.example.org/cat.jpg", {"own_domain": True}),
    ],
)
async def test_stores_elsewhere(url, options, capsys) -> None:
    await run_obs_sign(request(url, **options), KEYS, NOW)
    assert capsys.readouterr().out.startswith(f"{url}?")


@pytest.mark.parametrize("expires", [1, 630_720_000])
async def test_the_limits_of_validity(expires, capsys) -> None:
    await run_obs_sign(request(expires=expires), KEYS, NOW)
    assert f"Expires={1_800_000_000 + expires}&" in capsys.readouterr().out


@pytest.mark.parametrize("expires", [0, -1, 630_720_001])
async def test_a_validity_outside_the_limits_is_refused(expires, capsys) -> None:
    with pytest.raises(GatewayError, match=f"for {expires} s; 1 to 630720000 seconds") as caught:
        await run_obs_sign(request(expires=expires), KEYS, NOW)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "url", ["https://example.org/hunter2.jpg", "obs://pictures", "obs://pictures/", "obs:///hunter2", "obs://a:b/c"]
)
async def test_what_names_no_object_is_refused(url, capsys) -> None:
    with pytest.raises(GatewayError) as caught:
        await run_obs_sign(request(url), KEYS, NOW)
    assert caught.value.reason is Reason.URI_INVALID
    assert "hunter" not in caught.value.message
    assert capsys.readouterr().out == ""


async def test_a_url_that_no_gateway_takes_is_printed_with_a_warning(capsys) -> None:
    await run_obs_sign(request(), AccessKey("AK", "hunter2", "t" * 4096), NOW)
    output = capsys.readouterr()
    assert len(output.out) > 4096
    assert output.err.startswith("image-gateway: warning: the URL is 4")
    assert "ttt" not in output.err


@pytest.mark.parametrize(("left", "warned"), [(299.0, True), (301.0, False)])
async def test_keys_that_end_before_the_url_are_told(left, warned, capsys) -> None:
    await run_obs_sign(request(), AccessKey("AK", "hunter2", "hunter3", expires_at=NOW + left), NOW)
    output = capsys.readouterr()
    assert ("the access key is valid for 299 s more" in output.err) == warned
    assert "Expires=1800000300&" in output.out
