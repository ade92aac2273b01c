import pytest
from pydantic import ValidationError

from gateway.breadth.settings import BreadthSettings
from gateway.breadth.worker.wire import Format


def test_defaults() -> None:
    settings = BreadthSettings()
    assert (settings.workers, settings.pictures_per_worker, settings.timeout, settings.memory) == (1, 100, 10.0, 1 << 30)
    assert settings.allowed_formats() == set(Format)
    assert settings.python is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"workers": 0},
        {"formats": ""},
        {"formats": "gif, tiff"},
        {"formats": "gif,fits"},
        {"memory": 1 << 20},
        {"timeout": 0},
        {"pyhton": "/usr/bin/python3"},
    ],
)
def test_what_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        BreadthSettings(**wrong)


def test_fewer_formats() -> None:
    assert BreadthSettings(formats="gif,tiff").allowed_formats() == {Format.GIF, Format.TIFF}
