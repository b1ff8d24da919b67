"""One small application a framework, alone and behind each layer that is compared.

Each module has ``LAYERS``, and ``build(layer, count)`` for a policy that lists ``count`` origins.
"""

import logging

# What is refused on purpose is not worth a line a minute.
logging.getLogger("corscore").addHandler(logging.NullHandler())
