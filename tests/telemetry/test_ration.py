from gateway.telemetry.ration import Ration


def test_so_many_are_let_through_and_the_others_counted() -> None:
    now = [50.0]
    ration = Ration(lambda: now[0])
    assert [ration.take() for _ in range(22)] == [0] * 20 + [None, None]
    now[0] += 0.5
    assert ration.take() is None
    now[0] += 0.5
    assert (ration.take(), ration.take()) == (3, None)
    now[0] += 3600
    assert [ration.take() for _ in range(21)] == [1, *[0] * 19, None]


def test_a_clock_that_is_set_back_silences_nothing_for_long() -> None:
    now = [5000.0]
    ration = Ration(lambda: now[0])
    for _ in range(20):
        ration.take()
    now[0] = 0.0
    assert ration.take() is None
    now[0] = 1.0
    assert ration.take() == 1
