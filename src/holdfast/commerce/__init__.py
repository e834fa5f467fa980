"""Decides: the rules of selling, as pure functions over frozen values.

Here: shapes, prices, taxes, totals, actions, predicates. Not here: I/O, clocks, randomness, SQL or
status codes; whoever needs a record asks for it through `facts`.
"""
