"""Imports of ``module:name``, as the user's server does them."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import corscore
from corscore import ConfigError
from corscore_cli.shell.location import PythonLocator, shown_path
from corscore_cli.shell.output import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType, TracebackType

    from corscore_cli.shell.location import Locator

# Frames of these files are not the user's code.
_CORSCORE_FILES = (
    str(Path(inspect.getfile(corscore)).parent) + os.sep,
    str(Path(__file__).parents[2] / "corscore_"),
)
_MISSING = object()
_IMPORT_FILES = ("<frozen importlib", "importlib", "<string>")


class UnbuiltPolicy(Exception):
    """A policy in a module or a factory cannot be built.

    Attributes:
        error: The problems.
        locate: Finds the locations of options.
    """

    def __init__(self, error: ConfigError, locate: Locator) -> None:
        super().__init__(str(error))
        self.error = error
        self.locate = locate


@contextmanager
def importing(app_dir: str, package: str) -> Iterator[None]:
    """Let imports find the modules of a project, and forget them afterwards.

    What a module prints meanwhile goes to stderr, since stdout is for the command.

    Args:
        app_dir: The folder that is searched first.
        package: The top-level name to forget, since the module of another TARGET may have it, too.
    """
    path = str(Path(app_dir).absolute())
    before = {name: module for name, module in sys.modules.items() if _is_of(name, package)}
    here = {name for name, module in before.items() if _is_below(module, path)}
    for name in before.keys() - here:
        # It hides this project's module of the same name.
        if (Path(path) / f"{package}.py").exists() or (Path(path) / package).is_dir():
            del sys.modules[name]
    sys.path.insert(0, path)
    try:
        with redirect_stdout(sys.stderr), _redirected_descriptor():
            yield
    finally:
        sys.stderr.flush()
        if path in sys.path:
            sys.path.remove(path)
        for name in [name for name in sys.modules if _is_of(name, package)]:
            if name not in here:
                del sys.modules[name]
        sys.modules.update({name: before[name] for name in before.keys() - here})


@contextmanager
def _redirected_descriptor() -> Iterator[None]:
    """Redirect file descriptor 1 to stderr, for child processes and C code."""
    try:
        is_ours = sys.__stdout__ is not None and sys.__stdout__.fileno() == 1
        kept = os.dup(1) if is_ours else None
    except (OSError, ValueError):
        # stdout is closed, or has no descriptor.
        kept = None
    if kept is None:
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _is_of(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _is_below(module: ModuleType | None, path: str) -> bool:
    return str(getattr(module, "__file__", None) or "").startswith(path)


def import_target(module: str) -> ModuleType:
    """Import a module by name.

    Raises:
        Mistake: There is no such module, or it fails.
        UnbuiltPolicy: A policy in it cannot be built.
    """
    if module.endswith(".py") and not _is_package(module.removesuffix(".py")):
        name = Path(module).stem
        raise Mistake(f"{module} is a file's name; name the module, such as {name}:app")
    try:
        return import_module(module)
    except ConfigError as error:
        raise UnbuiltPolicy(error, locator_of(error)) from None
    except ModuleNotFoundError as error:
        if error.name is not None and _is_of(module, error.name):
            raise Mistake(
                f"there is no module {error.name}; run corscore where it can be imported, or name "
                "its folder with --app-dir"
            ) from None
        raise Mistake(_failed(f"{module} cannot be imported", error)) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a user's module may raise anything
        raise Mistake(_failed(f"{module} cannot be imported", error)) from None


def _is_package(name: str) -> bool:
    return any(Path(folder, *name.split(".")).is_dir() for folder in sys.path)


def call_factory(factory: Any, name: str) -> Any:
    """Call a factory.

    Raises:
        Mistake: It cannot be called, or fails.
        UnbuiltPolicy: A policy in it cannot be built.
    """
    if not callable(factory):
        raise Mistake(f"{name} is no factory: a {type(factory).__name__} cannot be called")
    try:
        return factory()
    except ConfigError as error:
        raise UnbuiltPolicy(error, locator_of(error)) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a user's factory may raise anything
        raise Mistake(_failed(f"{name} fails", error)) from None


def find_attribute(module: ModuleType, path: str) -> Any:
    """Return an attribute of a module by its dotted path.

    Raises:
        Mistake: There is no such attribute.
    """
    found: Any = module
    for name in path.split("."):
        parent = found
        try:
            found = getattr(parent, name, _MISSING)
        except Exception as error:  # noqa: BLE001 - a module's `__getattr__` may raise anything
            raise Mistake(_failed(f"{module.__name__}:{path} fails", error)) from None
        if found is _MISSING:
            guess = _nearest(name, parent)
            meant = f"; did you mean {module.__name__}:{guess}?" if guess else ""
            raise Mistake(f"there is no {path} in {module.__name__}{meant}")
    return found


def _nearest(name: str, parent: object) -> str | None:
    # Imported late: only a mistake needs it.
    from difflib import get_close_matches

    names = [one for one in dir(parent) if not one.startswith("_")]
    return next(iter(get_close_matches(name, names, n=1)), None)


def locator_of(error: BaseException) -> Locator:
    """Return a locator near the line of the user's code that raised an error."""
    frame = _users_frame(error.__traceback__)
    return PythonLocator(*frame) if frame else PythonLocator("")


def _users_frame(trace: TracebackType | None) -> tuple[str, int] | None:
    """Return the file and line of the innermost frame of the user's code."""
    frames: list[tuple[str, int]] = [
        (frame.filename, frame.lineno)
        for frame in traceback.extract_tb(trace)
        if frame.lineno is not None
        and not frame.filename.startswith((*_CORSCORE_FILES, *_IMPORT_FILES))
        and "importlib" not in Path(frame.filename).parts
    ]
    of_project = [frame for frame in frames if "site-packages" not in frame[0]]
    return next(reversed(of_project or frames), None)


def _failed(what: str, error: BaseException) -> str:
    try:
        text = " ".join(str(error).split()) or "no message"
    except Exception:  # noqa: BLE001 - `__str__` may raise anything
        text = "no message"
    frame = _users_frame(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        text, frame = error.msg, (error.filename, error.lineno or 1)
    where = f" ({shown_path(frame[0])}, line {frame[1]})" if frame else ""
    return f"{what}: {type(error).__name__}: {text}{where}"
