"""The ways to misbehave, by name."""

from enum import StrEnum, auto


class Fault(StrEnum):
    """What is wrong with the answer to one request. A reply that is *true* is the one that the request deserves."""

    NONE = auto()

    # The connection
    RESET_ON_ACCEPT = auto()
    """RST as soon as the connection is made."""
    CLOSE_ON_ACCEPT = auto()
    """FIN as soon as the connection is made."""
    RESET_BEFORE_BODY = auto()
    """RST once the head of the request has come."""
    RESET_AFTER_BODY = auto()
    """RST once the whole request has come; nothing is computed."""
    CLOSE_AFTER_BODY = auto()
    """FIN likewise."""
    RESET_IN_HEAD = auto()
    """RST amid the headers of the true reply."""
    RESET_IN_REPLY = auto()
    """RST amid the body of the true reply."""
    CLOSE_IN_REPLY = auto()
    """FIN likewise, the body being chunked."""
    RESET_AFTER_WORK = auto()
    """RST a while after the request has been computed, without a byte of a reply."""
    CLOSE_AFTER_WORK = auto()
    """FIN likewise."""
    IDLE_CLOSED = auto()
    """The true reply, then FIN though the connection could be kept."""
    CLOSED_ON_REUSE = auto()
    """The true reply; FIN once the next request has come on the connection."""
    RESET_ON_REUSE = auto()
    """Likewise RST."""

    # Time
    HALF_OPEN = auto()
    """The request is read and computed, and never answered."""
    SLOW_HEAD = auto()
    """One more byte of a header now and then, without end."""
    SLOW_BODY = auto()
    """One more byte of the body now and then, without end."""
    STUCK_BODY = auto()
    """Half of the body, and no more."""

    # Framing
    TRUNCATED_JSON = auto()
    """Half of the true body, its length being right."""
    LENGTH_TOO_LARGE = auto()
    """The length is said to be more than comes before FIN."""
    LENGTH_TOO_SMALL = auto()
    """The length is said to be less than comes."""
    SECOND_REPLY = auto()
    """The true reply, and at once another one that nobody asked for."""
    LATE_SECOND_REPLY = auto()
    """The true reply and, when the next request comes, first another one that nobody asked for."""
    WRONG_CHUNK = auto()
    """A chunk whose length is no number."""
    WRONG_ENCODING = auto()
    """The body is said to be compressed, and is not."""
    BOMB = auto()
    """A compressed body of some kilobytes that is of 64 MB."""
    ENDLESS = auto()
    """A body without end, as fast as it is read."""
    NOT_HTTP = auto()
    HUGE_HEADER = auto()
    """A header of 256 KB."""
    CONTINUE_TWICE = auto()
    """Two interim replies that nobody asked for, then the true reply."""
    CONTINUE_ONLY = auto()
    """An interim reply, then FIN."""
    EARLY_REFUSAL = auto()
    """413 before the body is read, then FIN."""

    # Replies
    THROTTLED = auto()
    """429 without `Retry-After`."""
    THROTTLED_RETRY_AFTER = auto()
    """429 with one second of it."""
    THROTTLED_BY_CODE = auto()
    """APIG.0308 with status 400."""
    INTERNAL_BY_CODE = auto()
    """AIS.0506 with status 400."""
    FAILED = auto()
    """500."""
    UNAVAILABLE = auto()
    """503."""
    BAD_GATEWAY = auto()
    """502 with a proxy's web page."""
    GATEWAY_TIMEOUT = auto()
    """504; the work was done."""
    ERROR_IN_SUCCESS = auto()
    """200 with an `error_code`: the picture is damaged."""
    REFUSED = auto()
    """400 with an `error_code`: the picture is damaged."""
    HTML_IN_SUCCESS = auto()
    """200 with a web page."""
    EMPTY_SUCCESS = auto()
    """200 with nothing."""
    REDIRECT = auto()
    """302."""
    TOKEN_REVOKED = auto()
    """401 APIG.0301, and so from now on for the credentials that came with the request, if they are a token."""
    TOKEN_ABNORMAL = auto()
    """Likewise 400 AIS.0002."""
