"""Carts: what a shopper is about to buy, priced and taxed after every change.

Split as the API's own pages are: shapes, drafts, creation, then the actions by what they are about.
`settling.py` is what follows every change. Pricing, tax, shipping and totals are rules, not here.
"""
