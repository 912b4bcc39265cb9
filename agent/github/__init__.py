"""The GitHub Action's commands."""
