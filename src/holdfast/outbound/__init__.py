"""Speaks to the world outside: one client for every call, with bounds, a retry budget, a breaker and an address guard.

Whatever opens a connection to somebody else's machine belongs here, the database excepted (`store/`).
What is said and when is decided elsewhere: by `handlers/` before a commit, by `delivery/` after it.
"""
