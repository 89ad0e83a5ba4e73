"""One installation: its settings, its data folder and its addresses."""

from dataclasses import dataclass
from pathlib import Path

from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings, data folder and addresses of this gateway."""

    settings: Settings
    data: Path
    #: URL on which the server listens.
    url: str
    #: URL by which the platforms and the agents' browsers reach the gateway.
    public_url: str
    #: Agent who is signed in to the workspace of `airlock demo`.
    agent: str
    demo: bool
