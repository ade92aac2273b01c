"""Answers are remembered by what they are about, and asked for once however many want them at a time."""

from gateway.cache.cached_provider import CachedProvider
from gateway.cache.memory import MemoryStore
from gateway.cache.redis import RedisAnswers
from gateway.cache.settings import CacheSettings
from gateway.cache.store import AnswerStore

__all__ = ["AnswerStore", "CacheSettings", "CachedProvider", "MemoryStore", "RedisAnswers"]
