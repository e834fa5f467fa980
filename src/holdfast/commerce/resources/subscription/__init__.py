"""Subscriptions: who is told what about which changes, and where."""
