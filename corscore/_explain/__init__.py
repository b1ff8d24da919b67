"""Why a request is allowed or refused, step by step."""
