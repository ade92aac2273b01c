"""Streams under load, through real channels: a gateway and its cloud, each in a process of its own."""
