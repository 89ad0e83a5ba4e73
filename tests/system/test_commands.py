"""The `airlock` command as a user runs it: output and exit status."""

import asyncio
import json
from importlib.metadata import version
from pathlib import Path

import pytest

from simulator import PLATFORMS, Core, Fault, document, photo, sound
from simulator.samples import recording
from tests.system.running import (
    AIRLOCK,
    CONSUMERS,
    SECRET,
    TOKEN,
    attachments,
    environment_without,
    free_port,
    site,
)

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]


async def airlock(
    *arguments: str | Path, folder: Path = ROOT, stdin: str = ""
) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        str(AIRLOCK),
        *map(str, arguments),
        cwd=folder,
        env=environment_without("DISPLAY"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_version_prints_the_distributions_version() -> None:
    assert await airlock("--version") == (0, f"airlock {version('airlock-messaging')}\n", "")


async def test_wrong_usage_exits_2_and_lists_commands() -> None:
    status, _, err = await airlock("serv")
    assert status == 2
    assert "serve" in err


async def test_serve_reports_every_settings_mistake_and_does_not_start(
    tmp_path: Path,
) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text(
        "gateway:\n  lisen: 127.0.0.1:1\ncore:\n  hold_seconds: soon\nconnectors: {a: {type: whatsap}}\n"
    )
    status, out, err = await airlock("serve", "-c", file)
    assert (status, out) == (2, "")
    assert f"{file}:2: gateway.lisen" in err
    assert 'did you mean "listen"' in err
    assert f"{file}:4: core.hold_seconds" in err
    assert 'did you mean "whatsapp"' in err


async def test_the_example_settings_pass_the_check() -> None:
    status, out, _ = await airlock("check")
    assert status == 0
    assert "settings: ok" in out


async def test_both_schemas_are_json_schemas() -> None:
    for words in (["schema"], ["schema", "events"]):
        status, out, _ = await airlock(*words)
        assert status == 0
        assert json.loads(out)["$schema"].startswith("https://json-schema.org/")


async def test_the_chart_has_a_column_for_every_platform() -> None:
    status, out, _ = await airlock("capabilities")
    assert status == 0
    for label in ("Apple", "Instagram", "Messenger", "Twilio", "WhatsApp"):
        assert label in out.splitlines()[0]


async def test_a_timed_demo_ends_with_everything_ready() -> None:
    status, out, err = await airlock("demo", "--seconds", "40", "--port", str(free_port()))
    assert (status, err) == (0, "")
    assert "files arrived ready" in out
    assert "/workspace/" in out


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
async def test_a_simulated_delivery_reaches_a_running_gateway(
    tmp_path: Path, platform: str
) -> None:
    core = Core(SECRET)
    await core.start()
    port = free_port()
    emulated = PLATFORMS[platform]()
    emulated.origin = f"http://127.0.0.1:{free_port()}"
    settings = {
        "gateway": {
            "listen": f"127.0.0.1:{port}",
            "data": str(tmp_path / "data"),
            "api_tokens": [TOKEN],
        },
        "core": {"url": core.url, "secrets": [SECRET]},
        "fetch": {"allow_private_hosts": True},
        "connectors": {"mine": emulated.settings()},
    }
    file = tmp_path / "connectors.yaml"
    file.write_text(json.dumps(settings))
    (tmp_path / "dent.jpg").write_bytes(photo(seed=5).content)
    (tmp_path / "bill.pdf").write_bytes(document().content)
    (tmp_path / "drive.webm").write_bytes(recording("car", 1.0, 320, 240, seed=5).content)
    (tmp_path / "note.amr").write_bytes(sound("amr", 1.0).content)
    status, _, err = await airlock("simulate", platform, "-c", file)
    assert status == 1
    assert "nothing listens" in err
    server = await asyncio.create_subprocess_exec(
        str(AIRLOCK), "serve", "-c", str(file), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            while (await airlock("simulate", platform, "-c", file, "--text", "hello"))[0] != 0:
                await asyncio.sleep(0.2)
        files = {
            "--photo": "dent.jpg",
            "--video": "drive.webm",
            "--audio": "note.amr",
            "--document": "bill.pdf",
        }
        for option, name in files.items():
            status, out, err = await airlock(
                "simulate", "mine", "-c", file, option, tmp_path / name, "--text", name
            )
            assert (status, err) == (0, ""), out
        events = await core.until(
            lambda es: [a["state"] for a in attachments(es).values()] == ["ready"] * len(files)
        )
        texts = [e["data"]["message"]["text"] for e in events if e["type"] == "message.received"]
        assert texts == ["hello", *files.values()]
    finally:
        server.terminate()
        await server.wait()
        await core.close()


async def test_simulating_an_unconfigured_platform_is_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text("connectors: {}\n")
    status, _, err = await airlock("simulate", "whatsapp", "-c", file)
    assert status == 2
    assert "no connector is called 'whatsapp'" in err


async def test_failures_can_be_listed_shown_and_retried(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as running:
        file = tmp_path / "connectors.yaml"
        assert await airlock("failures", "-c", file) == (0, "there are no failures\n", "")
        platform = running.platforms["messenger"]
        platform.fault_for_all = Fault(status=404, times=1)
        await platform.send(CONSUMERS["messenger"], "look", [photo(seed=5)])
        await running.until(lambda es: [a["state"] for a in attachments(es).values()] == ["failed"])
        status, out, _ = await airlock("failures", "list", "-c", file)
        assert (status, out.split()[1], out.split()[-1]) == (0, "attachment", "gone")
        id = out.split()[2]
        status, out, _ = await airlock("failures", "show", id, "-c", file)
        assert (status, json.loads(out)["state"]) == (0, "failed")
        assert (await airlock("failures", "retry", id, "-c", file))[0] == 0
        await running.until(lambda es: [a["state"] for a in attachments(es).values()] == ["ready"])
        assert (await airlock("failures", "retry", "att_none_0", "-c", file))[0] == 1
        assert (await airlock("failures", "retry", "-c", file))[0] == 2
        assert (await airlock("replay", "-c", file))[0] == 0
    status, _, err = await airlock("failures", "-c", file)
    assert status == 1
    assert "no gateway answers" in err


async def test_workspace_accounts_can_be_added_listed_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text(f"gateway: {{data: {tmp_path}/data}}\n")
    words = ("accounts", "add", "anna", "--role", "agent", "--role", "supervisor", "-c", file)
    assert (await airlock(*words, stdin="a long enough pass phrase\n"))[0] == 0
    status, _, err = await airlock(*words, stdin="a long enough pass phrase\n")
    assert (status, "already" in err) == (1, True)
    assert (await airlock("accounts", "-c", file))[1] == "anna  agent, supervisor\n"
    assert (await airlock("accounts", "remove", "anna", "-c", file))[0] == 0
    assert (await airlock("accounts", "-c", file))[1] == ""
