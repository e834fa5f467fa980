"""Products: what is sold, in two versions (current and staged), with its variants, prices and pictures.

Here: shape, creation, and the actions by the API's own headings. Not here: attribute definitions
(`product_type.py`) and which price applies (`rules/pricing.py`).
"""
