"""A connector with side effects, which only the gateway may have."""

import logging
import os
import time
from datetime import UTC, datetime

from connectors import AnyEvent, Delivery

from .sound import Acme


class Impure(Acme):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        logging.getLogger(__name__).info("at %s: %s", time.time(), os.environ.get("HOME"))
        print(datetime.now(UTC))  # noqa: T201 - one of the things it must not do
        return super().parse(delivery)
