"""The operations page: what an operator sees at `/ops`, and the doors behind it at `/-/ops/…`.

Here: who may look, what there is to see, and how it is gathered from this host's processes, its database and its
logs. Not here: the numbers themselves. They are counted where they arise and told through base/counts.py.
"""
