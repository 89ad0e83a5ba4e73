"""JSON Web Tokens: the algorithm is ours, the claims are examined, and keys are parsed once."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt as pyjwt
import pytest
from pydantic import SecretStr

from connectors import Forbidden, jwt

from .accounts import NOW, token
from .keys import ec_key, ed_key, private_pem, public_pem, rsa_key

SECRET = "s" * 32
IAT = int(NOW.timestamp())
CLAIMS = {"iss": "them", "aud": "us", "iat": IAT, "exp": IAT + 60}
KEYS: dict[str, Any] = {"RS256": rsa_key, "ES256": ec_key, "EdDSA": ed_key}


def check(given: str, keys: Any = (SECRET,), **more: Any) -> Any:
    expected = {"algorithm": "HS256", "audience": "us", "issuer": "them", "now": NOW}
    return jwt.check(given, keys, **{**expected, **more})


def signed(claims: Any, secret: str = SECRET, header: Any = None) -> str:
    return token(claims, header=header, key=secret.encode())


def refuse(given: str, **more: Any) -> str:
    with pytest.raises(Forbidden) as refusal:
        check(given, **more)
    return str(refusal.value)


@pytest.mark.parametrize("algorithm", list(KEYS))
def test_a_minted_token_is_accepted_and_always_the_same(algorithm: Any) -> None:
    key = KEYS[algorithm]()
    made = [
        jwt.mint(
            SecretStr(private_pem(key)),
            {"iss": "them", "aud": "us"},
            algorithm=algorithm,
            now=NOW,
            seconds=60,
            headers={"kid": "k-1"},
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    header = {"typ": "JWT", "alg": algorithm, "kid": "k-1"}
    assert pyjwt.get_unverified_header(made[0]) == header
    for one in (public_pem(key), private_pem(key)):
        assert check(made[0], [one], algorithm=algorithm) == CLAIMS
    refuse(made[0], keys=[public_pem(key)], algorithm="HS256")
    refuse(made[0][:-3] + "AAA", keys=[public_pem(key)], algorithm=algorithm)


def test_a_public_key_is_never_a_shared_secret() -> None:
    public = public_pem(rsa_key())
    refuse(signed(CLAIMS, public), keys=[public], algorithm="HS256")
    refuse(signed(CLAIMS, public), keys=[public], algorithm="RS256")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS512"},
        {"alg": "hs256"},
        {"alg": None},
        {},
        {"alg": "HS256", "crit": ["x"]},
    ],
)
def test_a_token_cannot_choose_its_algorithm(header: dict[str, Any]) -> None:
    given = signed(CLAIMS, header={"typ": "JWT", **header})
    for one in (given, given.rpartition(".")[0] + "."):
        refuse(one)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": IAT},
        {"exp": IAT - 1},
        {"exp": "later"},
        {"exp": True},
        {"exp": None},
        {"nbf": IAT + 61},
        {"nbf": "now"},
        {"iat": IAT + 61},
        {"iat": [IAT]},
        {"aud": "others"},
        {"aud": ["others"]},
        {"aud": {"us": 1}},
        {"aud": ["us", 5]},
        {"aud": None},
        {"iss": "others"},
        {"iss": None},
        {"iss": ["them"]},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(changed: dict[str, Any]) -> None:
    assert refuse(signed({**CLAIMS, **changed}))
    missing = {name: value for name, value in CLAIMS.items() if name not in changed}
    if "nbf" not in changed and "iat" not in changed:
        assert refuse(signed(missing))


@pytest.mark.parametrize(
    "changed", [{}, {"aud": ["x", "us"]}, {"nbf": IAT + 59}, {"iat": IAT + 59.5}]
)
def test_a_token_with_valid_claims_is_accepted(changed: dict[str, Any]) -> None:
    claims = {**CLAIMS, **changed}
    assert check(signed(claims), ("another" * 5, SECRET)) == claims


def test_a_token_for_an_audience_is_refused_where_none_is_expected() -> None:
    assert "audience" in refuse(signed(CLAIMS), audience=None)
    without = {name: value for name, value in CLAIMS.items() if name != "aud"}
    assert check(signed(without), audience=None) == without


def test_an_old_token_is_refused() -> None:
    later = NOW + timedelta(seconds=50)
    assert check(signed(CLAIMS), now=later, max_age=50)
    assert "older" in refuse(signed(CLAIMS), now=later, max_age=49)


@pytest.mark.parametrize(
    "garbage", ["", "a", "a.b", "a.b.c", "....", "é.é.é", "\x00", "a" * 9000, "e30.e30.e30"]
)
def test_garbage_is_refused_and_nothing_else_raised(garbage: str) -> None:
    refuse(garbage)
    refuse(garbage, keys=["not a key"], algorithm="RS256")


def test_claims_other_than_an_object_are_refused() -> None:
    values: list[Any] = [[], "claims", 5, None]
    for claims in values:
        refuse(signed(claims))


def test_a_short_secret_of_the_platform_still_verifies(recwarn: pytest.WarningsRecorder) -> None:
    assert check(signed(CLAIMS, "short"), ["short"])
    assert not recwarn.list


def test_the_default_requires_an_expiry() -> None:
    lasting = {name: value for name, value in CLAIMS.items() if name != "exp"}
    assert "exp" in refuse(signed(lasting))
    assert check(signed(lasting), require=())


@pytest.mark.parametrize("key", ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA"])
def test_a_wrong_key_is_named_when_minting(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        jwt.mint(key, {}, algorithm="RS256", now=NOW)


def test_a_public_key_does_not_mint() -> None:
    algorithm: Any
    for algorithm, key in KEYS.items():
        with pytest.raises(ValueError, match="key"):
            jwt.mint(public_pem(key()), {}, algorithm=algorithm, now=NOW)


def test_minting_parses_a_key_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Any] = []
    rs256 = jwt._ALGORITHMS["RS256"]
    prepare = rs256.prepare_key

    def count(key: Any) -> Any:
        parsed.append(key)
        return prepare(key)

    monkeypatch.setattr(rs256, "prepare_key", count)
    fresh = private_pem(rsa_key()) + "\n"
    for number in range(3):
        jwt.mint(fresh, {"n": number}, algorithm="RS256", now=NOW)
    assert sum(isinstance(one, bytes) for one in parsed) == 1


def test_the_payload_holds_the_claims_in_json() -> None:
    made = jwt.mint(SECRET, {"name": "Größe"}, algorithm="HS256", now=NOW)
    part = made.split(".")[1]
    payload = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    assert json.loads(payload) == {"iat": IAT, "name": "Größe"}
