"""The rules of the house: which way imports run, what is shipped, how large a module may grow."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import tomli

import corscore
from builds import CYTHON, module_names
from corscore._engine import matcher

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "corscore"
ADAPTERS = ROOT / "adapters"

# The folders of corscore/, from the bottom up, each with those that it may import from. Imports
# that only a type checker runs may point upward.
_LOW = ("_standard",)
_ENGINE = (*_LOW, "_config", "_engine")
_POLICY = (*_ENGINE, "browser", "_explain", "_policy")
ROOMS: dict[str, tuple[str, ...]] = {
    "_standard": _LOW,
    "_config": (*_LOW, "_config"),
    "_engine": _ENGINE,
    # The tests judge the engine by it, so it shares no rule with the engine.
    "browser": (*_LOW, "browser"),
    "_explain": (*_ENGINE, "browser", "_explain"),
    "_policy": _POLICY,
    "diagnostics": (*_POLICY, "diagnostics"),
    "integration": (*_POLICY, "integration"),
    "testing": (*_POLICY, "diagnostics", "integration", "testing"),
    "": _POLICY,
}
# Installed with the engine, and imported by the configurations that need them.
ENGINE_DEPENDENCIES = {"idna", "publicsuffixlist"}
# Extras, for resolvers under ASGI and for policies in files; tomllib came with Python 3.11.
ENGINE_EXTRAS = {"anyio", "tomli", "tomllib"}
# Only tests of users import these.
TEST_DEPENDENCIES = {"pytest", "hypothesis"}
# Only annotations name these, and only type checkers need them.
KNOWN_TO_TYPE_CHECKERS = {"_typeshed", "typing_extensions"}
# `import corscore` must not import these, and no framework either.
COSTLY_MODULES = {"asyncio", "dataclasses", "inspect", "logging", "typing"}
FRAMEWORKS = {"anyio", "asgiref", "click", "django", "fastapi", "flask", "rich", "starlette"}

MAX_LINES = 500
# Compiled functions call each other fast only within one module.
MAX_GATEWAY_LINES = 610
MAX_MODULES_IN_A_FOLDER = 20


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
    "corscore_store": Allowed(packages=frozenset({"psycopg", "redis"})),
    "corscore_django": Allowed(packages=frozenset({"asgiref", "django"})),
    # The command needs all of them.
    "corscore_cli": Allowed(
        adapters=frozenset(
            {
                "corscore_asgi",
                "corscore_django",
                "corscore_flask",
                "corscore_starlette",
                "corscore_store",
                "corscore_wsgi",
            }
        ),
        packages=frozenset(
            {
                "click",
                # `corscore migrate` compares with these.
                "asgi_cors",
                "corsheaders",
                "wsgicors",
                "django",
                "fastapi",
                "flask",
                "httpx2",
                "markdown_it",
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
    for_types: bool


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def _imports(path: Path) -> list[Import]:
    """Every import of a file. ``from a import b`` counts as ``a.b`` when that is a module of ours
    or a private name."""
    return list(_imports_below(_tree(path), at_import_time=True, for_types=False))


def _imports_below(node: ast.AST, *, at_import_time: bool, for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, at_import_time, for_types)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: a relative import"
            assert child.module is not None
            for alias in child.names:
                name = f"{child.module}.{alias.name}"
                is_module = _is_module_of_ours(name) or alias.name.startswith("_")
                module = name if is_module else child.module
                yield Import(module, child.lineno, at_import_time, for_types)
        else:
            types = (
                isinstance(child, ast.If)
                and isinstance(child.test, ast.Name)
                and child.test.id == "TYPE_CHECKING"
            )
            later = types or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports_below(
                child,
                at_import_time=at_import_time and not later,
                for_types=for_types or types,
            )


@cache
def _is_module_of_ours(name: str) -> bool:
    package, *below = name.split(".")
    place = (ROOT if package == "corscore" else ADAPTERS).joinpath(package, *below)
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def _is_always_there(found: Import) -> bool:
    package = found.module.partition(".")[0]
    if package in KNOWN_TO_TYPE_CHECKERS:
        return not found.at_import_time
    return package in sys.stdlib_module_names


@cache
def _setuptools() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomli.load(file)["tool"]["setuptools"]
    return table


ENGINE_MODULES = sorted(ENGINE.rglob("*.py"))
ADAPTER_MODULES = sorted(ADAPTERS.rglob("*.py"))
PACKAGES = {path.parent for path in ENGINE_MODULES + ADAPTER_MODULES}
FOLDERS = sorted(
    PACKAGES.union(
        path.parent for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
    )
)
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


def _room(path: Path) -> str:
    return path.relative_to(ENGINE).parts[0] if path.parent != ENGINE else ""


def test_every_folder_of_the_engine_is_a_room() -> None:
    assert {_room(path) for path in ENGINE_MODULES} == set(ROOMS)


def test_imports_between_rooms_run_one_way() -> None:
    for path in ENGINE_MODULES:
        for found in _imports(path):
            package, _, below = found.module.partition(".")
            if package == "corscore" and not found.for_types:
                assert below.partition(".")[0] in ROOMS[_room(path)], (path, found)


def _module_name(path: Path) -> str:
    root = ADAPTERS if path.is_relative_to(ADAPTERS) else ROOT
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def test_no_imports_run_in_a_circle() -> None:
    paths = {_module_name(path): path for path in ENGINE_MODULES + ADAPTER_MODULES}
    imported = {
        name: {found.module for found in _imports(path) if not found.for_types} & paths.keys()
        for name, path in paths.items()
    }
    # Raises CycleError, with the circle.
    assert set(TopologicalSorter(imported).static_order()) == set(paths)


def test_a_folder_holds_few_modules() -> None:
    counts = {folder: len(list(folder.glob("*.py"))) for folder in FOLDERS}
    assert [folder for folder in FOLDERS if counts[folder] > MAX_MODULES_IN_A_FOLDER] == []


def test_the_engine_depends_on_the_standard_library() -> None:
    for path in ENGINE_MODULES:
        for found in _imports(path):
            package = found.module.partition(".")[0]
            if _is_always_there(found) or package == "corscore":
                continue
            if _room(path) == "testing" and package in TEST_DEPENDENCIES:
                continue
            assert package in ENGINE_DEPENDENCIES | ENGINE_EXTRAS, (path, found)
            assert not found.at_import_time, f"{path}, {found}: `import corscore` would load it"


def test_the_engine_package_is_a_table_of_contents() -> None:
    for name in corscore.__all__:
        assert getattr(corscore, name).__module__.partition(".")[0] == "corscore", name
    hidden = {"TYPE_CHECKING"} | {name for name in dir(corscore) if name.startswith("_")}
    others = {name for name in dir(corscore) if name not in hidden | set(corscore.__all__)}
    assert all(isinstance(getattr(corscore, name), ModuleType) for name in others), others
    with pytest.raises(AttributeError, match="'corscore' has no attribute 'Polizy'"):
        corscore.Polizy  # noqa: B018


def test_a_program_with_one_policy_imports_no_resolver() -> None:
    code = (
        "import sys; from corscore import Policy; Policy(allow_origins=['https://a.example'])\n"
        "print(*(name for name in sys.modules if name.startswith('corscore._policy.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["corscore._policy.policy"]


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
    # Without site, whose start-up hooks may have imported a module already.
    assert not _modules_loaded_by_import("-S") & COSTLY_MODULES


def test_importing_the_engine_loads_no_framework_and_no_dependency() -> None:
    assert not _modules_loaded_by_import() & (FRAMEWORKS | ENGINE_DEPENDENCIES | ENGINE_EXTRAS)


def test_which_build_of_the_matcher_is_in_use() -> None:
    if os.environ.get("CORSCORE_PURE_PYTHON"):
        assert matcher.IMPLEMENTATION == "python"
    elif os.environ.get("CORSCORE_REQUIRE_EXTENSION"):
        assert matcher.IMPLEMENTATION == "cython"
        for name in module_names(CYTHON):
            compiled = importlib.util.find_spec(name)
            assert compiled is not None
            assert isinstance(compiled.loader, importlib.machinery.ExtensionFileLoader)
    else:
        assert matcher.IMPLEMENTATION in {"python", "cython"}


# --- the adapters


def test_an_adapter_imports_the_engine_and_its_own_framework() -> None:
    assert ADAPTER_MODULES
    for path in ADAPTER_MODULES:
        own = path.relative_to(ADAPTERS).parts[0]
        allowed = ALLOWED[own]
        for found in _imports(path):
            if _is_always_there(found):
                continue
            package, *below = found.module.split(".")
            packages = {"corscore", own} | allowed.adapters | allowed.packages
            assert package in packages, (path, found)
            if package != own:
                assert not [name for name in below if name.startswith("_")], (path, found)


def test_an_adapter_reaches_for_nothing_private_in_the_engine() -> None:
    for path in ADAPTER_MODULES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                name = ast.unparse(node)
                assert not name.startswith("corscore"), f"{path}:{node.lineno}: {name}"


def test_an_adapter_holds_no_rule_of_cors() -> None:
    for path in SHIPPED_FILES:
        if path.is_relative_to(ADAPTERS):
            assert "access-control-" not in path.read_text(encoding="utf-8").lower(), path


# --- all that is shipped


def test_modules_stay_small() -> None:
    for path in ENGINE_MODULES + ADAPTER_MODULES:
        most = MAX_GATEWAY_LINES if path.stem == "gateway_py" else MAX_LINES
        assert len(path.read_text(encoding="utf-8").splitlines()) <= most, path


def test_every_function_is_typed() -> None:
    for path in ENGINE_MODULES + ADAPTER_MODULES:
        for node in ast.walk(_tree(path)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            args = node.args
            given = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
            untyped = [arg.arg for arg in given if arg is not None and arg.annotation is None]
            assert set(untyped) <= {"self", "cls"}, f"{path}:{node.lineno}: {node.name}"
            assert node.returns is not None, f"{path}:{node.lineno}: {node.name}"


def test_nothing_is_hidden_from_coverage() -> None:
    for path in ENGINE_MODULES + ADAPTER_MODULES:
        assert not re.search("pragma.*cover", path.read_text(encoding="utf-8")), path


def test_every_package_is_shipped() -> None:
    places: dict[str, str] = _setuptools()["package-dir"]
    shipped = {}
    for name in _setuptools()["packages"]:
        top_level, *below = name.split(".")
        shipped[name] = ROOT.joinpath(places[top_level], *below)
        assert (shipped[name] / "__init__.py").is_file(), name
    assert set(shipped.values()) == PACKAGES
    for top_level, folder in places.items():
        assert (ROOT / folder / "py.typed").is_file(), top_level


def test_every_data_file_is_shipped() -> None:
    patterns: dict[str, list[str]] = _setuptools()["package-data"]
    for path in SHIPPED_FILES:
        if path.suffix in {".py", ".pxd"}:  # the source of the extension needs the C types
            continue
        globs = patterns["*"] + patterns.get(_module_name(path.parent), [])
        assert any(fnmatch(path.name, glob) for glob in globs), path


def test_the_version_is_named_once() -> None:
    assert importlib.metadata.version("corscore") == corscore.__version__


def test_the_name_adapters_stays_free() -> None:
    # The name belongs to another project, and `adapters/` is only a folder.
    assert not (ADAPTERS / "__init__.py").exists()
    top_level = importlib.metadata.distribution("corscore").read_text("top_level.txt")
    assert top_level is not None
    assert sorted(top_level.split()) == sorted(_setuptools()["package-dir"])


def test_no_folder_of_tests_has_the_name_of_a_package() -> None:
    # tests/ is on sys.path: such a folder would be imported instead of an editable install.
    assert not {path.name for path in (ROOT / "tests").iterdir()} & set(
        _setuptools()["package-dir"]
    )
