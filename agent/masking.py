"""Secrets taken out of whatever is kept, shown or sent."""
