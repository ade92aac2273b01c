"""For whoever runs the gateway: what it counts, over HTTP on a port of its own."""
