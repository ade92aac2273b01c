"""Logistic regression with a quadratic penalty, for more weights than examples."""

import numpy as np
import numpy.typing as npt

_INTERCEPT = 10.0
"""The constant input: so large that its weight goes nearly unpenalised."""


def fit(
    inputs: npt.NDArray[np.float64], right: npt.NDArray[np.float64], *, penalty: float, rounds: int = 50
) -> tuple[npt.NDArray[np.float64], float]:
    """Weights and intercept for N × D `inputs` and N outcomes (0 or 1), by Newton's method on the dual of N unknowns."""
    full = np.hstack([inputs, np.full((len(inputs), 1), _INTERCEPT)])
    kernel = full @ full.T
    dual = np.zeros(len(inputs))
    for _ in range(rounds):
        odds = kernel @ dual
        chance = 1.0 / (1.0 + np.exp(-odds))
        curvature = np.maximum(chance * (1.0 - chance), 1e-9)
        target = odds + (right - chance) / curvature
        better = np.linalg.solve(kernel + penalty * np.diag(1.0 / curvature), target)
        step = np.abs(kernel @ (better - dual)).max()
        dual = better
        if step < 1e-6:
            break
    weights = full.T @ dual
    return weights[:-1], float(weights[-1] * _INTERCEPT)
