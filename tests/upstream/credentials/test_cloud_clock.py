import pytest

from gateway.upstream.credentials.cloud_clock import LARGEST, TOLERANCE


@pytest.mark.parametrize("difference", [TOLERANCE + 1, -TOLERANCE - 1, 3600, -LARGEST, LARGEST])
def test_a_large_difference_is_corrected_once(reply, clock, cloud_clock, difference, caplog) -> None:
    answer = reply(401, date=clock.now + difference)
    assert cloud_clock.learn(answer)
    assert cloud_clock() == clock.now + difference
    assert not cloud_clock.learn(answer)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert ("behind" if difference > 0 else "ahead of") in caplog.text


@pytest.mark.parametrize("difference", [0, TOLERANCE, -TOLERANCE, LARGEST + 1, -LARGEST - 1])
def test_a_small_difference_is_let_be_and_a_huge_one_not_believed(reply, clock, cloud_clock, difference) -> None:
    assert not cloud_clock.learn(reply(401, date=clock.now + difference))
    assert cloud_clock() == clock.now


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}, {"Date": ""}])
def test_a_reply_without_a_date_says_nothing(reply, clock, cloud_clock, headers) -> None:
    assert not cloud_clock.learn(reply(401, **headers))
    assert cloud_clock() == clock.now


def test_when_the_machine_s_clock_is_set_right_the_correction_goes(reply, clock, cloud_clock, caplog) -> None:
    true = clock.now
    clock.now = true - 3600
    cloud_clock.learn(reply(401, date=true))
    clock.now = true
    assert cloud_clock.learn(reply(401, date=true))
    assert cloud_clock() == true
    assert len(caplog.records) == 1  # told once


def test_a_wrong_date_cannot_lead_away_step_by_step(reply, clock, cloud_clock) -> None:
    for step in range(1, 5):
        cloud_clock.learn(reply(401, date=clock.now + step * LARGEST))
    assert cloud_clock() == clock.now + LARGEST
