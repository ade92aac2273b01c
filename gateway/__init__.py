"""An image-recognition gateway: one typed gRPC contract before a cloud REST API, or the same operations computed here."""

from importlib.metadata import version

__version__ = version("image-gateway")
