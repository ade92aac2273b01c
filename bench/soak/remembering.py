"""The provider with the cache in front, as a gateway has it."""

import time

from prometheus_client import CollectorRegistry

from gateway.cache.cached_provider import CachedProvider
from gateway.cache.memory import MemoryStore
from gateway.cache.settings import CacheSettings
from gateway.provider import Provider
from gateway.upstream.policies import Policies
from gateway.upstream.provider import CloudProvider
from gateway.upstream.settings import CloudSettings


def opened_remembering(settings: CloudSettings, policies: Policies, registry: CollectorRegistry) -> Provider:
    """One that remembers the answers to URLs as well."""
    remembered = CacheSettings(uri_ttl=3600)
    cloud = CloudProvider(settings, policies, registry)
    return CachedProvider(cloud, remembered, MemoryStore(remembered.max_bytes, time.monotonic))
