"""sRGB's transfer function against its published values."""

import numpy as np
import pytest

from gateway.engines.transfer import LINEAR, decoding, encoding, to_linear


@pytest.mark.parametrize(("code", "linear"), [(0, 0), (10, 0.003035), (50, 0.031896), (118, 0.181164), (188, 0.502886), (255, 1)])
def test_published_values(code, linear) -> None:
    assert to_linear(code) == pytest.approx(linear, abs=1e-6)
    assert decoding()[code * 256] / LINEAR == pytest.approx(linear, abs=1e-6)
    assert encoding()[round(linear * LINEAR)] == code


def test_every_code_comes_back() -> None:
    linear = np.rint(decoding()[np.arange(256) * 256]).astype(int)
    assert np.array_equal(encoding()[linear], np.arange(256))


def test_more_light_is_never_less() -> None:
    assert (np.diff(decoding()) >= 0).all()
    assert (np.diff(encoding().astype(int)) >= 0).all()
