"""Where notifications go: one adapter a kind of destination, each behind the port.

Here: what turns deliveries into calls of one kind of receiver. Not here: when something is sent again,
in which order, or when it is given up (`delivery/relay.py`).
"""
