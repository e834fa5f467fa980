"""Breaks a shop on purpose, in the middle of a sale, and checks that no promise broke with it.

Here: a sale driven from outside through HTTP, its own log of what was acknowledged, faults, the
verdict that compares log and shop, and broken set-ups whose verdict must be bad. Not here: any switch
in the product that makes it unsafe; whatever is broken is broken from this side.

A run: for each setting a stage is built and a shop started on it; the sale begins; faults strike one
after the other, each while requests are in flight; the sale ends; the verdict is given.
"""
