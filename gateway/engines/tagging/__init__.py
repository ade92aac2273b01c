"""Tagging: what a picture shows, how sure that is, and where."""

from gateway.engines.tagging.engine import TaggingEngine

__all__ = ["TaggingEngine"]
