"""Resource types, one module or folder each: shapes, registration, creation, actions.

Importing a module is its whole registration. Rules shared by several types are in `rules/`.
"""
