from gateway.upstream.resilience.failure_window import FailureWindow

from .virtual_time import Clock


def test_results_count_for_a_while() -> None:
    clock = Clock()
    window = FailureWindow(30.0, clock)
    window.record(failed=True)
    clock.now += 15
    window.record(failed=False)
    assert window.totals() == (2, 1)
    clock.now += 14
    assert window.totals() == (1, 0)
    clock.now += 16
    assert window.totals() == (0, 0)


def test_its_memory_does_not_grow() -> None:
    clock = Clock()
    window = FailureWindow(30.0, clock)
    for _ in range(1000):
        clock.now += 1
        window.record(failed=True)
    assert len(window._parts) <= 10
    assert 27 <= window.totals()[0] <= 30
    window.clear()
    assert window.totals() == (0, 0)
