"""Tag every picture below a folder through a running gateway: python tag_folder.py 127.0.0.1:50051 photos/"""

import sys
from pathlib import Path

from gateway.client import GatewayClient, GatewayError, Language, TaggingParameters


def main(target: str, folder: str) -> int:
    pictures = (path for path in Path(folder).rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".bmp", ".webp"})
    failed = 0
    with GatewayClient(target) as client:
        # One call for all of them: read, sent and answered a few at a time, however many there are.
        for item in client.tag_stream(pictures, TaggingParameters(language=Language.EN)):
            if isinstance(item.outcome, GatewayError):
                failed += 1
                print(f"{item.item_id}: {item.outcome.reason}: {item.outcome.message}", file=sys.stderr)
            else:
                print(f"{item.item_id}: {', '.join(tag.name for tag in item.outcome.reply.tags)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
