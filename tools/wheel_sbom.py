"""Takes the bill of materials of the Rust crates out of a wheel, where maturin puts it (PEP 770).

Usage: python tools/wheel_sbom.py OUT WHEEL…: the last wheel that has one counts.
"""

import argparse
import json
import sys
import zipfile
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("wheels", type=Path, nargs="+")
    options = parser.parse_args()
    found = None
    for wheel in sorted(options.wheels, key=lambda file: file.stat().st_mtime):
        with zipfile.ZipFile(wheel) as opened:
            for name in opened.namelist():
                if ".dist-info/sboms/" in name and name.endswith(".cyclonedx.json"):
                    found = json.loads(opened.read(name))
    if found is None:
        print("no wheel has a bill of materials; maturin 1.11 or newer writes one", file=sys.stderr)
        return 1
    options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"{options.out}: {len(found['components'])} crates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
