"""Speaks to the world outside: one client for every call, with bounds, a retry budget, a breaker and an address guard.

Whatever opens a connection to somebody else's machine belongs here, except for the database (`store/`) and
brokers of events, which have clients of their own (`delivery/destinations/`). What is said and when is decided
elsewhere: by `handlers/` before a commit, by `delivery/` after it.
"""
