"""A token may do what its scopes allow, and every call has scopes."""

from pathlib import Path

from gateway.http.operation import Operation
from gateway.http.operations import OPERATIONS
from gateway.settings.api_tokens import SCOPES, ScopedToken
from tests.gateway.test_gateway import House, house

CALLS = tuple(one for one in OPERATIONS if one.scopes is not None)


async def test_a_token_may_do_exactly_what_its_scopes_allow(tmp_path: Path) -> None:
    tokens = [ScopedToken.model_validate({"token": f"only-{s}", "scopes": [s]}) for s in SCOPES]
    async with house(tmp_path, tokens=("everything", *tokens)) as home:
        for one in CALLS:
            assert await _refusal(home, one, "everything") is None, one.id
            assert await _refusal(home, one, "nobody") == 401, one.id
            for scope in SCOPES:
                allowed = scope in (one.scopes or ())
                assert (await _refusal(home, one, f"only-{scope}") is None) == allowed, one.id


def test_the_scope_read_allows_every_get_and_nothing_else() -> None:
    for one in CALLS:
        assert ("read" in (one.scopes or ())) == (one.method == "get"), one.id


async def _refusal(home: House, one: Operation, token: str) -> int | None:
    """Return the status if the token is the reason of a refusal."""
    path = one.path.format(id="none", connector="none", attachment="none", rendition="none")
    status, content = await home.call(one.method.upper(), path, token=token)
    is_scope = status == 403 and content["reason"] == "insufficient_scope"
    return status if is_scope or status == 401 else None
