"""Formats that the native core does not decode: converted by whatever `PIL` a separate, confined process finds."""
