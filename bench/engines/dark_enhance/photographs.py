"""The photographs that dark enhancement is tuned and measured on, by name: free ones, from Debian's packages and examples/."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.debian import unpacked

LONG_SIDE = 960
"""To which larger photographs are reduced."""

TUNED_ON = (
    "examples: bee.jpg",
    "examples: castle.jpg",
    "examples: cat.png",
    "examples: clock.bmp",
    "examples: dog.jpg",
    "examples: espresso.jpg",
    "examples: hens.webp",
    "examples: mountains.jpg",
    "examples: paintbrushes.webp",
    "examples: phone-dogs.jpg",
    "examples: stream.webp",
    "lomiri-wallpapers-16.04: Bridge_by_Sander_Klootwijk",
    "lomiri-wallpapers-16.04: Dragonfly_by_Bolly",
    "lomiri-wallpapers-16.04: Picture_0B_by_freespace",
    "lomiri-wallpapers-16.04: Wine_by_Jakkub_Mede",
    "lomiri-wallpapers-16.04: aitzgorri_by_Aitzol_Berasategi",
    "lomiri-wallpapers-16.04: free_by_Peter_Nerlich",
    "lomiri-wallpapers-16.04: seeding_by_Clements_Engelhardt",
    "lomiri-wallpapers-16.04: sunset_by_Aitzol_Berasategi",
    "lomiri-wallpapers-20.04: Kleiber_by_Lukas_Baubkus",
)
"""Every constant was chosen on these. (The other photographs of lomiri-wallpapers-16.04 are those of examples/photos.)"""

MEASURED_ON = (
    "mate-backgrounds: Aqua",
    "mate-backgrounds: Blinds",
    "mate-backgrounds: Dune",
    "mate-backgrounds: FreshFlower",
    "mate-backgrounds: Garden",
    "mate-backgrounds: GreenMeadow",
    "mate-backgrounds: LadyBird",
    "mate-backgrounds: RainDrops",
    "mate-backgrounds: Storm",
    "mate-backgrounds: TwoWings",
    "mate-backgrounds: Wood",
    "mate-backgrounds: YellowFlower",
    "plasma-workspace-wallpapers: BytheWater",
    "plasma-workspace-wallpapers: ColdRipple",
    "plasma-workspace-wallpapers: ColorfulCups",
    "plasma-workspace-wallpapers: EveningGlow",
    "plasma-workspace-wallpapers: FallenLeaf",
    "plasma-workspace-wallpapers: Grey",
    "plasma-workspace-wallpapers: Kite",
    "plasma-workspace-wallpapers: summer_1am",
)
"""All photographs of both packages whose mean luma is at least 80; no constant was chosen on them."""

DARK = (
    "plasma-workspace-wallpapers: Path",
    "plasma-workspace-wallpapers: OneStandsOut",
    "plasma-workspace-wallpapers: DarkestHour",
)
"""The rest, which are dark themselves and therefore no ground truth: looked at."""

PLACES = {
    "lomiri-wallpapers-16.04": "backgrounds/{}.jpg",
    "lomiri-wallpapers-20.04": "backgrounds/{}.jpg",
    "mate-backgrounds": "backgrounds/mate/nature/{}.jpg",
    "plasma-workspace-wallpapers": "wallpapers/{}/contents/images/2560x1600.jpg",
}
"""Where a package has them, in usr/share."""

EXAMPLES = Path(__file__).parents[3] / "examples" / "photos"


def load(name: str, long_side: int = LONG_SIDE) -> NDArray[np.uint8]:
    """The photograph as RGB, upright, at most `long_side` wide or high."""
    package, title = name.split(": ")
    file = EXAMPLES / title if package == "examples" else unpacked(package) / "usr" / "share" / PLACES[package].format(title)
    pixels = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
    assert pixels is not None, name
    scale = long_side / max(pixels.shape[:2])
    return pixels if scale >= 1 else cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
