"""Policies of views and paths in Django, references, resolvers and observers."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.middleware.locale import LocaleMiddleware
from django.test import RequestFactory, override_settings
from django.urls import get_resolver, include, path
from django.utils import translation
from django.utils.functional import lazystr
from django.views import View

import cors_headers
import corscore_django
import django_project  # noqa: F401 - configures Django before its REST framework is imported
import django_routed
from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, UNTOUCHED, cors_of, named
from corscore import ConfigError, Decision, OriginResolver, Policy, PolicyMap, PolicyRef
from corscore.testing.conformance import Answer
from corscore.testing.conformance._oracle import SERVER
from corscore_django import (
    CorsMiddleware,
    _governed,
    _marks,
    _routes,
    check_request_enabled,
    cors_policy,
)
from corscore_django._settings import configuration
from django_project import OURS, exchange, project
from django_routed import APP, BY_PATH, LOCALE, A, B, ByLanguage, Plain, chooses_urls, ok, ok_async
from django_views import calls

if TYPE_CHECKING:
    from django.http import HttpRequest

    from corscore import RequestInfo
    from django_project import Mode

FROM_PAGE = {"Origin": PAGE}
FROM_OTHER = {"Origin": OTHER_PAGE}
SITE = {**django_routed.SITE, "CORS_POLICY": BY_PATH}

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.fixture
def site() -> Iterator[None]:
    """The project with policies by path and by view."""
    calls.clear()
    with project(**SITE):
        yield


def cors(response: Any) -> dict[str, list[str]]:
    """Return the CORS headers of a response, without the Vary of Django's LocaleMiddleware."""
    found = cors_of(response.headers.items())
    vary = [name for name in found.pop("vary", []) if name != "accept-language"]
    return {**found, "vary": vary} if vary else found


def preflight(
    mode: Mode, url: str, method: str, headers: dict[str, str] = FROM_PAGE, **options: Any
) -> Any:
    asking = {"Access-Control-Request-Method": method, **headers}
    return exchange(mode, "OPTIONS", url, asking, **options)


def governing(mode: Mode, method: str, url: str) -> str | None:
    def send(method: str, url: str, headers: list[tuple[str, str]]) -> Answer:
        response = exchange(mode, method, url.removeprefix(SERVER), dict(headers))
        return Answer(response.status_code, response.headers.items())

    return cors_headers.governing(send, method, url)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "corscore"]


# --- which policy


@both_modes
@pytest.mark.usefixtures("site")
def test_a_preflight_of_a_view_goes_no_further(mode: Mode) -> None:
    for url in ("/sync/", "/methods/", "/drf/things/", "/ok/"):
        assert preflight(mode, url, "GET").status_code == 204
        assert preflight(mode, url, "GET", FROM_OTHER).status_code == 403
    assert calls == []


@both_modes
@pytest.mark.usefixtures("site")
def test_the_decision_is_on_the_request(mode: Mode) -> None:
    for url, part in (("/sync/", b"X-a"), ("/path/ok/", b"X-path"), ("/none/", b"None")):
        assert part in exchange(mode, "GET", url, FROM_PAGE).content
    refused = exchange(mode, "GET", "/sync/", FROM_OTHER).content
    assert refused.startswith(b"<Decision actual origin-not-allowed")


@both_modes
@pytest.mark.usefixtures("site")
def test_the_language_is_that_of_the_path(mode: Mode) -> None:
    """A thread keeps the language of its last request."""
    with translation.override("de"):
        assert governing(mode, "GET", "/en/page/") == "a"


LANGUAGES = [("de", "/plain/page/", "b"), ("en", "/de/seite/", "a"), (None, "/de/seite/", "a")]


@pytest.mark.parametrize(("active", "url", "name"), LANGUAGES)
@pytest.mark.usefixtures("site")
def test_the_language_of_the_lookup_does_not_stay(active: str | None, url: str, name: str) -> None:
    """Without a prefix the language is that of the project."""
    request = RequestFactory().get(url, headers=FROM_PAGE)
    with translation.override(active):
        response: Any = CorsMiddleware(ok)(request)
        assert translation.get_language() == active
    assert response.headers["Access-Control-Expose-Headers"] == f"X-{name}"


class OwnLocaleMiddleware(LocaleMiddleware):
    """A subclass as in projects."""


OWN = f"{__name__}.OwnLocaleMiddleware"
# The middleware for languages, and the policy that governs the German page: "app" where its URL
# finds no view.
LANGUAGES_BY = [([LOCALE], "a"), ([OWN], "a"), ([], "app")]


@both_modes
@pytest.mark.parametrize(("middleware", "name"), LANGUAGES_BY)
def test_a_prefix_chooses_the_language_only_with_its_middleware(
    mode: Mode, middleware: list[str], name: str
) -> None:
    with project(**{**SITE, "MIDDLEWARE": [OURS, *middleware]}):
        assert governing(mode, "GET", "/de/seite/") == name


@both_modes
def test_a_prefix_chooses_no_language_in_urls_without_prefixes(mode: Mode) -> None:
    with project(**{**SITE, "MIDDLEWARE": [OURS, LOCALE], "ROOT_URLCONF": Translated}):
        assert governing(mode, "GET", "/de/page/") == "a"


class Translated:
    """URLs with a translated path, and without `i18n_patterns`."""

    urlpatterns = (path("<slug:_>/", include([path(lazystr(ByLanguage()), cors_policy(A)(ok))])),)


@both_modes
def test_views_are_looked_up_in_the_urls_that_a_middleware_chose(mode: Mode) -> None:
    stack = ["django_routed.chooses_urls", *SITE["MIDDLEWARE"]]
    with project(**{**SITE, "MIDDLEWARE": stack}):
        assert governing(mode, "GET", "/ok/?urls=elsewhere") == "b"
        assert governing(mode, "GET", "/ok/") == "app"
    assert callable(chooses_urls)


def test_paths_are_those_below_the_script_name() -> None:
    with project(**SITE):
        for url, name in (("/path/ok/", "path"), ("/sync/", "a"), ("/ok/", "app")):
            response = preflight("sync", url, "GET", SCRIPT_NAME="/path")
            assert response.headers["Access-Control-Allow-Headers"].endswith(f"x-{name}")


@both_modes
def test_views_have_their_policies_beside_settings(mode: Mode) -> None:
    with project(**{**SITE, "CORS_POLICY": None, "CORS_ALLOWED_ORIGINS": [PAGE]}):
        assert governing(mode, "GET", "/sync/") == "a"
        assert cors(exchange(mode, "GET", "/none/", FROM_PAGE)) == UNTOUCHED
        assert cors(exchange(mode, "GET", "/ok/", FROM_OTHER)) == REFUSED


@both_modes
def test_views_have_their_policies_where_a_regex_leaves_paths_out(mode: Mode) -> None:
    with project(**SITE, CORS_URLS_REGEX="/path/.*|/none/"):
        assert governing(mode, "GET", "/path/ok/") == "path"
        assert governing(mode, "GET", "/ok/") is None
        assert governing(mode, "GET", "/sync/") == "a"
        assert governing(mode, "GET", "/none/") is None


# --- the first request of all


URLS = """
from django.http import HttpResponse
from django.urls import path
from corscore import Policy
from corscore_django import cors_policy

urlpatterns = [path("own/", cors_policy(None)(lambda request: HttpResponse("own")))]
"""


@both_modes
@pytest.mark.parametrize("chosen", [False, True])
def test_views_are_known_before_the_first_request(
    mode: Mode, chosen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django imports URLs late, and a preflight needs them."""
    name = f"late_urls_{mode}_{chosen}"
    (tmp_path / f"{name}.py").write_text(URLS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_marks.Marks, "count", 0)

    def choose(get_response: Callable[[HttpRequest], Any]) -> Any:
        def middleware(request: HttpRequest) -> Any:
            request.urlconf = name
            return get_response(request)

        return middleware

    monkeypatch.setattr(sys.modules[__name__], "choose_late_urls", choose, raising=False)
    stack = [f"{__name__}.choose_late_urls", OURS] if chosen else [OURS]
    urls = "django_project" if chosen else name
    with project(CORS_POLICY=APP, MIDDLEWARE=stack, ROOT_URLCONF=urls):
        assert preflight(mode, "/own/", "PUT").content == b"own"


@both_modes
def test_urls_below_others_are_imported_too(
    mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"nested_urls_{mode}"
    (tmp_path / f"{name}.py").write_text(URLS, encoding="utf-8")
    (tmp_path / f"around_{name}.py").write_text(
        "from django.urls import URLResolver\n"
        "from django.urls.resolvers import RoutePattern\n"
        f"urlpatterns = [URLResolver(RoutePattern('below/'), {name!r})]\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_marks.Marks, "count", 0)
    with project(CORS_POLICY=APP, MIDDLEWARE=[OURS], ROOT_URLCONF=f"around_{name}"):
        assert preflight(mode, "/below/own/", "PUT").content == b"own"


def test_urls_are_looked_through_again_when_settings_change_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a live server runs beside a test that overrides settings."""
    (tmp_path / "changed_urls.py").write_text(URLS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_marks.Marks, "count", 0)
    changed = override_settings(ROOT_URLCONF="changed_urls")

    def change_meanwhile(urlconf: Any) -> Any:
        monkeypatch.undo()
        monkeypatch.syspath_prepend(tmp_path)
        resolver = get_resolver(urlconf)
        changed.enable()
        return resolver

    with project(CORS_POLICY=APP, MIDDLEWARE=[OURS], ROOT_URLCONF="django_project"):
        configuration()
        monkeypatch.setattr(_routes, "get_resolver", change_meanwhile)
        _routes.marked_urls(RequestFactory().get("/own/"))
        try:
            assert preflight("sync", "/own/", "PUT").content == b"own"
        finally:
            changed.disable()


@both_modes
@pytest.mark.parametrize("are_made", [False, True])
def test_urls_that_cannot_be_imported_raise_at_the_request(
    mode: Mode, are_made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django raises at the first request, and a preflight has the policy of the project."""
    monkeypatch.setattr(_marks.Marks, "count", int(are_made))
    with project(CORS_POLICY=APP, ROOT_URLCONF="no_such_module", MIDDLEWARE=[OURS]):
        with pytest.raises(ModuleNotFoundError):
            exchange(mode, "GET", "/ok/")
        assert preflight(mode, "/ok/", "PUT").status_code == (403 if are_made else 204)


def test_urls_that_are_no_key_have_the_policy_of_the_site() -> None:
    """Django cannot serve them either."""
    request = RequestFactory().get("/ok/", headers=FROM_PAGE)
    request.urlconf = ["no", "key"]  # type: ignore[assignment]
    with project(CORS_POLICY=APP):
        response: Any = CorsMiddleware(ok)(request)
    assert response.headers["Access-Control-Expose-Headers"] == "X-app"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_project_without_such_views_looks_nothing_up(
    elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not elsewhere:
        monkeypatch.setattr(_marks.Marks, "count", 0)
    looked_up: list[object] = []
    monkeypatch.setattr(_governed, "policy_for", lambda *given: looked_up.append(given))
    for policy in (APP, PolicyMap({}, default=APP)):
        with project(CORS_POLICY=policy):
            assert governing("sync", "GET", "/ok/") == "app"
    assert looked_up == []


# --- the decorator

MISTAKES: list[tuple[Callable[[], object], str]] = [
    (lambda: cors_policy(), r"cors_policy\(\) without a policy; write cors_policy\(Policy\("),
    (lambda: cors_policy([PAGE]), r"not list; write cors_policy\(Policy\(allow_origins=\["),  # type: ignore[arg-type]
    (lambda: cors_policy(PAGE), "not str; write"),  # type: ignore[arg-type]
    (lambda: cors_policy(True), "not bool; write"),  # type: ignore[arg-type]
    (lambda: cors_policy(PolicyMap({}, default=APP)), "not PolicyMap; write"),  # type: ignore[arg-type]
    (lambda: cors_policy(get=[PAGE]), r"not list; write cors_policy\(get=Policy\("),  # type: ignore[arg-type]
    (lambda: cors_policy(ok), r"write @cors_policy\(Policy\("),  # type: ignore[arg-type]
    (lambda: cors_policy(policy=A), r"write cors_policy\(Policy\("),
    (lambda: cors_policy(A)(5), "a view was expected, not int"),
    (lambda: cors_policy(gett=A)(Plain), "Plain has no gett; write the names"),
    (lambda: cors_policy(list=A, get=B)(Plain), "Plain has no list"),
]


@pytest.mark.parametrize(("write", "message"), MISTAKES)
def test_mistakes_say_what_to_write(write: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        write()


def test_a_request_is_no_reason_to_look_through_all_views_again() -> None:
    """``method_decorator`` decorates anew at each request."""
    with project(**SITE):
        exchange("sync", "GET", "/dispatch/")
        before = _marks.Marks.count
        exchange("sync", "GET", "/dispatch/")
    assert _marks.Marks.count == before > 0


def test_views_that_are_decorated_late_are_found() -> None:
    class Urls:
        urlpatterns = [path("ok/", ok)]  # noqa: RUF012 - what a test changes

    with project(CORS_POLICY=APP, ROOT_URLCONF=Urls):
        assert governing("sync", "GET", "/ok/") == "app"
        Urls.urlpatterns.insert(0, path("ok/", cors_policy(B)(ok)))
        assert governing("sync", "GET", "/ok/") == "b"


def test_urls_may_include_themselves() -> None:
    class Urls:
        urlpatterns: tuple[Any, ...] = ()

    Urls.urlpatterns = (path("ok/", cors_policy(B)(ok)), path("again/", include(Urls)))  # type: ignore[arg-type]
    with project(CORS_POLICY=APP, ROOT_URLCONF=Urls):
        assert governing("sync", "GET", "/again/again/ok/") == "b"


def test_many_resolvers_are_not_all_remembered() -> None:
    for _ in range(250):
        with project(CORS_POLICY=APP, ROOT_URLCONF=type("Urls", (), {"urlpatterns": []})):
            CorsMiddleware(ok)
    assert len(_routes._known) <= 100


def test_a_decorator_copies_a_function_and_marks_a_class_itself() -> None:
    decorated = cors_policy(A)(ok)
    assert decorated.__name__ == "ok"
    assert decorated is not ok
    assert not list(_marks.marks_on(ok))
    assert inspect.iscoroutinefunction(cors_policy(A)(ok_async))
    assert not inspect.iscoroutinefunction(decorated)

    class Some(View):
        pass

    assert cors_policy(A)(Some) is Some


def test_the_package_needs_no_rest_framework() -> None:
    code = "import sys, corscore_django; print('rest_framework' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "False\n"
    assert corscore_django.cors_policy is cors_policy


async def is_allowed_async(origin: str, request: RequestInfo) -> bool:
    await asyncio.sleep(0)
    return origin == PAGE


def is_allowed(origin: str, request: RequestInfo) -> bool:
    return origin == PAGE and request.path == "/ok/"


def test_a_policy_that_cannot_be_served_replaces_nothing() -> None:
    ref, of_view = PolicyRef(APP), PolicyRef(A)

    class Urls:
        urlpatterns = (path("ok/", cors_policy(of_view)(ok)),)

    with project(CORS_POLICY=ref, ROOT_URLCONF=Urls):
        CorsMiddleware(ok)
        for each in (ref, of_view):
            with pytest.raises(ConfigError, match="resolver-is-async"):
                each.replace(Policy(origin_resolver=is_allowed_async))
    assert (ref.policy, of_view.policy) == (APP, A)


def test_requests_in_threads_see_one_policy_each() -> None:
    policies = [named("app", max_age=number) for number in range(10, 20)]
    ref = PolicyRef(policies[0])
    mixed: list[object] = []
    with project(CORS_POLICY=ref):
        middleware: Any = CorsMiddleware(ok)
        over = threading.Event()

        def ask() -> None:
            factory = RequestFactory()
            while not over.is_set():
                headers = {**FROM_PAGE, "Access-Control-Request-Method": "PUT"}
                response = middleware(factory.options("/ok/", headers=headers))
                if response.headers["Access-Control-Max-Age"] not in map(str, range(10, 20)):
                    mixed.append(response)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(1000):
            ref.replace(policies[number % 10])
        over.set()
        for thread in threads:
            thread.join()
    assert mixed == []


# --- resolvers

RESOLVERS: list[tuple[str, Any]] = [
    ("a function", is_allowed),
    ("a dotted path", f"{__name__}.is_allowed"),
    (
        "one that remembers",
        OriginResolver(lambda origin: origin == PAGE, key=("origin",), timeout=None),
    ),
]
ASYNC_RESOLVERS: list[tuple[str, Any]] = [
    ("a function", is_allowed_async),
    ("a dotted path", f"{__name__}.is_allowed_async"),
    ("one that remembers", OriginResolver(lambda origin: origin == PAGE, key=("origin",))),
]


@pytest.mark.parametrize(
    ("mode", "resolver"),
    [
        *(pytest.param("sync", row[1], id=f"{row[0]}, WSGI") for row in RESOLVERS),
        *(pytest.param("async", row[1], id=f"{row[0]}, ASGI") for row in RESOLVERS),
        *(pytest.param("async", row[1], id=f"{row[0]}, async") for row in ASYNC_RESOLVERS),
    ],
)
def test_a_resolver_is_asked_about_requests_and_preflights(mode: Mode, resolver: Any) -> None:
    with project(CORS_ORIGIN_RESOLVER=resolver):
        assert cors(exchange(mode, "GET", "/ok/", FROM_PAGE)) == READABLE
        assert preflight(mode, "/ok/", "PUT").status_code == 204
        assert cors(exchange(mode, "GET", "/ok/", FROM_OTHER)) == REFUSED
        assert preflight(mode, "/ok/", "PUT", FROM_OTHER).status_code == 403


@pytest.mark.parametrize("resolver", [row[1] for row in ASYNC_RESOLVERS])
def test_an_asynchronous_resolver_needs_asgi(resolver: Any) -> None:
    with (
        project(CORS_ORIGIN_RESOLVER=resolver),
        pytest.raises(ConfigError, match="CORS_ORIGIN_RESOLVER"),
    ):
        CorsMiddleware(ok)


def test_the_policies_of_views_are_checked_as_the_server_starts() -> None:
    class Handlers(View):
        @cors_policy(Policy(origin_resolver=is_allowed_async, max_age=7))
        def get(self, request: HttpRequest) -> Any:
            return ok(request)

    class Urls:
        urlpatterns = (
            path("function/", cors_policy(Policy(origin_resolver=is_allowed_async))(ok)),
            path("class/", Handlers.as_view()),
            path("fine/", cors_policy(None)(ok)),
        )

    with project(CORS_POLICY=APP, ROOT_URLCONF=Urls):
        with pytest.raises(ConfigError) as caught:
            CorsMiddleware(ok)
        assert [problem.code for problem in caught.value.problems] == ["resolver-is-async"]
        CorsMiddleware(ok_async)


@both_modes
def test_a_resolver_sees_the_request(mode: Mode) -> None:
    seen: list[tuple[object, ...]] = []
    threads: list[int] = []

    def note(origin: str, request: RequestInfo) -> bool:
        native: Any = request.native
        header = request.header
        seen.append((origin, request.method, request.path, request.host, native.path_info))
        seen.append((header("X-Tenant"), header("Content-Type"), header("content-length")))
        threads.append(threading.get_ident())
        return True

    headers = {"X-Tenant": "a", "Host": "api.example.com", **FROM_PAGE}
    with project(CORS_ORIGIN_RESOLVER=note):
        exchange(mode, "POST", "/ok/", headers, data=b"12", content_type="text/x")
    assert seen == [(PAGE, "POST", "/ok/", "api.example.com", "/ok/"), ("a", "text/x", "2")]
    assert (threads == [threading.get_ident()]) == (mode == "sync")


ORM = """
import asyncio, sys, threading, django
from django.conf import settings
from django.http import HttpResponse

settings.configure(
    ALLOWED_HOSTS=["testserver"],
    CORS_ORIGIN_RESOLVER="__main__.is_listed",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGGING_CONFIG=None,
    MIDDLEWARE=["corscore_django.middleware.CorsMiddleware"],
    ROOT_URLCONF="__main__",
)
django.setup()

from django.db import connection, connections, models
from django.test import AsyncClient, Client
from django.urls import path
from corscore import OriginResolver

class Allowed(models.Model):
    origin = models.CharField(max_length=300)
    class Meta:
        app_label = "tenants"

threads = set()

def is_listed(origin, request):
    threads.add(threading.current_thread() is threading.main_thread())
    try:
        return Allowed.objects.filter(origin=origin).exists()
    finally:
        # As docs/django.md has it.
        if threading.current_thread() is not threading.main_thread():
            connections.close_all()

async def is_listed_async(origin, request):
    return await Allowed.objects.filter(origin=origin).aexists()

async def view(request):
    return HttpResponse("ok")

urlpatterns = [path("", view)]

with connection.schema_editor() as editor:
    editor.create_model(Allowed)
Allowed.objects.create(origin="https://app.example")

def allowed(response):
    return "Access-Control-Allow-Origin" in response.headers

async def ask():
    client = AsyncClient()
    return [
        allowed(await client.get("/", headers={"Origin": origin}))
        for origin in ("https://app.example", "https://evil.example")
    ]

print([allowed(Client().get("/", headers={"Origin": origin}))
       for origin in ("https://app.example", "https://evil.example")], threads)
threads.clear()
print(asyncio.run(ask()), threads)
from django.test import override_settings
with override_settings(CORS_ORIGIN_RESOLVER=is_listed_async):
    print(asyncio.run(ask()))
"""


def test_a_resolver_may_ask_the_database_of_the_project(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ORM, str(tmp_path / "db.sqlite3")]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    said = "CORS refused (origin-not-allowed): origin https://evil.example, GET /"
    said += "; what to do: corscore code origin-not-allowed, corscore explain, or debug=True"
    assert run.stderr == f"{said}\n" * 3
    assert run.stdout.splitlines() == [
        "[True, False] {True}",
        "[True, False] {False}",
        "[True, False]",
    ]


# --- who watches

noticed: list[tuple[Decision, Any]] = []


def noticing(decision: Decision, request: RequestInfo) -> None:
    noticed.append((decision, request))


@both_modes
def test_an_observer_may_be_a_dotted_path(mode: Mode) -> None:
    noticed.clear()
    with project(**SITE, CORS_ON_DECISION=f"{__name__}.noticing"):
        exchange(mode, "GET", "/sync/", FROM_PAGE)
    ((decision, request),) = noticed
    assert (decision.kind, decision.reason, request.path) == ("actual", None, "/sync/")
    assert request.native.cors.headers == decision.headers


# --- the signal


class Receiver:
    """A receiver that allows the other page, and keeps the origins that it was asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, sender: None, request: HttpRequest, **kwargs: object) -> bool:
        self.asked.append(request.path_info)
        return request.headers["Origin"] == OTHER_PAGE


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    check_request_enabled.connect(receiver)
    yield receiver
    check_request_enabled.disconnect(receiver)


@both_modes
@pytest.mark.usefixtures("site")
def test_receivers_may_allow_an_origin_under_any_policy(mode: Mode, receiver: Receiver) -> None:
    for url, name in (("/ok/", "app"), ("/path/ok/", "path"), ("/sync/", "a")):
        answer = exchange(mode, "GET", url, FROM_OTHER)
        assert answer.headers["Access-Control-Allow-Origin"] == OTHER_PAGE
        assert answer.headers["Access-Control-Expose-Headers"] == f"X-{name}"
        assert preflight(mode, url, "PUT", FROM_OTHER).status_code == 204
        assert "Access-Control-Allow-Origin" in exchange(mode, "GET", url, FROM_PAGE).headers
        for origin in ("https://third.example", "null"):
            assert cors(exchange(mode, "GET", url, {"Origin": origin})) == REFUSED
    assert receiver.asked == [url for url in ("/ok/", "/path/ok/", "/sync/") for _ in range(3)]


@both_modes
@pytest.mark.usefixtures("site")
def test_receivers_are_not_asked_about_what_is_left_alone(mode: Mode, receiver: Receiver) -> None:
    assert cors(exchange(mode, "GET", "/none/", FROM_OTHER)) == UNTOUCHED
    with override_settings(CORS_POLICY=PolicyMap({}, default=None)):
        assert cors(exchange(mode, "GET", "/ok/", FROM_OTHER)) == UNTOUCHED
    assert receiver.asked == []


@both_modes
@pytest.mark.parametrize("anyone", [False, True])
def test_receivers_may_allow_a_path_that_the_regex_leaves_out(
    mode: Mode, anyone: bool, receiver: Receiver
) -> None:
    policy = Policy(allow_origins=["*"]) if anyone else APP
    changes = {"CORS_POLICY": PolicyMap({}, default=policy), "CORS_URLS_REGEX": "/path/.*"}
    with project(**{**SITE, **changes}):
        allowed = exchange(mode, "GET", "/ok/", FROM_OTHER)
        answered = preflight(mode, "/ok/", "PUT", FROM_OTHER)
        left_alone = exchange(mode, "GET", "/ok/", FROM_PAGE)
    for response in (allowed, answered):
        assert response.headers["Access-Control-Allow-Origin"] == ("*" if anyone else OTHER_PAGE)
        assert cors(response)["vary"] == ["origin"]
    assert answered.status_code == 204
    assert cors(left_alone) == REFUSED


@both_modes
def test_a_resolver_is_asked_where_no_receiver_allows(mode: Mode, receiver: Receiver) -> None:
    with project(CORS_ORIGIN_RESOLVER=lambda origin, _: origin == PAGE):
        for origin in (PAGE, OTHER_PAGE):
            answer = exchange(mode, "GET", "/ok/", {"Origin": origin})
            assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert cors(exchange(mode, "GET", "/ok/", {"Origin": "https://third.example"})) == REFUSED
    assert len(receiver.asked) == 3


# --- settings


def test_settings_are_compiled_again_after_a_change() -> None:
    with project(**SITE):
        middleware: Any = CorsMiddleware(ok)
        request = RequestFactory().get("/ok/", headers=FROM_PAGE)
        for changes, name in (({}, "app"), ({"CORS_POLICY": B}, "b"), ({}, "app")):
            with override_settings(**changes):
                names = middleware(request).headers["Access-Control-Expose-Headers"]
            assert names == f"X-{name}"
        with override_settings(CORS_BLOCK_CROSS_SITE=True):
            assert middleware(RequestFactory().post("/ok/", headers=FROM_OTHER)).status_code == 403
        assert middleware(RequestFactory().post("/ok/", headers=FROM_OTHER)).status_code == 200


def test_all_wrong_settings_are_reported_at_once() -> None:
    wrong = {
        "CORS_ALLOWED_ORIGINS": ["https://app.example/"],
        "CORS_BLOCK_CROSS_SITE": "yes",
        "CORS_OWN_ORIGINS": ["https://*.example"],
        "CORS_ORIGIN_RESOLVER": "no.such.function",
    }
    with project(**wrong), pytest.raises(ConfigError) as caught:
        configuration()
    found = {(problem.code, problem.field) for problem in caught.value.problems}
    assert found == {
        ("origin-trailing-slash", "CORS_ALLOWED_ORIGINS"),
        ("not-a-bool", "CORS_BLOCK_CROSS_SITE"),
        ("origin-wildcard-misplaced", "CORS_OWN_ORIGINS"),
        ("resolver-invalid", "CORS_ORIGIN_RESOLVER"),
    }
    hints = {problem.field: problem.hint for problem in caught.value.problems}
    assert hints["CORS_BLOCK_CROSS_SITE"] == "write CORS_BLOCK_CROSS_SITE = True"


async def noticing_async(decision: Decision, request: RequestInfo) -> None:
    """An observer that is never awaited."""


WRONG_KINDS: list[tuple[dict[str, Any], str]] = [
    ({"CORS_POLICY": [APP]}, r"CORS_POLICY: .* not list; write CORS_POLICY = Policy\("),
    ({"CORS_SHADOW": [PAGE]}, r"CORS_SHADOW: .* not list; write CORS_SHADOW = Policy\("),
    ({"CORS_ON_DECISION": 5}, "CORS_ON_DECISION: .* not int; write CORS_ON_DECISION = "),
    ({"CORS_ON_DECISION": "no.such"}, "CORS_ON_DECISION: 'no.such' cannot be imported: .*; write"),
    ({"CORS_ON_DECISION": noticing_async}, "CORS_ON_DECISION: nothing awaits it; write it as def"),
    ({"CORS_ORIGIN_RESOLVER": is_allowed}, r"CORS_POLICY and other .*\(CORS_ORIGIN_RESOLVER\)"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG_KINDS)
def test_a_setting_of_a_wrong_type_says_what_to_write(
    changes: dict[str, Any], message: str
) -> None:
    with project(**{"CORS_POLICY": APP, **changes}), pytest.raises(TypeError, match=message):
        CorsMiddleware(ok)


def test_a_setting_of_none_counts_as_unset() -> None:
    names = ("ON_DECISION", "SHADOW", "BLOCK_CROSS_SITE", "OWN_ORIGINS", "ORIGIN_RESOLVER")
    with project(CORS_POLICY=APP, **dict.fromkeys((f"CORS_{name}" for name in names), None)):
        assert configuration().plain is APP
