"""A server for ``table/server``: ``python -m benchmarks.table.served NAME PORT``."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks import cases
from benchmarks.sites import asgi

# The headers that corscore adds to an actual response, written out.
_BY_HAND = [
    *((name.encode(), value.encode()) for name, value in cases.RESPONSE_HEADERS),
    (b"access-control-allow-origin", cases.ORIGIN.encode()),
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-expose-headers", b"x-total-count"),
    (b"vary", b"Origin"),
]


async def by_hand(scope: Any, receive: Any, send: Any) -> None:
    """Send the header lines that corscore would send, without a look at the request."""
    await send({"type": "http.response.start", "status": 200, "headers": [*_BY_HAND]})
    await send({"type": "http.response.body", "body": cases.BODY})


def main(name: str, port: int) -> None:
    """Serve until the process is killed."""
    import uvicorn

    uvicorn.run(
        by_hand if name == "by-hand" else asgi.build(name).app,
        port=port,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="critical",
        # Two lines that would be the same in all responses.
        server_header=False,
        date_header=False,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
