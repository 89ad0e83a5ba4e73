"""The demo's brand page shows the chat of the web channel beside it."""

import json
from pathlib import Path

import aiohttp

from gateway.cli.demo_shop import CONNECTOR, Shop
from gateway.settings import load
from tests.system.running import free_port


async def test_the_brands_page_includes_the_chat(tmp_path: Path) -> None:
    shop = Shop(free_port(), 18_099, 18_098)
    async with shop.serve(), aiohttp.ClientSession() as http, http.get(shop.page) as answer:
        assert f'src="{shop.chat}/loader.js" data-site="shop"' in await answer.text()
        assert f'<link rel="icon" href="{shop.chat}/' in await answer.text()
        assert "Content-Security-Policy" not in answer.headers


def test_the_demos_sections_fit_each_other(tmp_path: Path) -> None:
    shop = Shop(18_097, 18_099, 18_098)
    file = tmp_path / "connectors.yaml"
    content = {"webchat": shop.webchat(), "connectors": {CONNECTOR: shop.connector()}}
    file.write_text(json.dumps(content))
    settings = load(file, {})
    section, connector = settings.webchat, settings.connectors[CONNECTOR].config
    assert section is not None
    assert section.deliver_to.endswith(f":18098/webhooks/{CONNECTOR}")
    assert connector.api == section.public_url
    assert shop.page in section.sites["shop"].origins
    assert shop.secret not in repr(shop)
