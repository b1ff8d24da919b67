"""An application that ``server`` compares: ``python -m benchmarks.table.served NAME PORT``."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks import cases
from benchmarks.sites import asgi

# What corscore adds to an actual request, sent by an application that knows its only client.
_BY_HAND = [
    *((name.encode(), value.encode()) for name, value in cases.RESPONSE_HEADERS),
    (b"access-control-allow-origin", cases.ORIGIN.encode()),
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-expose-headers", b"x-total-count"),
    (b"vary", b"Origin"),
]


async def by_hand(scope: Any, receive: Any, send: Any) -> None:
    """Sends the header lines that corscore would, without asking anything."""
    await send({"type": "http.response.start", "status": 200, "headers": [*_BY_HAND]})
    await send({"type": "http.response.body", "body": cases.BODY})


def main(name: str, port: int) -> None:
    """Serves until it is killed."""
    import uvicorn

    uvicorn.run(
        by_hand if name == "by-hand" else asgi.build(name).app,
        port=port,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="critical",
        # Constant lines, of which the server would add two.
        server_header=False,
        date_header=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
