"""Preparation for its own sake: fetch → inspect, or fetch → prepare."""

import time
from dataclasses import dataclass, replace
from typing import Final

from gateway import _native
from gateway.boxes import is_sideways
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts, ImageSource, ImageUri, PreparationAction, PreparedImage
from gateway.prepare import Operation, PrepareOptions, Preparer
from gateway.prepare.operations import LIMITS
from gateway.usecases.intake import Fetcher

REFUSALS: Final = frozenset(
    {
        Reason.IMAGE_EMPTY,
        Reason.IMAGE_FORMAT_UNSUPPORTED,
        Reason.IMAGE_DAMAGED,
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
        Reason.IMAGE_TOO_LARGE,
        Reason.IMAGE_REJECTED,
    }
)
"""What is wrong with a picture itself: to an inspection that is an answer, everything else is a failure of the call."""


@dataclass(frozen=True, slots=True)
class ImageEncoding:
    """How a picture is stored in its file. `bit_depth`: bits per sample; `color`: as `_native.ImageInfo.color` has it."""

    name: str
    color: str
    bit_depth: int
    has_alpha: bool
    is_animated: bool


@dataclass(frozen=True, slots=True)
class PreparationPlan:
    """What preparation would do, in order (empty: nothing), as far as headers tell.

    Width and height are those of the stored pixels of the file to send, at the most: shrinking may end with less.
    `is_rewritten`: whether the picture would be decoded and written anew; if not, all its pixels stay.
    """

    actions: tuple[PreparationAction, ...]
    width: int
    height: int
    is_rewritten: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a picture is, as far as its header can be read, and what preparation would do to it, or why it would refuse it."""

    verdict: PreparationPlan | GatewayError
    facts: ImageFacts | None = None
    encoding: ImageEncoding | None = None


@dataclass(frozen=True, slots=True)
class Preparation:
    """A prepared picture, and the seconds that it took, its download and waiting for a thread included."""

    image: PreparedImage
    prepare_time: float = 0.0


class Preprocess:
    """Looks at pictures and makes them fit, with whatever options the caller wants."""

    def __init__(self, fetcher: Fetcher, preparer: Preparer, *, allow_other_formats: bool) -> None:
        """`allow_other_formats`: whether callers may have formats decoded that no operation takes."""
        self._fetcher = fetcher
        self._preparer = preparer
        self._allow_other_formats = allow_other_formats

    def check_options(self, options: PrepareOptions) -> None:
        """Raise `GatewayError` for options that this gateway does not grant, whatever the picture."""
        if options.allow_other_formats and not self._allow_other_formats:
            raise GatewayError(
                Reason.INVALID_ARGUMENT,
                "options.allow_other_formats is true, but this gateway converts no other formats; its operator can allow it "
                "with the setting prepare.allow_other_formats",
                field="options.allow_other_formats",
                measured="true",
                allowed="false",
            )

    async def prepare(self, source: ImageSource, operation: Operation, options: PrepareOptions) -> Preparation:
        """Make the picture fit `operation`. Raises `GatewayError`."""
        self.check_options(options)
        started_at = time.perf_counter()
        image = await self._preparer.prepare(await self._fetched(source), operation, options)
        return Preparation(image, time.perf_counter() - started_at)

    async def inspect(self, source: ImageSource, operation: Operation, options: PrepareOptions) -> Inspection:
        """Say what the picture is, and what would become of it.

        Decodes nothing, but for formats that no operation takes, whose headers only their decoders read. Raises `GatewayError`
        for what is not the picture's fault.
        """
        self.check_options(options)
        data = await self._fetched(source)
        facts, encoding = _header(data)
        try:
            if facts is None and options.allow_other_formats:
                image = await self._preparer.prepare(data, operation, options)
                return Inspection(_done(image, is_rewritten=image.sent is not None), image.facts)
            return Inspection(await self._planned(data, operation, options), facts, encoding)
        except GatewayError as error:
            if error.reason not in REFUSALS:
                raise
            return Inspection(error, facts, encoding)

    async def _fetched(self, source: ImageSource) -> bytes:
        return await self._fetcher.fetch(source.uri) if isinstance(source, ImageUri) else source.data

    async def _planned(self, data: bytes, operation: Operation, options: PrepareOptions) -> PreparationPlan:
        info, plan = self._preparer.inspect(data, operation, options)
        if plan.changes_pixels:
            return _rewritten(info, plan, operation, options, len(data))
        try:
            # Where no pixel changes, doing it is quick and tells exactly what is removed.
            lossless = replace(options, shrink=False, full_decode=False)
            return _done(await self._preparer.prepare(data, operation, lossless), is_rewritten=False)
        except GatewayError as error:
            if error.reason is not Reason.IMAGE_TOO_LARGE or not options.shrink:
                raise
        return _rewritten(info, plan, operation, options, len(data))


def _header(data: bytes) -> tuple[ImageFacts, ImageEncoding] | tuple[None, None]:
    try:
        info = _native.probe(data)
    except _native.ImageError:  # planning meets the same, and says so
        return None, None
    facts = ImageFacts(
        format=info.format, width=info.width, height=info.height, orientation=info.orientation, size_bytes=len(data)
    )
    encoding = ImageEncoding(
        name=info.encoding,
        color=info.color,
        bit_depth=info.bit_depth,
        has_alpha=info.has_alpha,
        is_animated=info.is_animated,
    )
    return facts, encoding


def _done(image: PreparedImage, *, is_rewritten: bool) -> PreparationPlan:
    """What was done, as a plan to do it."""
    facts = image.sent or image.facts
    return PreparationPlan(image.actions, facts.width, facts.height, is_rewritten)


def _rewritten(
    info: _native.ImageInfo, plan: _native.Plan, operation: Operation, options: PrepareOptions, size: int
) -> PreparationPlan:
    """The plan for a picture of `size` bytes that is written anew, in the words that doing it would use."""
    width, height = plan.width, plan.height
    actions = []
    if (width, height) != (info.width, info.height):
        actions.append(PreparationAction("fit", f"{info.width}x{info.height} px to {width}x{height} px"))
    actions += [PreparationAction("convert", what) for what in plan.conversions]
    if options.rotate and info.orientation != 1:
        actions.append(PreparationAction("rotate", f"from EXIF orientation {info.orientation}"))
        if is_sideways(info.orientation):
            width, height = height, width
    if plan.is_too_long:
        longest = LIMITS[operation].max_base64 // 4 * 3
        wanted = longest if options.max_bytes is None else min(longest, options.max_bytes)
        actions.append(PreparationAction("shrink", f"{size} bytes to at most {wanted} bytes"))
    return PreparationPlan(tuple(actions), width, height, is_rewritten=True)
