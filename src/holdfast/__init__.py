"""Holdfast: a commerce backend that keeps selling when things break."""
