"""From boxes in the picture that was recognised to boxes in the picture that the caller sent."""

from dataclasses import replace

from gateway.media import Box, ImageFacts, PreparedImage, Tag


def is_sideways(orientation: int) -> bool:
    """Whether EXIF `orientation` turns a picture on its side, so that width and height change places."""
    return orientation >= 5


def map_back(box: Box, image: PreparedImage) -> Box:
    """Map `box`, in pixels of `image.data` as stored, to stored pixels of the picture that the caller sent."""
    sent = image.sent
    if sent is None:
        return box
    if sent.orientation != image.facts.orientation:
        box, sent = turned_back(box, sent, image.facts.orientation)
    across, down = image.facts.width / sent.width, image.facts.height / sent.height
    return Box(left=box.left * across, top=box.top * down, width=box.width * across, height=box.height * down)


def map_tags_back(tags: tuple[Tag, ...], image: PreparedImage) -> tuple[Tag, ...]:
    """`tags` with their boxes mapped back."""
    return tuple(
        replace(tag, instances=tuple(replace(instance, box=map_back(instance.box, image)) for instance in tag.instances))
        for tag in tags
    )


def turned_back(box: Box, upright: ImageFacts, orientation: int) -> tuple[Box, ImageFacts]:
    """Undo EXIF `orientation` (CIPA DC-008, table 4): from the picture shown upright to the one stored.

    Returns the box in stored pixels, and the facts with the stored width and height.
    """
    width, height = upright.width, upright.height
    right, bottom = width - box.left - box.width, height - box.top - box.height
    # Each is the distance, in the picture shown, that becomes the left and the top distance in the one stored.
    left, top = {
        2: (right, box.top),
        3: (right, bottom),
        4: (box.left, bottom),
        5: (box.top, box.left),
        6: (box.top, right),
        7: (bottom, right),
        8: (bottom, box.left),
    }.get(orientation, (box.left, box.top))
    turns = is_sideways(orientation)
    stored = ImageFacts(
        format=upright.format,
        width=height if turns else width,
        height=width if turns else height,
        orientation=orientation,
        size_bytes=upright.size_bytes,
    )
    size = (box.height, box.width) if turns else (box.width, box.height)
    return Box(left=left, top=top, width=size[0], height=size[1]), stored
