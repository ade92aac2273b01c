"""The same operations, computed here: pure functions on arrays, and the provider that runs them."""
