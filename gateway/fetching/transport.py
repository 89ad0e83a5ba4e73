"""Transport: httpx requests over httpcore connections to checked addresses, without the client of httpx.

The client of httpx would keep cookies, read proxies and passwords from the environment, prepare redirects, and log
whole URLs. Only the models of httpx and the connections of httpcore are used.
"""

import logging
import ssl
from collections.abc import AsyncIterable, AsyncIterator
from typing import cast

import httpcore
import httpx

# The debug log of httpcore contains the headers of requests and responses: tokens and signed URLs.
logging.getLogger("httpcore").setLevel(logging.INFO)


class AllowlistedTransport(httpx.AsyncBaseTransport):
    """Connects to allowed hosts; at most `idle` connections are kept for later requests to the same origin."""

    def __init__(
        self, network: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext, *, idle: int
    ) -> None:
        # No limit here: if a request is cancelled just when it gets its place in the pool, httpcore never frees the
        # place. Callers and `host_limits` limit concurrency.
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
