"""Runs a task for each connector, also while connectors are added, changed and removed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from connectors import Connector
from gateway.settings import LiveConnectors

Work = Callable[[str, Connector[Any]], Coroutine[Any, Any, None]]


async def run_for_each(connectors: LiveConnectors, work: Work) -> NoReturn:
    """Run `work` for each connector until cancelled. It starts again for a connector whose settings have changed."""
    tasks: dict[str, tuple[Connector[Any], asyncio.Task[None]]] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            changed = connectors.changed
            for name, (connector, task) in list(tasks.items()):
                if connectors.get(name) is not connector:
                    task.cancel()
                    del tasks[name]
            for name, connector in connectors.items():
                if name not in tasks:
                    tasks[name] = (connector, group.create_task(work(name, connector)))
            await changed.wait()
