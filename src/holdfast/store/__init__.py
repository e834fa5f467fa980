"""Remembers: whatever of the shop speaks SQL; `ops/` asks a database questions of its own.

Here: connections, batched reads and commits, predicates as SQL, tokens, migrations. Not here: what
a change means (`commerce/`), or who asked for it (`handlers/`).
"""
