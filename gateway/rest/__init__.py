"""The cloud's REST contract, served from here, with a small identity service of its own."""
