"""Who may call, how much, and what it may cost: callers' credentials, tenants and their limits. Knows no transport."""
