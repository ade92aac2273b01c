"""The free photographs that the models are trained on, chosen with and judged by, and how they are read.

All come from Debian's packages. A photograph is in one list only, and so is every other copy or size of it.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.debian import unpacked

_MATE: Final = "mate-backgrounds", "usr/share/backgrounds/mate/nature"
_PLASMA: Final = "plasma-workspace-wallpapers", "usr/share/wallpapers"
_LOMIRI: Final = "lomiri-wallpapers-16.04", "usr/share/backgrounds"
_LOMIRI_20: Final = "lomiri-wallpapers-20.04", "usr/share/backgrounds"
_LXQT: Final = "lxqt-themes", "usr/share/lxqt/wallpapers"
_PALAPELI: Final = "palapeli-data", "usr/share/palapeli/collection"
_SKIMAGE: Final = "python3-skimage", "usr/lib/python3/dist-packages/skimage/data"
_SKLEARN: Final = "python3-sklearn", "usr/lib/python3/dist-packages/sklearn/datasets/images"
_GCOMPRIS: Final = "gcompris-qt-data", "usr/share/gcompris-qt/rcc"

_Folder = tuple[str, str]

HELD_OUT: Final[tuple[tuple[_Folder, str], ...]] = (
    (_MATE, "Dune.jpg"),
    (_MATE, "RainDrops.jpg"),
    (_MATE, "TwoWings.jpg"),
    (_MATE, "YellowFlower.jpg"),
    (_PLASMA, "EveningGlow/contents/images/2560x1600.jpg"),
    (_PLASMA, "Grey/contents/images/2560x1600.jpg"),
    (_PLASMA, "OneStandsOut/contents/images/2560x1600.jpg"),
    (_PLASMA, "Path/contents/images/2560x1600.jpg"),
    (_LOMIRI, "Dragonfly_by_Bolly.jpg"),
    (_LOMIRI, "Picture_1A_by_freespace.jpg"),
    (_LOMIRI, "friends_by_Aitzol_Berasategi.jpg"),
    (_LOMIRI, "life_by_Aitzol_Berasategi.jpg"),
    (_LOMIRI, "picosdeeuropa_by_Aitzol_Berasategi.jpg"),
    (_LXQT, "after-the-rain.jpg"),
    (_LXQT, "butterfly.png"),
    (_LXQT, "flowers.png"),
    (_PALAPELI, "castle-maintenon.jpg"),
    (_PALAPELI, "cincinnati-bridge.jpg"),
    (_PALAPELI, "european-honey-bee.jpg"),
    (_SKIMAGE, "astronaut.png"),
    (_SKIMAGE, "brick.png"),
    (_SKIMAGE, "chelsea.png"),
    (_SKIMAGE, "coffee.png"),
    (_SKIMAGE, "motorcycle_left.png"),
    (_SKLEARN, "china.jpg"),
)
"""What the figures are measured on: nothing was trained on these, and nothing chosen by them."""

VALIDATION: Final[tuple[tuple[_Folder, str], ...]] = (
    (_MATE, "LadyBird.jpg"),
    (_PLASMA, "FallenLeaf/contents/images/2560x1600.jpg"),
    (_PLASMA, "ColorfulCups/contents/images/2560x1600.jpg"),
    (_LOMIRI, "aitzgorri_by_Aitzol_Berasategi.jpg"),
    (_LOMIRI, "Wine_by_Jakkub_Mede.jpg"),
    (_PALAPELI, "citrus-fruits.jpg"),
    (_SKIMAGE, "rocket.jpg"),
    (_SKLEARN, "flower.jpg"),
)
"""What architecture and length of training were chosen with."""

TRAINING: Final[tuple[tuple[_Folder, str], ...]] = (
    (_MATE, "Aqua.jpg"),
    (_MATE, "Blinds.jpg"),
    (_MATE, "FreshFlower.jpg"),
    (_MATE, "Garden.jpg"),
    (_MATE, "GreenMeadow.jpg"),
    (_MATE, "Storm.jpg"),
    (_MATE, "Wood.jpg"),
    (_PLASMA, "BytheWater/contents/images/2560x1600.jpg"),
    (_PLASMA, "ColdRipple/contents/images/2560x1600.jpg"),
    (_PLASMA, "Kite/contents/images/2560x1600.jpg"),
    (_PLASMA, "SafeLanding/contents/images/5120x2880.jpg"),
    (_PLASMA, "Volna/contents/images/5120x2880.jpg"),
    (_LOMIRI, "Bridge_by_Sander_Klootwijk.jpg"),
    (_LOMIRI, "Picture_0B_by_freespace.jpg"),
    (_LOMIRI, "free_by_Peter_Nerlich.jpg"),
    (_LOMIRI, "greentock_by_Peter_Nerlich.jpg"),
    (_LOMIRI, "seeding_by_Clements_Engelhardt.jpg"),
    (_LOMIRI, "sunset_by_Aitzol_Berasategi.jpg"),
    (_LOMIRI_20, "Kleiber_by_Lukas_Baubkus.jpg"),
    (_LXQT, "Butterfly-Kenneth-Wimer.jpg"),
    (_LXQT, "Valendas.png"),
    (_LXQT, "appleflower.png"),
    (_LXQT, "beam.png"),
    (_LXQT, "drop.png"),
    (_PALAPELI, "panther-chameleon-female.jpg"),
    (_SKIMAGE, "camera.png"),
    (_SKIMAGE, "coins.png"),
    (_SKIMAGE, "grass.png"),
    (_SKIMAGE, "gravel.png"),
    (_SKIMAGE, "ihc.png"),
    (_GCOMPRIS, "explore_farm_animals.rcc"),
    (_GCOMPRIS, "explore_monuments.rcc"),
    (_GCOMPRIS, "explore_world_animals.rcc"),
)
"""What the models are trained on. A `.rcc` file holds several photographs."""


class Photograph(NamedTuple):
    """A photograph as the ground truth that a model is to give back: H × W × 3, RGB."""

    name: str
    pixels: npt.NDArray[np.uint8]


def photographs(names: tuple[tuple[_Folder, str], ...]) -> Iterator[Photograph]:
    """Read them in their order; downloads packages on the first call. Raises `SystemExit` if it cannot."""
    for (package, folder), name in names:
        path = unpacked(package) / folder / name
        pictures = _webp_pictures(path) if path.suffix == ".rcc" else [Image.open(path)]
        for number, picture in enumerate(pictures):
            label = f"{path.stem} {number}" if path.suffix == ".rcc" else name.split("/")[0].rsplit(".", 1)[0]
            yield Photograph(label, np.asarray(_sharp(picture.convert("RGB"))))


def reduced(pixels: npt.NDArray[np.uint8], factor: int) -> npt.NDArray[np.uint8]:
    """Make a picture smaller by `factor` with an antialiased bicubic filter (a = -0.5), as the literature does.

    Height and width are to be multiples of `factor`.
    """
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((width // factor, height // factor), Image.Resampling.BICUBIC))


def cropped(pixels: npt.NDArray[np.uint8], multiple: int) -> npt.NDArray[np.uint8]:
    """Cut right and bottom so that height and width are multiples of `multiple`."""
    height, width = (length // multiple * multiple for length in pixels.shape[:2])
    return pixels[:height, :width]


def through_jpeg(pixels: npt.NDArray[np.uint8], quality: int) -> npt.NDArray[np.uint8]:
    """Write a picture as JPEG (4:2:0) and read it again."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _sharp(picture: Image.Image) -> Image.Image:
    """Make photographs of 1000 pixels and more smaller by a whole factor, at least 2, so that 1280 pixels are left at most.

    At full size they are soft, and what JPEG left of the grain would pass for detail to be restored.
    """
    longest = max(picture.size)
    if longest < 1000:
        return picture
    factor = max(2, -(-longest // 1280))
    size = (picture.width // factor, picture.height // factor)
    return picture.resize(size, Image.Resampling.LANCZOS, box=(0, 0, size[0] * factor, size[1] * factor))


def _webp_pictures(resources: Path) -> Iterator[Image.Image]:
    """Find the large pictures in a Qt resource file, which holds WebP files one after the other, as they are."""
    data = resources.read_bytes()
    at = data.find(b"RIFF")
    while at >= 0:
        if data[at + 8 : at + 12] == b"WEBP":
            picture = Image.open(io.BytesIO(data[at : at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")]))
            if min(picture.size) >= 400:
                yield picture
        at = data.find(b"RIFF", at + 4)
