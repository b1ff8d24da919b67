"""A policy in a file, around any WSGI application.

Run with ``python live_app.py``, then edit cors.toml. A broken file changes nothing but the log,
which says all that is wrong with it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.simple_server import make_server

from corscore import PolicyRef
from corscore_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def hello(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answers everything."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


policy = PolicyRef.from_file(Path(__file__).with_name("cors.toml"), watch=True)
application = CORSMiddleware(hello, policy)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    with make_server("127.0.0.1", 8000, application) as server:
        server.serve_forever()
