"""The proxies' configurations on the page about operations: accepted by the proxies, and with our limits."""

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors import Connector

from .pages import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
TOOLS = ROOT / ".tools" / "usr"


def program(name: str) -> str:
    """The path of a proxy: installed, or unpacked by scripts/system-packages.sh. On CI, a skip is a failure."""
    found = shutil.which(name) or shutil.which(name, path=f"/usr/sbin:{TOOLS}/sbin:{TOOLS}/bin")
    if found is None:
        pytest.skip(f"{name} is not installed; run scripts/system-packages.sh")
    return found


def listing(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def _write_certificate(key_file: Path, certificate_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chat.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(pem, form, plain))
    certificate_file.write_bytes(certificate.public_bytes(pem))


@pytest.fixture
def nginx(tmp_path: Path) -> Path:
    """The listing as part of a whole configuration, with a certificate and files of its own."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    _write_certificate(key, certificate)
    text = listing("nginx")
    text = re.sub(r"/etc/letsencrypt/\S*fullchain.pem", str(certificate), text)
    text = re.sub(r"/etc/letsencrypt/\S*privkey.pem", str(key), text)
    text = text.replace("/var/log/nginx", str(tmp_path)).replace("443 ssl", "127.0.0.1:8443 ssl")
    whole = tmp_path / "nginx.conf"
    folders = "".join(
        f"{name}_temp_path {tmp_path}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{folders}{text}}}\n"
    )
    return whole


def test_nginx_accepts_its_configuration(nginx: Path) -> None:
    command = [program("nginx"), "-t", "-e", "stderr", "-c", str(nginx), "-p", str(nginx.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_caddy_accepts_its_configuration(tmp_path: Path) -> None:
    file = tmp_path / "Caddyfile"
    file.write_text(listing("caddy"))
    environment = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    command = [
        program("caddy"),
        "adapt",
        "--validate",
        "--config",
        str(file),
        "--adapter",
        "caddyfile",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    assert done.returncode == 0, done.stderr


def test_the_proxies_body_limits_are_those_of_connectors() -> None:
    assert Connector.max_body == 4 * 1024 * 1024
    assert "client_max_body_size 4m;" in listing("nginx")
    assert "max_size 4MiB" in listing("caddy")


def test_the_proxies_log_no_query() -> None:
    assert not re.search(r"\$(request|request_uri|args|query_string|http_\w+)\b", listing("nginx"))
    assert "log" not in re.findall(r"^\s*(\w+)", listing("caddy"), re.MULTILINE)
