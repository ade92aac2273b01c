import pytest

from gateway.settings import BaseUrl, Settings
from gateway.upstream.catalogue import REGIONS


class Held(Settings):
    url: BaseUrl


def test_the_regions_are_those_of_the_contract() -> None:
    assert set(REGIONS) == {"cn-east-3", "ap-southeast-1", "cn-north-4", "cn-north-1", "ap-southeast-3"}


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_s_endpoints_are_named_after_it_and_usable(region) -> None:
    endpoints = REGIONS[region]
    assert endpoints.image == Held(url=endpoints.image).url == f"https://image.{region}.myhuaweicloud.com"
    assert endpoints.iam == Held(url=endpoints.iam).url == f"https://iam.{region}.myhuaweicloud.com"
