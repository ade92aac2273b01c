"""A hundred thousand calls through the cloud provider against a server that misbehaves in a tenth of them, and the accounts
of both sides afterwards."""
