"""Customers: who buys. The shape, and the update actions by the API's own headings."""
