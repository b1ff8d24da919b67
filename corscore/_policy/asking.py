"""Decides where a policy may have to ask: the pure decision, the question, the decision again."""

from __future__ import annotations

from corscore._standard.problem import ConfigError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corscore._engine.context import RequestContext
    from corscore._engine.decision import Decision
    from corscore._policy.policy import Policy

_FIELD = "origin_resolver"


def decide(policy: Policy, request: RequestContext) -> Decision:
    """What a request gets, in a sync adapter."""
    decision = policy.decide(request)
    if decision.needs_resolver and policy.resolver is not None:
        return policy.decide(request, origin_allowed=policy.resolver.ask(request))
    return decision


async def decide_async(policy: Policy, request: RequestContext) -> Decision:
    """What a request gets, in an async adapter."""
    decision = policy.decide(request)
    if decision.needs_resolver and policy.resolver is not None:
        allowed = await policy.resolver.ask_async(request)
        return policy.decide(request, origin_allowed=allowed)
    return decision


def check_sync(policy: Policy) -> None:
    """Refuses a resolver that a sync adapter cannot ask as it promises.

    Raises:
        ConfigError: ``resolver-is-async``, or ``resolver-invalid`` for a time-out.
    """
    resolver = policy.resolver
    if resolver is None:
        return
    problems = []
    if resolver.is_async:
        problems.append(
            Problem(
                "resolver-is-async",
                _FIELD,
                policy.origin_resolver,
                "the resolver is async, and nothing awaits it in a sync adapter.",
                "write it as def is_allowed(...), or use an ASGI adapter",
            )
        )
    if resolver.timeout is not None:
        problems.append(
            Problem(
                "resolver-invalid",
                _FIELD,
                resolver.timeout,
                "a time-out cannot be kept in a sync adapter: the resolver runs in the request's "
                "own thread, which nothing can stop.",
                "write timeout=None, and set the time limit of the database's driver",
            )
        )
    if problems:
        raise ConfigError(tuple(problems))


def check_async(policy: Policy) -> None:
    """Refuses a resolver that needs anyio where it is not installed.

    Raises:
        ConfigError: ``resolver-invalid``.
    """
    resolver = policy.resolver
    if resolver is None or not resolver.needs_anyio:
        return
    try:
        import anyio as _  # noqa: F401
    except ImportError:
        raise ConfigError(
            (
                Problem(
                    "resolver-invalid",
                    _FIELD,
                    policy.origin_resolver,
                    "the resolver needs the package anyio, which is not installed.",
                    'run pip install "corscore[resolver]"',
                ),
            )
        ) from None
