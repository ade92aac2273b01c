"""Reading the results of the image service: one module for each kind of result."""
