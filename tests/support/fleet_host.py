"""A host of a fleet: forks workers that serve one application each, after it was built."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from typing import Any

import uvicorn

from corscore_asgi import CORSMiddleware
from corscore_store import StoreRef


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"an item"})


def main(url: str, name: str, address: str, count: str) -> None:
    # Reports of a thousand malformed documents would hide the figures.
    logging.getLogger("corscore").addHandler(logging.NullHandler())
    ref = StoreRef(url, name=name, host=f"host-{address}")
    middleware = CORSMiddleware(app, ref)
    listeners = [socket.create_server((address, 0)) for _ in range(int(count))]
    children = []
    for listener in listeners:
        child = os.fork()
        if not child:
            config = uvicorn.Config(middleware, log_level="critical", lifespan="off")
            asyncio.run(uvicorn.Server(config).serve([listener]))
            os._exit(0)
        children.append(child)
    sys.stdout.write(json.dumps([listener.getsockname() for listener in listeners]) + "\n")
    sys.stdout.flush()
    # It ends with the test.
    sys.stdin.read()
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
