"""Measures a shop from outside, beside the raw limits of the same machine in the same minute.

Here: a closed-loop load over real sockets, the constant answer and pgbench it is compared with, and
the table of ratios. Not here: anything that knows how the shop works inside; only `rush`, which measures
the bare store, does.
"""
