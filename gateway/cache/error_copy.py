"""One failure for several calls."""

from dataclasses import replace

from gateway.errors import GatewayError


def copied_error(error: BaseException, *, shared: bool) -> Exception:
    """An exception like `error` for one more call: raised in many tasks, the same one would grow one traceback without end.

    `shared`: whether the call made no requests of its own. What is no `GatewayError` is a fault of the gateway, and to
    be shown as the cause of the copy.
    """
    if not isinstance(error, GatewayError):
        return RuntimeError("the work that several calls waited for failed")
    upstream = error.upstream
    return GatewayError(
        error.reason,
        error.message,
        field=error.field,
        measured=error.measured,
        allowed=error.allowed,
        retry_after=error.retry_after,
        upstream=replace(upstream, attempts=0) if shared and upstream is not None else upstream,
    )
