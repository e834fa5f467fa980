"""Looks through what is stored for broken promises: one checker each, bounded, changing nothing.

Here: the walks through the tables, their checks, and the list of what was found. Not here: when to
walk (`delivery/`), what to do about it (`delivery/mending.py`), or sums and settlements on paper
(`commerce/rules/`).
"""
