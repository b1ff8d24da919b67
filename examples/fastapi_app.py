"""FastAPI: policies by path and by route. Run with ``uvicorn fastapi_app:app``.

Then, from another shell: ``corscore probe http://127.0.0.1:8000/orders --origin
https://app.example.com --method PUT --credentials``.
"""

from __future__ import annotations

from fastapi import FastAPI

from corscore import Policy, PolicyMap
from corscore_starlette import cors_policy, install

ours = Policy(
    allow_origins=["https://app.example.com", "https://*.preview.example.com"],
    allow_methods=["PUT"],
    allow_credentials=True,
)
everyone = Policy(allow_origins=["*"])

app = FastAPI()
# `/internal/*` is left alone: no page of another origin may read it.
install(app, PolicyMap({"/public/*": everyone, "/internal/*": None}, default=ours))


@app.get("/orders")
def orders() -> list[str]:
    """For our own pages, with cookies."""
    return ["one", "two"]


@app.put("/orders")
def replace_orders() -> None:
    """The same; browsers ask for permission first."""


@app.get("/public/prices")
def prices() -> dict[str, int]:
    """For everybody, by its path."""
    return {"one": 1}


@app.get("/version")
@cors_policy(everyone)
def version() -> str:
    """For everybody, by its route."""
    return "1.0"
