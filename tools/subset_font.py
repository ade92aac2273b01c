"""Makes `gateway/cli/fonts/NotoSansSC-subset.otf`, the font that annotated pictures are labelled in.

Out of Noto Sans CJK (Debian: `apt-get install fonts-noto-cjk`; SIL Open Font License 1.1) it takes Simplified Chinese,
Regular: ASCII, Latin-1, the punctuation below, the 3755 everyday characters of GB 2312 level 1, and whatever else the
given texts are written with. Hinting and layout features are left out. The same input gives the same bytes.

    python tools/subset_font.py gateway/engines/data/{labels,concepts,scenes,detector_labels}.tsv
"""

import argparse
import unicodedata
from pathlib import Path

from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]  # fontTools ships no types
from fontTools.ttLib import TTCollection, TTFont  # type: ignore[import-untyped]  # likewise

SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
FAMILY = "Noto Sans CJK SC"
OUTPUT = Path(__file__).parents[1] / "gateway/cli/fonts/NotoSansSC-subset.otf"

LATIN = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x100))))
PUNCTUATION = "€–—‘’“”•…‰−≈≤≥←→↑↓✓ 、。《》「」『』【】〈〉！（），：；？～％￥·"


def gb2312_level_1() -> str:
    """The characters in everyday use: rows 16 to 55 of GB 2312, the last one not full."""
    rows = (bytes((0xA0 + row, 0xA0 + cell)) for row in range(16, 56) for cell in range(1, 95))
    return b"".join(rows).decode("gb2312", errors="ignore")


def written_in(texts: list[Path]) -> str:
    """Every character of the texts but controls and the like."""
    characters = {character for text in texts for character in text.read_text(encoding="utf-8")}
    return "".join(sorted(c for c in characters if unicodedata.category(c)[0] != "C"))


def subset(source: Path, characters: str) -> TTFont:
    """The source's Simplified Chinese face with no more than these characters."""
    faces = TTCollection(str(source)).fonts
    font = next(face for face in faces if face["name"].getDebugName(1) == FAMILY)
    font.recalcTimestamp = False  # the clock has no place in the file

    options = Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = [0, 1, 2, 4, 5, 6, 13, 14]  # copyright and licence stay with the names
    options.name_languages = [0x409]
    options.drop_tables += ["BASE", "DSIG", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]  # plain text, left to right
    options.notdef_outline = True
    subsetter = Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    return font


def main() -> None:
    """Reads the command line and writes the font."""
    parser = argparse.ArgumentParser(description="Make the font that annotated pictures are labelled in.")
    parser.add_argument("texts", nargs="*", type=Path, help="UTF-8 files whose characters the font must have")
    parser.add_argument("--source", type=Path, default=SOURCE, help=f"the font collection (default: {SOURCE})")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()

    wanted = set(LATIN + PUNCTUATION + gb2312_level_1() + written_in(arguments.texts))
    font = subset(arguments.source, "".join(sorted(wanted)))
    missing = wanted - {chr(code) for code in font.getBestCmap()}
    if missing:
        parser.error(f"the source font lacks: {' '.join(sorted(missing))}")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    font.save(str(arguments.output))
    print(f"{arguments.output}: {len(wanted)} characters, {arguments.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
