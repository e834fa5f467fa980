"""Gathers, lets decide, commits: one file per use case.

Here: loading what a decision asks for, and handing its result to the store. Not here: rules
(`commerce/`), SQL (`store/`), status codes and headers (`http/`).
"""
