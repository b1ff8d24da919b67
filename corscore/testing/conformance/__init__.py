"""The one suite that every adapter runs: ``tests/test_conformance.py``, over a table of drivers.

A driver puts a policy around a small application of its framework and sends requests through the
real adapter, in process. The model browser of ``corscore.browser`` fetches through it, and what it
gets must be what the policy means, which ``conformance.oracle`` works out without the engine.

To add an adapter:

1. Write the application that a ``Site`` describes, as a user of the framework would: one route a
   page, for all of ``METHODS``, whose view asks ``site.visit(method, path)`` what to answer and
   lets pass what that raises. A page with several chunks is streamed.
2. Write ``build(policies, site) -> Transport``; ``policies`` is a ``Policy``, a ``PolicyMap`` or a
   ``PolicyRef``, and goes to the adapter as it is. A transport is called with a method, a URL and
   header pairs, and returns the status and **every** header line of the answer, doubled ones too:
   nothing between the adapter and the suite may fold them. A ``Crash`` that comes out of the
   adapter without an answer is a bare 500, as a server would send; any other exception is a bug,
   and passes. ``conformance.asgi`` and ``conformance.wsgi`` have such transports.
3. Where routes can have policies of their own, write ``build_routes(routes, policies, site)`` as
   well. ``conformance.routes.routes_of(routes, path)`` says which routes to register at a path in
   the place of the one, each with a view of its own for its methods, and with which policy to
   decorate it, None included. Beneath ``/api/`` are paths for a mount, a blueprint or an included
   part, so that the site is built as larger ones are. What must hold is in
   ``conformance.plans.Plan.number``: the policy of the route that the method and the path lead to,
   else that of the literal path, else that of the longest prefix, else the default; the same for
   a preflight, with the method that it announces.
4. Add one line to ``DRIVERS`` in ``conformance.drivers``. What the framework keeps out of reach is
   named there with its reason, and is then expected to be missing: it is never merely skipped.
"""
