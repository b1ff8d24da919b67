"""One small application a framework, alone and behind each layer that is compared.

Each module has ``LAYERS``, and ``build(layer, count)`` for a policy that lists ``count`` origins.
"""

import logging

# Requests are refused on purpose here, so the refusals are not logged.
logging.getLogger("corscore").addHandler(logging.NullHandler())
