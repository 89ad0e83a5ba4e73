"""The operators' page, with and without answers of the gateway."""

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace
from workspace.text.problems import find_problems


async def test_report_has_all_parts(running: RunningWorkspace) -> None:
    found = await running.get("api/operations")
    assert [check["name"] for check in found["health"]["content"]] == ["journal", "scanner"]
    assert [c["connector"] for c in found["channels"]["content"]] == ["support-whatsapp", "sms"]
    assert found["failures"]["content"][0]["reason"] == "unreachable"
    names = [family["name"] for family in found["numbers"]["content"]]
    assert names == ["airlock_deliveries", "airlock_outbox_events", "airlock_delivery_seconds"]


async def test_missing_part_has_a_reason_and_others_still_load(
    running: RunningWorkspace,
) -> None:
    running.gateway.refuse["/v1/failures"] = 501, {}
    running.gateway.refuse["/v1/capabilities"] = 200, {"odd": True}
    found = await running.get("api/operations")
    assert [found[part]["trouble"] for part in ("failures", "channels")] == [  # allow-word
        "This gateway does not provide this information.",
        "The gateway's answer could not be read.",
    ]
    assert found["health"]["content"]


async def test_report_of_an_unreachable_gateway_has_reasons(running: RunningWorkspace) -> None:
    await running.gateway.server.close()
    found = await running.get("api/operations")
    for part in ("health", "channels", "failures", "numbers"):
        sentence = found[part]["trouble"]  # allow-word
        assert sentence == "The gateway cannot be reached right now. Please try again later."


async def test_failure_is_retried(running: RunningWorkspace) -> None:
    status, answer = await running.try_post("api/failures/att_f1/retry")
    assert (status, answer["results"][0]["status"]) == (202, "accepted")
    assert running.gateway.calls_to("POST", "/v1/failures/att_f1/retry") == [None]


async def test_account_notices_are_listed(running: RunningWorkspace) -> None:
    notice = {"kind": "account_update", "text": None, "details": {"event": "VERIFIED"}}
    data = {"connector": "sms", "platform": "twilio", "account": "1", "notice": notice}
    await running.deliver(samples.event("evt_a", "account.notice", data))
    (notice,) = (await running.get("api/operations"))["notices"]
    assert (notice["connector"], notice["kind"]) == ("sms", "account_update")


async def test_problems_come_first_with_time_and_remedy(running: RunningWorkspace) -> None:
    first = (await running.get("api/operations"))["problems"]
    assert [(problem["key"], problem["urgent"]) for problem in first] == [
        ("channel sms", True),
        ("check scanner", False),
        ("failures attachment", False),
    ]
    sms, scanner, files = first
    assert sms["what"].endswith(
        "messages do not get through. It says: the platform refused the token"
    )
    assert "airlock check" in sms["todo"]
    assert scanner["since"] is None
    assert files["since"] == 1_795_338_000_000
    running.gateway.refuse["/v1/capabilities"] = 501, {}
    running.gateway.refuse["/v1/failures"] = 501, {}
    (scanner_later,) = (await running.get("api/operations"))["problems"]
    assert scanner_later["noticed"] == scanner["noticed"], "it lasts"


async def test_silent_gateway_is_the_only_problem(running: RunningWorkspace) -> None:
    await running.gateway.server.close()
    (problem,) = (await running.get("api/operations"))["problems"]
    assert (problem["urgent"], problem["what"]) == (True, "The gateway does not answer.")


def test_unknown_states_and_kinds_have_words() -> None:
    report = {
        "health": {"content": [{"name": "core", "state": "fail"}, {"name": "x", "state": "warn"}]},
        "channels": {"content": [{"connector": "a", "health": {"state": "waiting"}}, {}]},
        "failures": {"content": [{"kind": "y"}, {"kind": "y", "at": samples.stamp(0)}]},
    }
    found = find_problems(report)
    assert [problem.key for problem in found] == [
        "check core",
        "check x",
        "channel a",
        "failures y",
    ]
    assert found[-1].what == "2 things have failed."
    assert (
        find_problems({**report, "health": {"content": []}, "channels": {}, "failures": {}}) == []
    )
