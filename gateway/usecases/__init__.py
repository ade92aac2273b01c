"""What the gateway does, once, whichever face asked and whichever provider answers."""
