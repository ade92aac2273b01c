"""The metadata that a camera and a photo editor leave in a JPEG: EXIF with a thumbnail and a place, and XMP."""

import struct

_ASCII, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5
_Entries = list[tuple[int, int, int, bytes]]


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _directory(entries: _Entries, start: int, following: int = 0) -> bytes:
    """A TIFF directory that begins at `start`, little-endian; values of over 4 bytes come behind it."""
    head, tail = struct.pack("<H", len(entries)), b""
    behind = start + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        if len(value) > 4:
            where = struct.pack("<I", behind + len(tail))
            tail += value + b"\0" * (len(value) % 2)
        else:
            where = value.ljust(4, b"\0")
        head += struct.pack("<HHI", tag, kind, count) + where
    return head + struct.pack("<I", following) + tail


def _text(tag: int, value: str) -> tuple[int, int, int, bytes]:
    data = value.encode() + b"\0"
    return tag, _ASCII, len(data), data


def _long(tag: int, value: int) -> tuple[int, int, int, bytes]:
    return tag, _LONG, 1, struct.pack("<I", value)


def exif(thumbnail: bytes) -> bytes:
    """An APP1 segment: camera, date, place, orientation 1, and a thumbnail."""
    place = struct.pack("<6I", 39, 1, 54, 1, 2634, 100)
    gps: _Entries = [_text(1, "N"), (2, _RATIONAL, 3, place), _text(3, "E"), (4, _RATIONAL, 3, place)]

    def main(gps_at: int) -> _Entries:
        camera = [_text(0x010F, "Camera"), _text(0x0110, "Model 1"), (0x0112, _SHORT, 1, struct.pack("<H", 1))]
        return [*camera, _text(0x0132, "2024:05:01 12:00:00"), _long(0x8825, gps_at)]

    gps_at = 8 + len(_directory(main(0), 8))
    small_at = gps_at + len(_directory(gps, gps_at))
    small: _Entries = [(0x0103, _SHORT, 1, struct.pack("<H", 6)), _long(0x0201, 0), _long(0x0202, len(thumbnail))]
    small[1] = _long(0x0201, small_at + len(_directory(small, small_at)))
    parts = [_directory(main(gps_at), 8, small_at), _directory(gps, gps_at), _directory(small, small_at), thumbnail]
    return _segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + b"".join(parts))


def xmp(padding: int = 8000) -> bytes:
    """An APP1 segment as a photo editor writes it, with room to grow."""
    packet = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'
    return _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode() + b" " * padding + b'<?xpacket end="w"?>')


def with_metadata(jpeg: bytes, thumbnail: bytes) -> bytes:
    """`jpeg` with EXIF and XMP behind its JFIF header, where cameras have them."""
    assert jpeg[2:4] == b"\xff\xe0", "a JFIF header"
    end = 4 + int.from_bytes(jpeg[4:6])
    return jpeg[:end] + exif(thumbnail) + xmp() + jpeg[end:]


def left(jpeg: bytes) -> list[str]:
    """Which kinds of metadata a JPEG still has."""
    return [name for name, mark in (("EXIF", b"Exif\0\0"), ("XMP", b"http://ns.adobe.com/xap/1.0/\0")) if mark in jpeg[:200_000]]
