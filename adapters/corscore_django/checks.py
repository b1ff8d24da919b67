"""System checks of the settings, the middleware and WebSockets.

The ids are stable: each is documented, and may be silenced by ``SILENCED_SYSTEM_CHECKS``.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.utils.http import is_same_domain
from django.utils.module_loading import import_string

from corscore import ConfigError
from corscore.diagnostics import code_page, developers_origins
from corscore.integration import is_written_for_match, regex_literal, with_open_end
from corscore_django._extras import BLOCK_CROSS_SITE
from corscore_django._routes import decorated_views
from corscore_django._settings import OLD_NAMES, REGEXES, URLS, Reading, unread_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from corscore_django._configuration import Configuration

# A code's position is the number in its id: new codes go to the end, and none is removed.
_CODES = (
    "origins-missing",
    "not-a-list",
    "not-a-string",
    "not-a-bool",
    "option-unknown",
    "origin-empty",
    "origin-whitespace",
    "origin-quoted",
    "list-is-json",
    "origin-scheme-missing",
    "origin-scheme-invalid",
    "origin-file",
    "origin-trailing-slash",
    "origin-has-path",
    "origin-has-userinfo",
    "origin-uppercase",
    "origin-not-ascii",
    "origin-host-invalid",
    "origin-ip-not-canonical",
    "origin-port-invalid",
    "origin-default-port",
    "origin-wildcard-misplaced",
    "origin-null",
    "wildcard-not-alone",
    "wildcard-with-credentials",
    "null-with-credentials",
    "private-network-with-wildcard",
    "insecure-origin-with-credentials",
    "public-suffix-with-credentials",
    "single-label-suffix-with-credentials",
    "regex-invalid",
    "regex-unsafe",
    "regex-matches-anything-with-credentials",
    "method-invalid",
    "method-forbidden",
    "method-case",
    "header-invalid",
    "header-forbidden",
    "header-wrong-direction",
    "expose-wildcard-with-credentials",
    "max-age-invalid",
    "max-age-out-of-range",
    "preflight-status-invalid",
    "path-invalid",
    "path-is-regex",
    "resolver-invalid",
    "resolver-is-async",
    "file-unreadable",
    "look-alike-allowed",
    "insecure-origin-allowed",
    "regex-unverifiable",
    "origin-is-regex",
)
ERROR_IDS = {code: f"corscore.E{number:03}" for number, code in enumerate(_CODES, 1)}
"""The id of the check for each code of a ``Problem``."""
_CODE_OF = {id_: code for code, id_ in ERROR_IDS.items()}

OURS = "corscore_django.middleware.CorsMiddleware"
_CSRF = "django.middleware.csrf.CsrfViewMiddleware"

# Middleware that answers some requests itself, and so may answer a preflight when it is above ours.
_ANSWERING = {
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
    "django.contrib.redirects.middleware.RedirectFallbackMiddleware",
    "django.middleware.cache.FetchFromCacheMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
}
_AUTHENTICATING = re.compile("auth|login", re.IGNORECASE)

# A name, since Channels need not be installed.
_ORIGIN_VALIDATOR = "channels.security.websocket.OriginValidator"
_MAX_LAYERS = 32


def check_settings(**_kwargs: Any) -> list[CheckMessage]:
    """Return the problems of the ``CORS_*`` settings as errors, with what to write instead."""
    reading = Reading()
    messages: list[CheckMessage] = []
    try:
        messages += another_library_messages(reading.compile())
    except TypeError as error:
        message, _, hint = str(error).partition("; ")
        messages.append(Error(message, hint=hint, id="corscore.E101"))
    except ConfigError as error:
        if not reading.is_empty:
            messages += [
                Error(
                    f"{problem.field}: {problem.message} [{problem.code}]",
                    hint=problem.hint,
                    id=ERROR_IDS[problem.code],
                )
                for problem in error.problems
            ]
        else:
            # A warning, since a project that has just installed the app must be able to migrate.
            messages.append(
                CheckWarning(
                    "no CORS_* setting says which origins are allowed; the middleware will refuse "
                    "to start.",
                    hint="list the origins of your pages, such as "
                    'CORS_ALLOWED_ORIGINS = ["https://app.example.com"], or connect a '
                    "receiver of corscore_django.signals.check_request_enabled when your "
                    "application is ready",
                    id="corscore.W001",
                )
            )
    return _with_pages([*messages, *_name_messages(), *_header_messages(reading)])


def _with_pages(messages: list[CheckMessage]) -> list[CheckMessage]:
    """Add the address of its page to each message."""
    for message in messages:
        page = code_page(_CODE_OF.get(str(message.id), "django-checks"))
        message.hint = f"{message.hint}\n\tMore: {page}"
    return messages


def another_library_messages(config: Configuration) -> Iterator[CheckMessage]:
    """Yield a warning for each setting or receiver that does more under django-cors-headers.

    The middleware logs them at its start as well, since servers run no checks.
    """
    yield from _url_messages(config)
    if Reading().values.get("CORS_DANGEROUSLY_ALLOW_SLOW_REGEX") is not True:
        # A slow regex is not run before the first request.
        yield from _regex_messages()
    yield from _receiver_messages()


def _regex_messages() -> Iterator[CheckMessage]:
    reading = Reading()
    name = reading.name(REGEXES)
    for regex in map(re.compile, reading.values.get(REGEXES, ())):
        whole = (with_open_end(regex) or "").removesuffix(".*")
        if is_written_for_match(regex):
            # A $ changes nothing for corscore, and shows that no more was meant.
            yield CheckWarning(
                f"{name}: {regex_literal(regex.pattern)} has to match a whole origin; in "
                "django-cors-headers more may follow, such as a port.",
                hint=f"write {regex_literal(f'{whole}$')}; or, if pages on other ports are yours, "
                f"{regex_literal(f'{whole}(:[0-9]+)?$')}",
                id="corscore.W013",
            )


def _receiver_messages() -> Iterator[CheckMessage]:
    theirs = sys.modules.get("corsheaders.signals")
    is_theirs = any(path.startswith("corsheaders.") for path in settings.MIDDLEWARE)
    if theirs is not None and not is_theirs and theirs.check_request_enabled.receivers:
        yield CheckWarning(
            "a receiver is connected to check_request_enabled of corsheaders.signals, which "
            "nothing sends.",
            hint="import it from corscore_django.signals",
            id="corscore.W014",
        )


def _url_messages(config: Configuration) -> Iterator[CheckMessage]:
    literal = config.urls and with_open_end(config.urls)
    if config.urls is None or literal is None:
        return
    yield CheckWarning(
        f"{URLS}: {regex_literal(config.urls.pattern)} has to match a whole path, and matches "
        "nothing below it.",
        hint=f"write {URLS} = {regex_literal(literal)}; or, if this is the whole path, put a $ at "
        "its end",
        id="corscore.W007",
    )


def _name_messages() -> Iterator[CheckMessage]:
    """Yield a warning for each setting with an old name, or with a name that nothing reads."""
    for new, old in OLD_NAMES.items():
        if hasattr(settings, old):
            yield CheckWarning(
                f"{old} is an old name.", hint=f"rename it to {new}", id="corscore.W005"
            )
    for problem in unread_settings():
        yield CheckWarning(
            f"{problem.field} {problem.message}", hint=problem.hint, id="corscore.W006"
        )


def _header_messages(reading: Reading) -> Iterator[CheckMessage]:
    if reading.forbidden:
        name = "CORS_ALLOW_HEADERS"
        yield CheckWarning(
            f"{name}: browsers alone set {', '.join(reading.forbidden)}; scripts cannot send them, "
            "and they need no permission.",
            hint=f"drop them from {name}",
            id="corscore.W008",
        )


def answering_above(paths: Sequence[str], layer: str) -> list[str]:
    """The middleware above a layer of CORS that can answer a request before it.

    Args:
        paths: ``MIDDLEWARE``.
        layer: The path of the layer of CORS.
    """
    return [
        path
        for path in paths[: paths.index(layer)]
        if _derives(path, _ANSWERING) or _AUTHENTICATING.search(path.rpartition(".")[2])
    ]


def check_middleware(**_kwargs: Any) -> list[CheckMessage]:
    """Check that the middleware is installed, outermost, and the only one for CORS."""
    messages: list[CheckMessage] = []
    paths = list(settings.MIDDLEWARE)
    ours = [path for path in paths if _derives(path, {OURS})]
    if ours:
        above = answering_above(paths, ours[0])
        if above:
            messages.append(
                CheckWarning(
                    f"{', '.join(above)} can answer a request, a preflight too, before {ours[0]} "
                    "sees it.",
                    hint=f'put "{ours[0]}" above "{above[0]}" in MIDDLEWARE, best at the top',
                    id="corscore.W003",
                )
            )
    elif not Reading().is_empty:
        messages.append(
            CheckWarning(
                "there are CORS_* settings, but no middleware of corscore that reads them.",
                hint=f'put "{OURS}" at the top of MIDDLEWARE',
                id="corscore.W002",
            )
        )
    if not ours:
        with_policies = _views_with_policies()
        if with_policies:
            messages.append(
                CheckWarning(
                    f"there are views with policies of their own ({', '.join(with_policies)}), but "
                    "no middleware of corscore that applies them.",
                    hint=f'put "{OURS}" at the top of MIDDLEWARE',
                    id="corscore.W011",
                )
            )
    theirs = [path for path in paths if path.startswith("corsheaders.")]
    theirs += ["corsheaders"] if apps.is_installed("corsheaders") else []
    if theirs:
        messages.append(
            CheckWarning(
                "django-cors-headers is still installed beside corscore; two layers of CORS "
                "contradict each other.",
                hint=f"remove {' and '.join(map(_quoted, theirs))} from MIDDLEWARE and "
                "INSTALLED_APPS",
                id="corscore.W004",
            )
        )
    return _with_pages(messages)


def check_websockets(**_kwargs: Any) -> list[CheckMessage]:
    """Check that the WebSockets of Channels are checked if cross-site requests are blocked."""
    # Any other value than True is an error of its own.
    if getattr(settings, BLOCK_CROSS_SITE, None) is not True:
        return []
    path = getattr(settings, "ASGI_APPLICATION", None)
    if path:
        if not _serves_unchecked_websockets(path):
            return []
        served, hint = path, ""
    elif apps.is_installed("channels"):
        served, hint = "Channels", 'write ASGI_APPLICATION = "project.asgi.application"; there '
    else:
        return []
    message = CheckWarning(
        f"{BLOCK_CROSS_SITE} does not reach the WebSockets of {served}: pages of any site can "
        "open them with the visitor's cookies.",
        hint=f'{hint}write "websocket": corscore_asgi.CORSMiddleware(..., policy, '
        "check_websocket_origin=True) in the ProtocolTypeRouter",
        id="corscore.W012",
    )
    return _with_pages([message])


def _serves_unchecked_websockets(path: str) -> bool:
    try:
        layer = import_string(path)
    except Exception:  # noqa: BLE001 - the server reports better what cannot be imported
        return False
    has_websockets = False
    # Layers of Channels and ASGI keep the application inside them under one of a few names.
    for _ in range(_MAX_LAYERS):
        if getattr(layer, "_checks_handshakes", False) or _is_subclass(
            type(layer), {_ORIGIN_VALIDATOR}
        ):
            return False
        routes = getattr(layer, "application_mapping", None)
        if isinstance(routes, dict):
            has_websockets = "websocket" in routes
            layer = routes.get("websocket")
        else:
            names = ("inner", "application", "app")
            layer = next(filter(None, (getattr(layer, name, None) for name in names)), None)
    return has_websockets


def _views_with_policies() -> list[str]:
    try:
        return decorated_views()
    except Exception:  # noqa: BLE001 - Django's own checks report broken URLs
        return []


def _derives(path: str, names: Collection[str]) -> bool:
    """Whether the middleware is one of these, or a subclass of one."""
    try:
        middleware = import_string(path)
    except (ImportError, ImproperlyConfigured, RuntimeError):
        # The server reports better what cannot be imported.
        middleware = None
    return path in names or _is_subclass(middleware, names)


def _is_subclass(layer: object, names: Collection[str]) -> bool:
    bases = getattr(layer, "__mro__", ())
    return any(f"{base.__module__}.{base.__qualname__}" in names for base in bases)


def _quoted(text: str) -> str:
    return f'"{text}"'


def check_deployment(**_kwargs: Any) -> list[CheckMessage]:
    """Return, for ``check --deploy``, warnings of settings for a developer's machine."""
    try:
        policies = Reading().compile().each_policy()
    except (ConfigError, TypeError):
        return []
    messages: list[CheckMessage] = []
    local = dict.fromkeys(origin for policy in policies for origin in developers_origins(policy))
    if local:
        messages.append(
            CheckWarning(
                f"any program on a visitor's machine can serve {', '.join(local)}, which the "
                "settings allow.",
                hint="keep origins of developers' machines out of the settings for production",
                id="corscore.W009",
            )
        )
    with_cookies = dict.fromkeys(
        origin for policy in policies if policy.allow_credentials for origin in policy.allow_origins
    )
    if with_cookies and any(_derives(path, {_CSRF}) for path in settings.MIDDLEWARE):
        missing = [origin for origin in with_cookies if not _is_trusted(origin)]
        if missing:
            wanted = [*settings.CSRF_TRUSTED_ORIGINS, *missing]
            literal = ", ".join(_quoted(origin.removesuffix(":*")) for origin in wanted)
            messages.append(
                CheckWarning(
                    f"{', '.join(missing)} may send cookies, but Django's CSRF protection refuses "
                    "what they POST.",
                    hint=f"write CSRF_TRUSTED_ORIGINS = [{literal}], which knows no pattern for "
                    "ports",
                    id="corscore.W010",
                )
            )
    return _with_pages(messages)


def _is_trusted(origin: str) -> bool:
    """Whether ``CSRF_TRUSTED_ORIGINS`` covers an origin, or a pattern of origins."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    sent = urlsplit(origin)
    return any(
        trusted.scheme == sent.scheme and is_same_domain(sent.netloc, trusted.netloc[1:])
        for trusted in map(urlsplit, settings.CSRF_TRUSTED_ORIGINS)
        if trusted.netloc.startswith("*")
    )
