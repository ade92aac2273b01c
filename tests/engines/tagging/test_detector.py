"""The real detectors on a photograph of one dog, and on nothing."""

import numpy as np
import pytest
from PIL import Image

from gateway.engines import shipped
from gateway.engines.tagging.boxes import overlaps
from gateway.engines.tagging.detector import Detector
from gateway.engines.tagging.views import View, whole

DOG = 16


@pytest.fixture(scope="module", params=[("ssdlite_mobilenet_v2.onnx", 300), ("centernet_mobilenet_v3.onnx", 512)])
def detector(request) -> Detector:
    return Detector(*request.param)


@pytest.fixture(scope="module")
def picture(photos) -> np.ndarray:
    return np.asarray(Image.open(photos / "dog.jpg").convert("RGB"))


def best(found) -> int:
    return int(found.scores.argmax())


def test_a_dog_is_found_where_it_is(detector, picture) -> None:
    found = detector.find(picture, whole(picture))
    assert found.classes[best(found)] == DOG
    sits = np.array([[40.0, 20, 700, 590]])  # by eye
    assert overlaps(found.boxes[[best(found)]], sits)[0, 0] > 0.75


def test_the_same_dog_is_found_in_a_part(detector, picture) -> None:
    plain = detector.find(picture, whole(picture))
    part = detector.find(picture, View(0, 0, 780, 600))
    assert part.classes[part.classes == DOG].size
    dog = part.boxes[part.classes == DOG][:1]
    assert overlaps(plain.boxes[[best(plain)]], dog)[0, 0] > 0.75


def test_each_thing_is_told_once_for_each_class(detector, picture) -> None:
    found = detector.find(picture, whole(picture))
    for kind in np.unique(found.classes):
        boxes = found.boxes[found.classes == kind]
        assert (overlaps(boxes, boxes)[~np.eye(len(boxes), dtype=bool)] <= 0.5).all()


def test_findings_lie_in_the_picture(detector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 640, 3), dtype=np.uint8)
    found = detector.find(noise, whole(noise))
    assert ((found.boxes >= 0) & (found.boxes <= (640, 90, 640, 90))).all()
    assert ((found.scores > 0) & (found.scores <= 1)).all()


def test_nothing_is_found_in_nothing(detector) -> None:
    grey = np.full((64, 64, 3), 128, dtype=np.uint8)
    assert detector.find(grey, whole(grey)).scores.max(initial=0.0) < 0.6


def test_a_damaged_file_is_refused() -> None:
    with pytest.raises(ValueError, match="damaged"):
        Detector("labels.tsv", 300)


def test_a_file_without_a_sum_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(shipped, "_SUMS", ("super_resolution.sha256", "defog.sha256"))
    with pytest.raises(ValueError, match="damaged"):
        Detector("ssdlite_mobilenet_v2.onnx", 300)
