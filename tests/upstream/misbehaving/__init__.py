"""A server that plays the cloud and, per request, misbehaves in one way. It keeps books of what it got, did and said.

Usage in a process of its own: python -m tests.upstream.misbehaving, which tells its address on standard output and, for each
line on standard input, its books.
"""
