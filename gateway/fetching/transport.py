"""httpx requests over httpcore connections to checked addresses, and nothing between.

httpx's own client would keep cookies, read proxies and passwords from the environment, prepare redirects
and log whole addresses; its models and httpcore's connections are all that is used of them.
"""

import logging
import ssl
from collections.abc import AsyncIterable, AsyncIterator
from typing import cast

import httpcore
import httpx

# httpcore's debug log holds headers, ours and theirs: tokens and signed addresses.
logging.getLogger("httpcore").setLevel(logging.INFO)


class AllowlistedTransport(httpx.AsyncBaseTransport):
    """`idle` connections are kept for a later request to the same origin, 0 for none."""

    def __init__(
        self, network: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext, *, idle: int
    ) -> None:
        # No limit here: a request that waits for a place in the pool and is cancelled just when it gets
        # one leaves the place taken for ever. How many run at once is the callers' and `hosts`' matter.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=None,
            max_keepalive_connections=idle,
            keepalive_expiry=15.0,
            network_backend=network,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=cast("AsyncIterable[bytes]", request.stream),
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
            request=request,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(cast("AsyncIterable[bytes]", self._response.stream))

    async def aclose(self) -> None:
        await self._response.aclose()
