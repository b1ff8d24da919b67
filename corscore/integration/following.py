"""References to a policy whose source is followed, for other sources than files."""

from __future__ import annotations

from corscore._policy.follower import Follower
from corscore._policy.reference import FollowedRef

__all__ = ("FollowedRef", "Follower")
