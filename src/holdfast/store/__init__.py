"""Remembers: everything that speaks SQL, and nothing else does.

Here: connections, batched reads and commits, predicates as SQL, tokens, migrations. Not here: what
a change means (`commerce/`), or who asked for it (`handlers/`).
"""
