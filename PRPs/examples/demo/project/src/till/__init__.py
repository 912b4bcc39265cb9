"""Adds up a basket and prints the receipt."""
