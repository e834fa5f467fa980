"""Speaks HTTP: routes, tokens, parsing, status codes and headers.

Here: bytes in, bytes out. Not here: what a request means (`handlers/`) or may do (`commerce/`).
"""
