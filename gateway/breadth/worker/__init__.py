"""What runs in the worker's process. Only the standard library and `PIL` may be imported in this folder.

The interpreter may be one that knows nothing of the gateway, so modules refer to each other by relative imports. `wire` is
shared with the gateway's side.
"""
