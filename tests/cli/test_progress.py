"""A bar where a terminal is, and nothing anywhere else."""

import io
import sys

import pytest

from gateway.cli.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def streams(monkeypatch):
    def replaced(*, out: io.StringIO, err: io.StringIO) -> None:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)

    return replaced


def advanced(total: int) -> None:
    with progress_bar(total) as advance:
        for number in range(total):
            sys.stdout.write(f'{{"item": {number}}}\n')
            advance()


def test_a_terminal_sees_how_far_it_is(streams) -> None:
    out, err = io.StringIO(), Terminal()
    streams(out=out, err=err)
    advanced(3)
    assert "3/3" in err.getvalue()
    assert out.getvalue() == '{"item": 0}\n{"item": 1}\n{"item": 2}\n'


@pytest.mark.parametrize(("total", "err"), [(3, io.StringIO()), (1, Terminal()), (0, Terminal())])
def test_nothing_is_shown_elsewhere(streams, total, err) -> None:
    out = io.StringIO()
    streams(out=out, err=err)
    advanced(total)
    assert err.getvalue() == ""


def test_without_standard_error_it_works(streams) -> None:
    out = io.StringIO()
    streams(out=out, err=None)
    advanced(2)
    assert out.getvalue().count("\n") == 2
