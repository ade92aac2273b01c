"""All use cases together, as the faces get them."""

from typing import NamedTuple

from gateway.usecases.chain import Chain
from gateway.usecases.enhancement import EnhanceImage
from gateway.usecases.music import RecognizeMusic
from gateway.usecases.preprocessing import Preprocess
from gateway.usecases.tagging import TagImage


class UseCases(NamedTuple):
    """All that can be asked for, and who does the work."""

    tag_image: TagImage
    enhance_image: EnhanceImage
    recognize_music: RecognizeMusic
    preprocess: Preprocess
    chain: Chain
