"""From another library's options to a policy, and what that changes for browsers."""
