"""Policies, by path and by reference, and the resolvers that they ask."""
