"""Looks at the running system from outside: starts, watches, checks and stops it.

Here: processes, files, PostgreSQL's own tools, and whatever else an operator would do by
hand. Not here: anything a request needs (handlers) or any rule of commerce (commerce);
operations speak to Holdfast as an outsider, over HTTP or by asking its database, and work the same when it is down.
Each area observes, then plans with pure functions, then acts with thin hands.
"""
