"""gRPC and nothing else: messages in and out, statuses, health, reflection."""
