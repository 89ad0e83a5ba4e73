"""The page's files over HTTP: compressed, cached, and nothing beside them."""

import gzip

from tests.webchat.running import Server


async def test_static_files_are_compressed_and_revalidated(server: Server) -> None:
    url = f"{server.url}/static/chat.js"
    async with server.http.get(url, headers={"Accept-Encoding": "identity"}) as plain:
        content, etag = await plain.read(), plain.headers["ETag"]
    async with server.http.get(url, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert packed.headers["Cache-Control"] == "no-cache"
        assert int(packed.headers["Content-Length"]) == len(gzip.compress(content))
        assert await packed.read() == content
    assert b"\n//" not in content
    assert b"/**" not in content
    async with server.http.get(url, headers={"If-None-Match": etag}) as same:
        assert same.status == 304


async def test_static_route_serves_the_pages_files_alone(server: Server) -> None:
    for name in ("types.d.ts", "../settings.py", "..%2fsettings.py", "words", "none.js", "%00"):
        async with server.http.get(f"{server.url}/static/{name}") as response:
            assert response.status == 404, name
