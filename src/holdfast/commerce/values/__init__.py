"""Values that several resource types share: money, prices, addresses, references, custom fields.

A value that only one type uses lives in that type's module (`resources/`); what may be done with
values is in `rules/`.
"""
