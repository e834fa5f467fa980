"""Orders: what a cart became when it was bought, and everything that happens to it afterwards.

Prices, taxes and items are the cart's own, frozen; no action here reckons them again. `placing.py`
is how orders come into being, `stock.py` what they hold of the stock, the rest are actions by what
they are about.
"""
