"""As whom the gateway calls the cloud: a token by password, an access key, or temporary keys that others hand out."""
