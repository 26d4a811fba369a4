"""Stored predictions of any detector, read from and written to files."""
