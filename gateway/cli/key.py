"""`image-gateway key new`: make an API key, and the lines for the tenants file."""

from datetime import datetime

from gateway.access.key_text import new_key


def run_key_new(expires: datetime | None, comment: str) -> int:
    """Print a key that nobody has had, once, and what to put into the tenants file; gives the exit status."""
    key = new_key()
    print(f"# The key, for its holder alone. It is shown this once, and kept nowhere:\n# {key.text}\n")
    print("# For the tenants file, below the [[tenants]] that it is for:")
    print(f'[[tenants.keys]]\nid = "{key.id}"\nhash = "{key.hash}"')
    if expires is not None:
        print(f"expires = {expires.isoformat()}")
    if comment:
        print(f"comment = {_quoted(comment)}")
    return 0


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(character if character.isprintable() else " " for character in escaped) + '"'
