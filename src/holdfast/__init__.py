"""Holdfast: a commerce backend that keeps every order it ever acknowledged, whatever breaks."""
