"""Annotated images packed in tar files, for training without a shared file system: written, read, and put in order."""
