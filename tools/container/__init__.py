"""The Dockerfile carried out without a container engine: its own steps, in clean Debian roots, and the result started as hardened
as the deployment files start it. What an engine adds (layers, registries, the base images themselves) is not covered."""
