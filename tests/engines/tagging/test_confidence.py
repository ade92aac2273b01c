import numpy as np
import pytest

from gateway.engines.tagging import confidence
from gateway.engines.tagging.confidence import SOURCES, Weights, load_weights, log_odds, percent


def test_log_odds_and_percent_undo_each_other() -> None:
    parts = np.array([0.01, 0.25, 0.5, 0.9])
    assert percent(log_odds(parts)) == pytest.approx(100 * parts)
    assert log_odds([0.5]) == pytest.approx([0])


def test_nothing_and_everything_are_finite() -> None:
    assert np.isfinite(log_odds([0.0, 1.0])).all()
    assert percent(np.array([-1e9, 1e9])) == pytest.approx([0, 100])


def test_a_weighted_sum() -> None:
    weights = Weights({"class": {"intercept": 1.0, "share": 2.0, "scene": -3.0}})
    assert weights.odds("class", share=np.array([0.0, 5.0]), scene=1.0).tolist() == [-2, 8]


def test_more_evidence_never_makes_a_tag_less_sure() -> None:
    weights = load_weights()
    for source in SOURCES:
        for name in ("share", "ssdlite", "centernet", "scene"):
            assert weights.odds(source, **{name: 2.0}) >= weights.odds(source, **{name: 1.0})
    assert weights.odds("sighting", rival=2.0) < weights.odds("sighting", rival=1.0)
    assert weights.odds("place", lead=1.0, size=-1.0) > weights.odds("place", lead=0.5, size=-1.0)
    assert weights.odds("place", lead=0.5, size=-1.0) > weights.odds("place", lead=0.5, size=-2.0)


@pytest.mark.parametrize(
    "damage", [lambda text: text.replace("class", "glass"), lambda text: text.replace("\trival", "\trivals")]
)
def test_an_incomplete_table_is_refused(monkeypatch, tmp_path, damage) -> None:
    shipped = (confidence.files("gateway.engines") / "data" / "confidence.tsv").read_text(encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "confidence.tsv").write_text(damage(shipped), encoding="utf-8")
    monkeypatch.setattr(confidence, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match="not complete"):
        load_weights()
