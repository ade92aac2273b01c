"""Several processes on one port: who starts them, restarts them, replaces them and has them drain."""
