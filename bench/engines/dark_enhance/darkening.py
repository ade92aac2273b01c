"""Photographs taken with too little light, made from good ones: not by a gamma, but as a camera would have taken them."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

CODES = np.arange(256) / 255
LINEAR = np.where(CODES <= 0.04045, CODES / 12.92, ((CODES + 0.055) / 1.055) ** 2.4)


@dataclass(frozen=True, slots=True)
class Camera:
    """How a photograph becomes dark, in this order."""

    exposure: float
    """Share of the right exposure, in linear light: 1/20 to 1/4, evenly in stops."""
    cast: NDArray[np.float64]
    """Factor of each colour: 0.9 to 1.1."""
    electrons: float
    """That white has in each colour of a pixel: 1500 to 10000, evenly in stops; their shot noise is Poisson's."""
    read_noise: float
    """Deviation of the read-out in electrons, Gaussian: 2 to 6."""
    quality: int | None
    """Of the JPEG file, 4:2:0: 92; every second photograph is kept without loss, in 8-bit sRGB codes."""

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Self:
        """One by chance."""
        return cls(
            exposure=1 / np.exp(random.uniform(np.log(4), np.log(20))),
            cast=random.uniform(0.9, 1.1, 3),
            electrons=np.exp(random.uniform(np.log(1500), np.log(10000))),
            read_noise=random.uniform(2, 6),
            quality=92 if random.random() < 0.5 else None,
        )

    def take(
        self, truth: NDArray[np.uint8], random: np.random.Generator, light: NDArray[np.float64] | None = None
    ) -> NDArray[np.uint8]:
        """The dark photograph. `light` (height × width): a share of the exposure that each place gets, for uneven light."""
        linear = LINEAR[truth] * self.cast * self.exposure
        if light is not None:
            linear *= light[..., np.newaxis]
        counted = random.poisson(linear * self.electrons) + random.normal(0, self.read_noise, linear.shape)
        codes = encoded(counted / self.electrons)
        if self.quality is None:
            return codes
        _, file = cv2.imencode(".jpg", codes[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR_RGB), np.uint8)


def uneven_light(shape: tuple[int, int], random: np.random.Generator) -> NDArray[np.float64]:
    """A smooth field of light, by chance, from 1 down to 1/4 (two stops)."""
    few = random.random((4, 4))
    field = cv2.resize(few, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    field -= field.min()
    return 2.0 ** (-2 * field / field.max())


def encoded(linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Linear light, 0 to 1, as sRGB codes of 8 bits."""
    light = np.clip(linear, 0, 1)
    return np.rint(255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)).astype(np.uint8)
