"""Receipts seen from outside: a client's proofs, compared with what the database holds.

What a receipt is and how it is signed is `base/receipts.py`; when one is handed out is `handlers/`.
"""
