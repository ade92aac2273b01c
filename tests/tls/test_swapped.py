"""The REST face's port, whose certificate is exchanged while it is open."""

from aiohttp import web

from gateway.reloaded import Reloaded
from gateway.tls.pair import load_pair
from gateway.tls.swapped import swapped_context
from tests.certificates import DAY, Authority, Files, name_shown


async def test_new_handshakes_get_the_new_certificate(tmp_path) -> None:
    authority = Authority(tmp_path)
    files = Files(tmp_path / "server.pem", tmp_path / "server.key")
    files.replace(authority.issue("first", "dns:gateway.test"))
    kept = Reloaded("pair", [files.certificate], lambda: load_pair(files.certificate, files.key), interval=1)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=swapped_context(lambda: kept.current)).start()
        port = runner.addresses[0][1]
        assert await name_shown(port, authority, "gateway.test") == "first"
        files.replace(authority.issue("second", "dns:gateway.test"))
        await kept.look()
        assert await name_shown(port, authority, "gateway.test") == "second"
        files.replace(authority.issue("late", "dns:gateway.test", start=-2 * DAY, end=-DAY))
        await kept.look()
        assert await name_shown(port, authority, "gateway.test") == "second"
    finally:
        await runner.cleanup()
