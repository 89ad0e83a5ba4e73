"""Write the chart of platform capabilities into docs/capabilities.md, from what the connectors declare."""

import re
from pathlib import Path

from gateway.cli.capabilities import chart
from gateway.settings.plugins import classes

PAGE = Path(__file__).parents[1] / "docs" / "capabilities.md"


def page(text: str) -> str:
    """Return the text of the page with the chart of the built-in connectors."""
    own = [found for found in classes() if found.__module__.startswith("connectors.")]
    marked = f"<!-- chart -->\n{chart(own)}\n<!-- /chart -->"
    return re.sub(r"<!-- chart -->.*?<!-- /chart -->", lambda _: marked, text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
