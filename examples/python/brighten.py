"""Brighten a picture through a running gateway, with asyncio: python brighten.py 127.0.0.1:50051 night.jpg day.jpg"""

import asyncio
import sys
from pathlib import Path

from gateway.client import AsyncGatewayClient, DarkEnhanceParameters, GatewayError, Reason


async def main(target: str, picture: str, out: str) -> int:
    async with AsyncGatewayClient(target, tenant="examples", timeout=30) as client:
        try:
            enhanced = await client.enhance(picture, DarkEnhanceParameters(brightness=0.8))
        except GatewayError as error:
            if error.reason is Reason.OVERLOADED:  # the reason says what to do; docs/errors.md lists them
                print("the gateway is busy: try again later", file=sys.stderr)
            else:
                print(f"{error.reason}: {error.message}", file=sys.stderr)
            return 1
    await asyncio.to_thread(Path(out).write_bytes, enhanced.reply.image)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
