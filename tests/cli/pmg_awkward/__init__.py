"""A plugin that is slow, and one whose packages are missing."""
