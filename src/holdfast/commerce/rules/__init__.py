"""Rules that several resource types share: prices, taxes, shipping, custom fields, common actions.

A rule of one type lives with that type (`resources/`).
"""
