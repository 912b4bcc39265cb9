"""Coding tools and editors: servers and skills."""
