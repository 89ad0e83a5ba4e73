"""The circuit breaker of the conversation core."""

import asyncio

import pytest
import uvloop

from gateway.delivery.answers import Answer
from gateway.delivery.core_circuit import CoreCircuit

REFUSED = Answer("again", 503, after=0.0)


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_an_overdue_probe_can_be_hurried(factory: type[asyncio.AbstractEventLoop]) -> None:
    changes: list[str] = []

    async def hurry_an_overdue_probe() -> None:
        circuit = CoreCircuit(lambda: changes.append(circuit.state))
        for _ in range(8):
            circuit.record_response(REFUSED)
        assert circuit.state == "down"
        # In the past: uvloop then returns a handle without a time.
        circuit._schedule_probe(0.0)
        circuit.hurry()
        await asyncio.sleep(0.01)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(hurry_an_overdue_probe())
    assert changes == ["down"]
