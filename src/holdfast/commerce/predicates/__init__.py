"""Predicate languages: text to a frozen tree, the tree against a document.

Here: the query predicates of `where=` and extension conditions (`parser`, `binding`, `evaluate`),
the cart predicates of shipping methods and discounts (`cart`), and the paging parameters beside
`where=` (`paging`). Not here: SQL, which the store makes of the same trees (`store/where.py`).
"""
