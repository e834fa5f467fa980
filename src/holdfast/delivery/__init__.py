"""Runs after the reply: tells others what was committed, and tidies up what has expired.

Here: the background worker and its chores. Not here: anything a request waits for (`handlers/`),
or what an operator runs (`ops/`).
"""
