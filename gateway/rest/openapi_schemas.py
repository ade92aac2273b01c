"""The schemas of the OpenAPI document: what replies hold, and what the identity service is sent."""

from typing import Any, Final

Schema = dict[str, Any]

EXAMPLE_IMAGE: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAA8AAAAPCAIAAAC0tAIdAAAAH0lEQVQoz2PUqDjBQDRgYiAFjKrGBCwiDAmjYUKJagCFdAH8iX2CpgAAAABJRU5ErkJggg=="
)
"""A picture of 15 × 15 px, the smallest that is taken, as PNG in base64."""

PROJECT_ID: Final = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
"""The id of a project in examples; also the one that the settings start with."""

_DOMAIN_ID: Final = "d78cbac186b744899480f25bd022f468"
_TIME: Final = "2027-01-16T08:00:00.000000Z"


def reference(name: str) -> Schema:
    """A reference to a schema of `schemas()`."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(description: str, properties: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object; all members are there but for `optional` ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "description": description, "properties": properties} | ({"required": required} if required else {})


def text(description: str, example: str, **more: object) -> Schema:
    """A string."""
    return {"type": "string", "description": description, "examples": [example], **more}


def example_of(schema: Schema) -> object:
    """What a reply of that schema looks like, put together from the examples of its members."""
    if "$ref" in schema:
        return example_of(schemas()[schema["$ref"].rpartition("/")[2]])
    if "examples" in schema:
        return schema["examples"][0]
    match schema["type"]:
        case "object":
            return {name: example_of(member) for name, member in schema["properties"].items()}
        case "array":
            return [example_of(schema["items"])] if "items" in schema else []
        case "null":
            return None
    return schema["enum"][0]


def schemas() -> dict[str, Schema]:
    """All of them, by name."""
    return _errors() | _results() | _identity()


def _errors() -> dict[str, Schema]:
    failure = record(
        "What went wrong. Decide by `error_code`; new codes may come.",
        {
            "error_code": text("The contract's code.", "AIS.0014"),
            "error_msg": text("A sentence for people.", "The JSON format of the input data is incorrect."),
        },
    )
    refusal = record(
        "What the identity service refuses, in its own form.",
        {
            "error": record(
                "Why.",
                {
                    "code": {"type": "integer", "description": "The HTTP status once more.", "examples": [401]},
                    "message": text("A sentence for people.", "The username or password is wrong."),
                    "title": text("The status's name.", "Unauthorized"),
                },
            )
        },
    )
    return {"Error": failure, "IdentityError": refusal}


def _results() -> dict[str, Schema]:
    named = {
        "confidence": _percent(),
        "type": text("The kind of tag, an open set: object, scene, concept …", "object"),
        "tag": text("The name, in the language asked for.", "dog"),
        "i18n_tag": _both("The name in both languages.", "狗", "dog"),
    }
    typed = {"i18n_type": _both("The kind's name in both languages; empty where there is none.", "物体", "object")}
    located = {"instances": _list("Where it was seen; may be empty.", reference("Instance"))}
    located_whole = {"instances": _list("Where it was seen; may be empty.", reference("WholeInstance"))}
    number = {"type": "number", "minimum": 0, "maximum": 100, "description": "0 to 100, a number here.", "examples": [98.38]}
    of_object = {
        "label": {
            "type": "string",
            "enum": ["main_object_box", "bounding_box"],
            "description": "`main_object_box`: around all objects; `bounding_box`: of one.",
        },
        "location": _box("number", "Where, in pixels of the picture that was sent."),
        "confidence": _percent(),
    }
    return {
        "Instance": _instance("number"),
        "WholeInstance": _instance("integer"),
        "Tagging": _tags(named | typed | located),
        "HistoricalTagging": _tags(named | {"confidence": number}),
        "MediaTagging": _tags(named | typed | located_whole),
        "LocatedTagging": _tags(named | located_whole),
        "MainObjects": _list(
            "The box around all objects, then theirs, surest first; empty if none was seen.", record("One box.", of_object)
        ),
        "EnhancedImage": text(
            "The picture: JPEG for what came as JPEG or WEBP, PNG for the others.", EXAMPLE_IMAGE, contentEncoding="base64"
        ),
        "Music": record("What was heard.", {"audio_name": text("The name of the piece, as in the catalogue.", "harbour lights")}),
    }


def _tags(of_tag: dict[str, Schema]) -> Schema:
    return record("What was recognised.", {"tags": _list("Tags, surest first.", record("One tag.", of_tag))})


def _instance(kind: str) -> Schema:
    return record("One place.", {"bounding_box": _box(kind, "In pixels of the picture that was sent."), "confidence": _percent()})


def _box(kind: str, description: str) -> Schema:
    sides = {
        "width": "Width of the box.",
        "height": "Height of the box.",
        "top_left_x": "From the picture's left edge to the box.",
        "top_left_y": "From the picture's upper edge to the box.",
    }
    return record(
        description, {name: {"type": kind, "description": meaning, "examples": [120]} for name, meaning in sides.items()}
    )


def _percent() -> Schema:
    return text("0 to 100, as text.", "98.38", pattern=r"^[0-9]{1,3}\.[0-9]{2}$")


def _both(description: str, chinese: str, english: str) -> Schema:
    return record(description, {"zh": text("In Chinese.", chinese), "en": text("In English.", english)})


def _list(description: str, items: Schema) -> Schema:
    return {"type": "array", "description": description, "items": items}


def _identity() -> dict[str, Schema]:
    return {
        "SignIn": record(
            "A sign-in.",
            {"auth": record("Who, and for what.", {"identity": _identity_of_sign_in(), "scope": _scope()}, optional=("scope",))},
        ),
        "Token": record("What a token stands for.", {"token": _token()}),
        "Projects": record("Projects.", {"projects": _list("Those within reach.", _project()), "links": _links()}),
        "Domains": record("Accounts.", {"domains": _list("The caller's one.", _domain()), "links": _links()}),
        "KeyRequest": record("Asks for a temporary access key.", {"auth": record("For whom.", {"identity": _identity_of_key()})}),
        "Credential": record("A temporary access key.", {"credential": _credential()}),
    }


def _identity_of_sign_in() -> Schema:
    user = {
        "id": text("Instead of name and domain.", _DOMAIN_ID),
        "name": text("The user's name.", "someone"),
        "password": text("The user's password.", "choose-one", format="password"),
        "domain": _named("The user's account."),
    }
    by_password = record("Of a sign-in by password.", {"user": record("Who signs in.", user, optional=("id", "name", "domain"))})
    by_token = record("Of a sign-in by token.", {"id": text("A token.", "eyJ0b2tlbiI6…")})
    members = {"methods": _methods("password", "token"), "password": by_password, "token": by_token}
    return record("Who.", members, optional=("password", "token"))


def _identity_of_key() -> Schema:
    duration = {
        "type": "integer",
        "minimum": 900,
        "maximum": 86_400,
        "default": 900,
        "description": "For how many seconds.",
    }
    token = record(
        "The token, unless X-Auth-Token holds it.",
        {"id": text("A token.", "eyJ0b2tlbiI6…"), "duration_seconds": duration},
        optional=("id", "duration_seconds"),
    )
    return record("Who.", {"methods": _methods("token"), "token": token}, optional=("token",))


def _methods(*methods: str) -> Schema:
    items = {"type": "string", "enum": list(methods), "description": "What proves who it is."}
    return {"type": "array", "description": "Exactly one.", "items": items, "minItems": 1, "maxItems": 1}


def _scope() -> Schema:
    either = {"project": _named("A project; services need one."), "domain": _named("The account.")}
    return record("What the token is for; without it, the account.", either, optional=("project", "domain"))


def _named(description: str) -> Schema:
    return record(
        description, {"id": text("Its id.", PROJECT_ID), "name": text("Its name.", "cn-east-3")}, optional=("id", "name")
    )


def _token() -> Schema:
    domain = _held("The account.")
    project = _held("The project, if the token is for one.", domain=domain)
    members: dict[str, Schema] = {
        "methods": _methods("password", "token"),
        "issued_at": text("When it was issued.", _TIME, format="date-time"),
        "expires_at": text("When it ends.", _TIME, format="date-time"),
        "user": _held("Who signed in.", domain=domain),
        "project": project,
        "domain": domain,
        "catalog": {"type": "array", "description": "Always empty: there is no catalogue.", "maxItems": 0},
        "roles": {"type": "array", "description": "Always empty: there are no roles.", "maxItems": 0},
    }
    return record("What the token stands for.", members, optional=("project", "domain"))


def _held(description: str, /, **more: Schema) -> Schema:
    return record(description, {"id": text("Its id.", PROJECT_ID), "name": text("Its name.", "cn-east-3"), **more})


def _project() -> Schema:
    members: dict[str, Schema] = {
        "id": text("Its id, as in paths.", PROJECT_ID),
        "name": text("Its name, that of a region.", "cn-east-3"),
        "domain_id": text("Its account.", _DOMAIN_ID),
        "parent_id": text("Its account.", _DOMAIN_ID),
        "is_domain": {"type": "boolean", "description": "Always false.", "examples": [False]},
        "enabled": {"type": "boolean", "description": "Whether it may be used.", "examples": [True]},
        "description": text("Always empty.", ""),
        "links": record("Links.", {"self": text("Its path.", f"/v3/projects/{PROJECT_ID}")}),
    }
    return record("One project.", members)


def _domain() -> Schema:
    more: dict[str, Schema] = {
        "enabled": {"type": "boolean", "description": "Always true.", "examples": [True]},
        "description": text("Always empty.", ""),
        "links": record("Links.", {"self": text("Its path.", f"/v3/domains/{_DOMAIN_ID}")}),
    }
    return _held("The account.", **more)


def _links() -> Schema:
    nothing = {"type": "null", "description": "All are on one page."}
    return record("Links.", {"self": text("This path.", "/v3/projects"), "next": nothing, "previous": nothing})


def _credential() -> Schema:
    return record(
        "The key.",
        {
            "access": text("The access key (AK).", "HST3XAMPLE"),
            "secret": text("The secret key (SK).", "…"),
            "securitytoken": text("What goes into X-Security-Token.", "…"),
            "expires_at": text("When it ends.", _TIME, format="date-time"),
        },
    )
