"""Algorithms that tokens may be signed by (RFC 7518, RFC 8037)."""

from typing import Final

ASYMMETRIC: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Their keys are public: whoever checks tokens cannot make them."""

ALL: Final = (*ASYMMETRIC, "HS256", "HS384", "HS512")
