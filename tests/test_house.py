"""The rules of the house: which way imports run, what is shipped, how large a module may grow."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import tomli

import corscore
from builds import CYTHON, SOURCES, module_names
from corscore import _matcher

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "corscore"
ADAPTERS = ROOT / "adapters"

# From the bottom up. A module imports from rows above it in this table only: never from its own
# row, never from a later one.
LAYERS = (
    (
        "_browser_reasons",
        "_fetch",
        "_finding",
        "_grammar",
        "_host",
        "_lint_regex",
        "_regex",
        "_suffix",
        "_text",
    ),
    ("_browser_headers", "_errors", "_log_limit", "_merge", "_network_errors", "_origin"),
    ("_asker", "_browser_url", "_paths", "_pattern", "_remembered", "_spelling", "_traces"),
    (
        "_answer_py",
        "_browser_request",
        "_covering",
        "_har",
        "_matcher_py",
        "_options_names",
        "_pattern_advice",
    ),
    ("_browser_checks", "_browser_redirect", "_curl", "_gateway_py", "_options_origins"),
    ("_matcher",),
    ("_browser_cache", "_request"),
    ("_context",),
    ("_refusals", "_resolver"),
    ("_options_values",),
    ("_options",),
    ("_answers", "_decision", "_environment", "_verdict", "browser"),
    ("_compiled", "_explanation"),
    (
        "_console",
        "_explain_headers",
        "_explain_origin",
        "_explain_request",
        "_explain_steps",
    ),
    ("_explain_options",),
    ("_explain_fetch",),
    ("_diagnosis", "_explain", "_findings_exchange"),
    ("_har_replay", "_policy", "_server"),
    (
        "_asking",
        "_enforcement",
        "_findings_server",
        "_har_findings",
        "_policy_file",
        "_routing",
        "_shadow",
    ),
    ("_access", "_audit", "_changes", "_har_report", "_lint"),
    ("_probe", "_reference"),
    ("_governor",),
    ("adapting", "explaining", "strategies"),
    ("_testing_clients",),
    ("testing",),
    ("_pytest_plugin",),
    ("__init__",),
)
# The browser model is what the rest is judged by, so it shares vocabulary with it, and no rule.
BROWSER_MAY_USE = {"_fetch", "_grammar", "_host", "_origin"}
# Installed with the engine, and imported by the configurations that need them.
ENGINE_DEPENDENCIES = {"idna", "publicsuffixlist"}
# Extras, for resolvers under ASGI and for policies in files; tomllib came with Python 3.11.
ENGINE_EXTRAS = {"anyio", "tomli", "tomllib", "watchfiles"}
# Imported by those who test with them.
TEST_DEPENDENCIES = {"_pytest_plugin": "pytest", "strategies": "hypothesis"}
# Nobody has to install these to have them in annotations.
KNOWN_TO_TYPE_CHECKERS = {"_typeshed", "typing_extensions"}
# What `import corscore` must not cost anybody. Frameworks are no less of a burden than these.
COSTLY_MODULES = {"asyncio", "dataclasses", "inspect", "logging", "typing"}
FRAMEWORKS = {"anyio", "asgiref", "click", "django", "fastapi", "flask", "rich", "starlette"}

MAX_ENGINE_LINES = 300
# The matcher is one source because it is compiled as one.
MAX_GATEWAY_LINES = 420
MAX_ADAPTER_LINES = 400


class Allowed(NamedTuple):
    """What an adapter may import beside the standard library, itself and the engine."""

    adapters: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()


ALLOWED = {
    "corscore_asgi": Allowed(),
    "corscore_starlette": Allowed(
        adapters=frozenset({"corscore_asgi"}), packages=frozenset({"starlette"})
    ),
    "corscore_wsgi": Allowed(),
    "corscore_flask": Allowed(
        adapters=frozenset({"corscore_wsgi"}), packages=frozenset({"flask", "werkzeug"})
    ),
    "corscore_django": Allowed(packages=frozenset({"asgiref", "django"})),
    # The command shows all of them.
    "corscore_cli": Allowed(
        adapters=frozenset(
            {
                "corscore_asgi",
                "corscore_django",
                "corscore_flask",
                "corscore_starlette",
                "corscore_wsgi",
            }
        ),
        packages=frozenset(
            {
                "click",
                # What `corscore migrate` compares with.
                "corsheaders",
                "django",
                "fastapi",
                "flask",
                "httpx",
                "rich",
                "starlette",
                "uvicorn",
            }
        ),
    ),
}


class Import(NamedTuple):
    module: str
    line: int
    at_import_time: bool


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(path: Path) -> list[Import]:
    """Every import of a file. ``from a import b`` counts as ``a.b`` when that is a module of ours
    or a private name."""
    return list(_imports_below(_tree(path), at_import_time=True))


def _imports_below(node: ast.AST, *, at_import_time: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, at_import_time)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: a relative import"
            assert child.module is not None
            for alias in child.names:
                name = f"{child.module}.{alias.name}"
                is_module = _is_engine_module(name) or alias.name.startswith("_")
                yield Import(name if is_module else child.module, child.lineno, at_import_time)
        else:
            later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or (
                isinstance(child, ast.If)
                and isinstance(child.test, ast.Name)
                and child.test.id == "TYPE_CHECKING"
            )
            yield from _imports_below(child, at_import_time=at_import_time and not later)


def _is_engine_module(name: str) -> bool:
    package, _, module = name.partition(".")
    return package == "corscore" and (ENGINE / f"{module}.py").is_file()


def _is_always_there(found: Import) -> bool:
    package = found.module.partition(".")[0]
    if package in KNOWN_TO_TYPE_CHECKERS:
        return not found.at_import_time
    return package in sys.stdlib_module_names


def _ids(paths: list[Path]) -> list[Any]:
    return [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in paths]


@cache
def _setuptools() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomli.load(file)["tool"]["setuptools"]
    return table


ENGINE_MODULES = sorted(ENGINE.glob("*.py"))
ADAPTER_MODULES = sorted(ADAPTERS.rglob("*.py"))
SHIPPED_FILES = sorted(
    path
    for folder in (ENGINE, ADAPTERS)
    for path in folder.rglob("*")
    if path.is_file()
    and "__pycache__" not in path.parts
    # Compiled in place by an editable install.
    and path.suffix not in {".so", ".pyd"}
)


# --- the engine


def test_every_engine_module_has_a_layer() -> None:
    assert sorted(name for row in LAYERS for name in row) == [p.stem for p in ENGINE_MODULES]


@pytest.mark.parametrize("path", _ids(ENGINE_MODULES))
def test_nothing_in_the_engine_imports_upward(path: Path) -> None:
    row_of = {name: row for row, names in enumerate(LAYERS) for name in names}
    for source in SOURCES:
        row_of[f"_{source}_c"] = row_of[f"_{source}_py"]  # the same source
    for found in _imports(path):
        package, *below = found.module.split(".")
        if package == "corscore":
            imported = below[0] if below else "__init__"
            assert row_of[imported] < row_of[path.stem], found


@pytest.mark.parametrize("path", _ids([p for p in ENGINE_MODULES if "browser" in p.stem]))
def test_the_browser_model_stands_on_its_own(path: Path) -> None:
    for found in _imports(path):
        package, *below = found.module.split(".")
        if package == "corscore" and "browser" not in found.module:
            assert set(below) <= BROWSER_MAY_USE, found


@pytest.mark.parametrize("path", _ids(ENGINE_MODULES))
def test_the_engine_depends_on_the_standard_library(path: Path) -> None:
    for found in _imports(path):
        package = found.module.partition(".")[0]
        if _is_always_there(found) or package in {"corscore", TEST_DEPENDENCIES.get(path.stem)}:
            continue
        assert package in ENGINE_DEPENDENCIES | ENGINE_EXTRAS, found
        assert not found.at_import_time, f"{found}: `import corscore` would load it"


def test_the_engine_package_is_a_table_of_contents() -> None:
    statements = [
        node
        for node in _tree(ENGINE / "__init__.py").body
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Assign)
    ]
    assert [ast.unparse(node) for node in statements[1:]] == []  # the first one is its docstring
    assert all(hasattr(corscore, name) for name in corscore.__all__)
    assert not [name for name in corscore.__all__ if name.startswith("_")]


def _modules_loaded_by_import(*flags: str) -> set[str]:
    installed_in = Path(corscore.__file__).parents[1]
    code = (
        f"import sys; sys.path.insert(0, {str(installed_in)!r}); before = set(sys.modules)\n"
        "import corscore; print(*set(sys.modules) - before)"
    )
    run = subprocess.run(
        [sys.executable, "-I", *flags, "-c", code], check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_importing_the_engine_is_cheap() -> None:
    # Without site, lest a module that start-up hooks load already goes unnoticed.
    assert not _modules_loaded_by_import("-S") & COSTLY_MODULES


def test_importing_the_engine_loads_no_framework_and_no_dependency() -> None:
    assert not _modules_loaded_by_import() & (FRAMEWORKS | ENGINE_DEPENDENCIES | ENGINE_EXTRAS)


def test_which_build_of_the_matcher_is_in_use() -> None:
    if os.environ.get("CORSCORE_PURE_PYTHON"):
        assert _matcher.IMPLEMENTATION == "python"
    elif os.environ.get("CORSCORE_REQUIRE_EXTENSION"):
        assert _matcher.IMPLEMENTATION == "cython"
        for name in module_names(CYTHON):
            compiled = importlib.util.find_spec(name)
            assert compiled is not None
            assert isinstance(compiled.loader, importlib.machinery.ExtensionFileLoader)
    else:
        assert _matcher.IMPLEMENTATION in {"python", "cython"}


# --- the adapters


@pytest.mark.parametrize("path", _ids(ADAPTER_MODULES))
def test_an_adapter_imports_the_engine_and_its_own_framework(path: Path) -> None:
    own = path.relative_to(ADAPTERS).parts[0]
    allowed = ALLOWED[own]
    for found in _imports(path):
        if _is_always_there(found):
            continue
        package, *below = found.module.split(".")
        assert package in {"corscore", own} | allowed.adapters | allowed.packages, found
        if package != own:
            assert not [name for name in below if name.startswith("_")], f"{found} is private"


@pytest.mark.parametrize("path", _ids(ADAPTER_MODULES))
def test_an_adapter_reaches_for_nothing_private_in_the_engine(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).startswith("corscore"):
            assert not node.attr.startswith("_"), f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", _ids([p for p in SHIPPED_FILES if p.is_relative_to(ADAPTERS)]))
def test_an_adapter_holds_no_rule_of_cors(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").lower().splitlines()
    assert [number for number, line in enumerate(lines, 1) if "access-control-" in line] == []


# --- all that is shipped


@pytest.mark.parametrize("path", _ids(ENGINE_MODULES + ADAPTER_MODULES))
def test_modules_stay_small(path: Path) -> None:
    most = MAX_ENGINE_LINES if path.parent == ENGINE else MAX_ADAPTER_LINES
    if path.stem == "_gateway_py":
        most = MAX_GATEWAY_LINES
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines < most


@pytest.mark.parametrize("path", _ids(ENGINE_MODULES + ADAPTER_MODULES))
def test_every_function_is_typed(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        args = node.args
        given = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        untyped = [arg.arg for arg in given if arg is not None and arg.annotation is None]
        assert set(untyped) <= {"self", "cls"}, f"line {node.lineno}: {node.name}"
        assert node.returns is not None, f"line {node.lineno}: {node.name}"


@pytest.mark.parametrize("path", _ids(ENGINE_MODULES + ADAPTER_MODULES))
def test_nothing_is_hidden_from_coverage(path: Path) -> None:
    hidden = [line for line in path.read_text(encoding="utf-8").splitlines() if "# pragma" in line]
    assert hidden == []


def test_every_package_is_shipped() -> None:
    folders = {path.parent for path in ENGINE_MODULES + ADAPTER_MODULES}
    shipped = {name: ROOT / folder for name, folder in _setuptools()["package-dir"].items()}
    assert set(_setuptools()["packages"]) == set(shipped)
    assert set(shipped.values()) == folders
    for name, folder in shipped.items():
        assert (folder / "__init__.py").is_file(), name
        assert (folder / "py.typed").is_file(), name


def test_every_data_file_is_shipped() -> None:
    patterns: dict[str, list[str]] = _setuptools()["package-data"]
    for path in SHIPPED_FILES:
        if path.suffix in {".py", ".pxd"}:  # the C types travel with the source of the extension
            continue
        globs = patterns["*"] + patterns.get(path.parent.name, [])
        assert any(fnmatch(path.name, glob) for glob in globs), path


def test_the_name_adapters_stays_free() -> None:
    # It belongs to another project, and `adapters/` is only where our packages lie.
    assert not (ADAPTERS / "__init__.py").exists()
    top_level = importlib.metadata.distribution("corscore").read_text("top_level.txt")
    assert top_level is not None
    assert sorted(top_level.split()) == sorted(_setuptools()["packages"])


def test_no_folder_of_tests_has_the_name_of_a_package() -> None:
    # tests/ is on sys.path: such a folder would be imported in the place of an editable install.
    assert not {path.name for path in (ROOT / "tests").iterdir()} & set(_setuptools()["packages"])
