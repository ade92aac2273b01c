"""Preparation of pictures, beside the libraries that people use for it. See `__main__`."""
