"""Trains the super-resolution models that the gateway ships; needs PyTorch, which the gateway itself does not."""
