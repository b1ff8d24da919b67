"""The option table, and the places that repeat every option."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import corscore._config.options
import corscore.integration._arguments
from corscore import Policy
from corscore._config.options import GOVERNOR_OPTIONS, OPTIONS, Options

if TYPE_CHECKING:
    from types import ModuleType


def signature() -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(Policy).parameters)
    assert parameters.pop("unknown").kind is inspect.Parameter.VAR_KEYWORD
    return parameters


def typed_dict(module: ModuleType, name: str) -> dict[str, str]:
    """Return the fields of a ``TypedDict`` that only type checkers see."""
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    (found,) = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef) and node.name == name
    )
    fields = (node for node in found.body if isinstance(node, ast.AnnAssign))
    return {ast.unparse(field.target): ast.unparse(field.annotation) for field in fields}


def test_the_signature_has_the_names_and_defaults_of_the_table() -> None:
    defaults = {name: option.default for name, option in OPTIONS.items()}
    assert {name: parameter.default for name, parameter in signature().items()} == defaults
    assert list(signature()) == list(OPTIONS)


def test_the_keyword_arguments_of_adapters_have_the_types_of_the_signature() -> None:
    types = {name: parameter.annotation for name, parameter in signature().items()}
    assert typed_dict(corscore._config.options, "PolicyOptions") == types


def test_the_other_arguments_of_adapters_are_listed_in_the_order_of_their_types() -> None:
    types = typed_dict(corscore.integration._arguments, "GovernorOptions")
    assert tuple(types) == GOVERNOR_OPTIONS


def test_every_option_is_an_attribute() -> None:
    assert list(Options.__annotations__) == list(OPTIONS)
    policy = Policy(allow_origins=["https://app.example"])
    assert all(hasattr(policy, name) for name in OPTIONS)
