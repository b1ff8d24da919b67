"""The base classes for following other sources of policies than files, such as a store."""

from __future__ import annotations

from corscore._policy.follower import Follower
from corscore._policy.reference import FollowedRef

__all__ = ("FollowedRef", "Follower")
