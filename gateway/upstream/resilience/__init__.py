"""When a call to the cloud may start, whether it is made again, and when no more are made. Knows no HTTP."""
