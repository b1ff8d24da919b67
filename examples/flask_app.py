"""Flask: an app's policy, and a view's own. Run with ``flask --app flask_app run``."""

from __future__ import annotations

from flask import Flask

from corscore_flask import CORS, cross_origin

app = Flask(__name__)
CORS(
    app,
    origins=["https://app.example.com", "https://*.preview.example.com"],
    supports_credentials=True,
    expose_headers=["X-Total-Count"],
)


@app.get("/orders")
def orders() -> tuple[list[str], dict[str, str]]:
    """For our own pages, with cookies; scripts may read the count."""
    return ["one", "two"], {"X-Total-Count": "2"}


@app.get("/version")
@cross_origin(origins=["*"])
def version() -> str:
    """For everybody."""
    return "1.0"
