"""Edge-keeping smoothing over any distance: regions without edges become smooth as a whole, right up to their outlines.

D. Min, S. Choi, J. Lu, B. Ham, K. Sohn, M. N. Do, "Fast Global Image Smoothing Based on Weighted Least Squares", TIP 2014:
least squares along rows and columns in turn, each a tridiagonal system. Unlike the guided filter, whose window has the same
reach everywhere, it doesn't carry what lies beyond an edge over that edge.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_ITERATIONS: Final = 3
_LEAST_STEADY: Final = 1e-3


class GlobalSmoother:
    """Smooths maps along one guide picture."""

    def __init__(self, guide: Floats, strength: float, edge: float) -> None:
        """`guide`: H × W × channels.

        `strength` is λ of the paper, about the square of the distance in pixels over which smooth regions are evened out;
        `edge` the difference, mean of the channels in the guide's units, by which neighbours are less tied by a factor of e.
        """
        down = _ties(guide, edge)
        right = np.ascontiguousarray(_ties(guide.transpose(1, 0, 2), edge))
        self._ties = right, down
        self._steadiness = _steadiness(right, down)
        # λ of each iteration (equation 16), together those of one solution in both directions.
        shares = [4.0 ** (_ITERATIONS - 1 - index) / (4.0**_ITERATIONS - 1) for index in range(_ITERATIONS)]
        self._strengths = [np.float32(1.5 * strength * share) for share in shares]

    def smooth(self, *maps: Floats, weights: Floats | None = None) -> Floats:
        """Return the maps (H × W each) smoothed, stacked: count × H × W. `weights`: of what they say at each pixel, above 0.

        The pixels of outlines, which are half the one and half the other side's, are weighted less in any case.
        """
        along_rows, along_columns = self._ties
        weighing = self._steadiness if weights is None else self._steadiness * weights
        lines = np.stack([weighing.T, *((of * weighing).T for of in maps)], axis=1)
        for strength in self._strengths:
            _solve(lines, along_rows * strength)
            lines = np.ascontiguousarray(lines.transpose(2, 1, 0))
            _solve(lines, along_columns * strength)
            lines = np.ascontiguousarray(lines.transpose(2, 1, 0))
        return np.ascontiguousarray((lines[:, 1:] / lines[:, :1]).transpose(1, 2, 0))


def _steadiness(right: Floats, down: Floats) -> Floats:
    """Return how much pixels are like their neighbours, 0–1 and above 0: the mean of their ties to them (H × W)."""
    height, width = down.shape[0] + 1, right.shape[0] + 1
    ties, count = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    for part, of in (
        (np.s_[:-1], down),
        (np.s_[1:], down),
        (np.s_[:, :-1], right.T),
        (np.s_[:, 1:], right.T),
    ):
        ties[part] += of
        count[part] += 1
    return np.maximum(np.where(count > 0, ties / np.maximum(count, 1), 1), _LEAST_STEADY).astype(np.float32)


def _ties(guide: Floats, edge: float) -> Floats:
    """Return how much each pixel takes over from the next along the first axis: (H - 1) × W, 1 without an edge.

    Differences are those of a pixel further to both sides: an outline two pixels wide is as tight as a sharp one.
    """
    last = len(guide) - 1
    above = np.arange(last)
    differences = guide[np.minimum(above + 2, last)] - guide[np.maximum(above - 1, 0)]
    return np.asarray(np.exp(np.abs(differences).mean(axis=2) / np.float32(-edge)), np.float32)


def _solve(lines: Floats, ties: Floats) -> None:
    """Solve (1 + L) u = f along the first axis in place, L the Laplacian with those ties (Thomas's algorithm).

    `lines`: n × count × m; `ties`, between neighbours: (n - 1) × m.
    """
    diagonal = np.ones((len(lines), ties.shape[1]), np.float32)
    diagonal[:-1] += ties
    diagonal[1:] += ties
    carried = np.empty_like(ties)
    lines[0] /= diagonal[0]
    for row in range(1, len(lines)):
        tie = ties[row - 1]
        np.divide(tie, diagonal[row - 1], out=carried[row - 1])
        diagonal[row] -= tie * carried[row - 1]
        lines[row] += tie * lines[row - 1]
        lines[row] /= diagonal[row]
    for row in range(len(lines) - 2, -1, -1):
        lines[row] += carried[row] * lines[row + 1]
