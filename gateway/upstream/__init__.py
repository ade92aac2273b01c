"""The only outbound HTTP: the cloud's REST API, and pictures downloaded from URLs."""
