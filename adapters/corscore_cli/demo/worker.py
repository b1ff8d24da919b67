"""A worker of ``corscore store demo``: a process that serves an API, and follows the store."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from typing import Any

from corscore_asgi import CORSMiddleware
from corscore_cli.demo.servers import asgi_server
from corscore_store import StoreRef

VERSION = "x-version"
"""The response header with the version that the worker serves."""


def main(url: str, host: str, address: str) -> None:
    """Print the port, and serve until stdin ends."""
    # Otherwise the refusals are logged to the terminal, which shows them as arrivals.
    logging.getLogger("corscore").addHandler(logging.NullHandler())
    ref = StoreRef(url, host=host)

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - as ASGI calls it
        headers = [(VERSION.encode(), str(ref.version).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"an item"})

    listener = socket.create_server((address, 0))
    server = asgi_server(CORSMiddleware(app, ref))

    def end() -> None:
        while os.read(0, 1):
            pass
        server.should_exit = True

    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=end, daemon=True).start()
    server.run([listener])
    ref.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
