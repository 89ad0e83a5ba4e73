"""`airlock events replay`: lets a running gateway send events again that the core has taken."""

import sys

from gateway.settings import Settings

from .running_gateway import Unreachable, call_api


def replay(settings: Settings, since: str, until: str | None, conversation: str | None) -> int:
    """Send the events again; exit status 1 if the gateway refuses or does not answer."""
    limits = {"since": since, "until": until, "conversation": conversation}
    order = {name: value for name, value in limits.items() if value is not None}
    try:
        count = call_api(settings, "POST", "/v1/events/replay", order)["events"]
    except Unreachable as exc:
        print(f"airlock events replay: {exc}", file=sys.stderr)
        return 1
    print(_summary(count))
    return 0


def _summary(count: int) -> str:
    if not count:
        return (
            "the core took no events since then that are still kept; core.replay_window says how long they are, and "
            "`airlock lookup` what became of one message"
        )
    return f"{count} {'event is' if count == 1 else 'events are'} sent to the core again"
