"""Runs after the reply: tells others what was committed, tidies up what has expired, audits what is stored.

Here: the background worker, its chores and auditors, and what mends a finding. Not here: anything a
request waits for (`handlers/`), or what an operator runs (`ops/`).
"""
