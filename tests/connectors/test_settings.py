"""The settings of each platform in connectors.yaml, and the errors for wrong ones."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from connectors import Connector, Identifier

from .accounts import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    BUSINESS_ID,
    MSP_ID,
    MSP_SECRET,
    apple,
    instagram,
    messenger,
    twilio,
    whatsapp,
)

Maker = Callable[..., Connector[Any]]
every = pytest.mark.parametrize("make", [apple, instagram, messenger, twilio, whatsapp])


def mistake(make: Maker, **settings: Any) -> tuple[str, str]:
    """The single setting with an error, and the error."""
    with pytest.raises(ValidationError) as exc:
        make(**settings)
    (error,) = exc.value.errors()
    return ".".join(map(str, error["loc"])), error["msg"]


@pytest.mark.parametrize(
    ("make", "api"),
    [
        (apple, "https://mspgw.push.apple.com"),
        (instagram, "https://graph.facebook.com/v25.0"),
        (messenger, "https://graph.facebook.com/v25.0"),
        (twilio, "https://api.twilio.com"),
        (whatsapp, "https://graph.facebook.com/v25.0"),
    ],
)
def test_api_url_defaults_to_the_platforms_api(make: Maker, api: str) -> None:
    assert make().config.api == api


ORIGIN = "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (apple, ""),
        (twilio, ""),
        (whatsapp, "/v25.0"),
        (messenger, "/v25.0"),
        (messenger, "/x/v3.1"),
    ],
)
def test_a_final_slash_of_api_url_changes_nothing(make: Maker, path: str) -> None:
    for slashes in ("", "/"):
        assert make(api_url=f"{ORIGIN}{path}{slashes}").config.api == f"{ORIGIN}{path}"


@pytest.mark.parametrize("make", [apple, twilio])
@pytest.mark.parametrize("path", ["/v1", "/v1/", "/2010-04-01", "//x", "/v1/message"])
def test_an_api_url_with_a_path_is_rejected(make: Maker, path: str) -> None:
    where, what = mistake(make, api_url=f"{ORIGIN}{path}")
    assert where == "api_url"
    assert f"remove {path.rstrip('/')}" in what


@pytest.mark.parametrize("make", [instagram, messenger, whatsapp])
@pytest.mark.parametrize("path", ["", "/", "/x", "/v25", "/25.0", "/v25.0/me", "/vx.y"])
def test_a_graph_url_without_a_version_is_rejected(make: Maker, path: str) -> None:
    where, what = mistake(make, api_url=f"{ORIGIN}{path}")
    assert where == "api_url"
    assert "https://graph.facebook.com/v25.0" in what


@every
@pytest.mark.parametrize("end", ["?x=1", "#x", "?", "?x#y"])
def test_an_api_url_with_a_query_is_rejected(make: Maker, end: str) -> None:
    where, what = mistake(make, api_url=f"{make().config.api}{end}")
    assert where == "api_url"
    assert "query" in what


@every
def test_photos_and_videos_are_on_by_default(make: Maker) -> None:
    config = make().config
    assert config.photos
    assert config.videos
    assert config.signature == "enforce"


@every
def test_every_setting_is_described(make: Maker) -> None:
    schema = type(make().config).model_json_schema()
    for name, setting in schema["properties"].items():
        assert name == "type" or setting.get("description"), name


@every
def test_all_missing_settings_are_named_at_once(make: Maker) -> None:
    connector = make()
    with pytest.raises(ValidationError) as exc:
        connector.Config.model_validate({"nonsense": 1})
    missing = {error["loc"][0] for error in exc.value.errors() if error["type"] == "missing"}
    fields = type(connector.config).model_fields
    assert missing == {name for name, field in fields.items() if field.is_required()}
    assert "nonsense" in str(exc.value)


SECRETS = [
    (apple, "secrets", True),
    (messenger, "app_secrets", True),
    (messenger, "verify_token", False),
    (messenger, "access_token", False),
    (instagram, "access_token", False),
    (twilio, "auth_tokens", True),
    (whatsapp, "app_secrets", True),
    (whatsapp, "verify_token", False),
    (whatsapp, "access_token", False),
]


@pytest.mark.parametrize(("make", "name", "several"), SECRETS)
@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("secret-with-newline\n", "blank"),
        (" secret-with-space", "blank"),
        ("secret\twith-tab", "printable"),
        ("secrét", "printable"),
        ("x", "has one character, which can be guessed"),
        ("abc", "needs at least"),
    ],
)
def test_an_unusable_secret_is_rejected(
    make: Maker, name: str, several: bool, value: str, why: str
) -> None:
    where, what = mistake(make, **{name: [value] if several else value})
    assert where == (f"{name}.0" if several else name)
    assert why in what


@pytest.mark.parametrize(("make", "name"), [(m, n) for m, n, several in SECRETS if several])
def test_an_empty_list_of_secrets_is_rejected(make: Maker, name: str) -> None:
    assert mistake(make, **{name: []}) == (
        name,
        "Value error, needs at least one secret; without one, no delivery can be verified",
    )


@pytest.mark.parametrize(("make", "name"), [(m, n) for m, n, several in SECRETS if several])
def test_a_single_secret_is_rejected_where_a_list_is_required(make: Maker, name: str) -> None:
    where, what = mistake(make, **{name: "just-one-secret"})
    assert where == name
    assert "list" in what


@pytest.mark.parametrize(("make", "name", "several"), SECRETS)
def test_a_validation_error_never_shows_a_secret(make: Maker, name: str, several: bool) -> None:
    value = "a-secret-with-ümlaut"
    with pytest.raises(ValidationError) as exc:
        make(**{name: [value] if several else value})
    assert value not in str(exc.value)
    assert value not in repr(exc.value)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (instagram, "account_id"),
        (messenger, "page_id"),
        (twilio, "sender"),
        (whatsapp, "phone_number_id"),
    ],
)
def test_an_unquoted_number_is_rejected_with_a_hint(make: Maker, name: str) -> None:
    where, what = mistake(make, **{name: 15550002222})
    assert where == name
    assert "quotes" in what


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (apple, "msp_id"),
        (apple, "business_id"),
        (instagram, "account_id"),
        (messenger, "page_id"),
        (whatsapp, "phone_number_id"),
        (twilio, "account_sid"),
    ],
)
@pytest.mark.parametrize("value", ["", " ", "a/b", "a?b", "a b", "é", "a\nb", None, ["1"]])
def test_an_id_that_is_unsafe_in_a_url_is_rejected(make: Maker, name: str, value: Any) -> None:
    where, what = mistake(make, **{name: value})
    # The id of a Page is left out if there are several, so that its absence is an error of the section.
    assert where == name or (value is None and name in what)


@pytest.mark.parametrize("sid", [AUTH_TOKEN, "SK" + "0" * 32, ACCOUNT_SID[:-1], ACCOUNT_SID + "0"])
def test_a_malformed_account_sid_is_rejected(sid: str) -> None:
    assert mistake(twilio, account_sid=sid)[0] == "account_sid"


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"sender": None}, {"sender", "messaging_service_sid"}),
        ({"messaging_service_sid": "MG1"}, {"sender", "messaging_service_sid"}),
        ({"api_key": "SK1"}, {"api_key", "api_secret"}),
        ({"api_secret": "key-secret"}, {"api_key", "api_secret"}),
    ],
)
def test_an_error_names_all_settings_that_belong_together(
    settings: dict[str, Any], names: set[str]
) -> None:
    _, what = mistake(twilio, **settings)
    assert all(name in what for name in names)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("not base64 at all!", "Base64"),
        (MSP_SECRET[:8] + "*" + MSP_SECRET[8:], "Base64"),
        (base64.urlsafe_b64encode(b"\xff" * 33).decode(), "Base64"),
        (MSP_SECRET.rstrip("="), "Base64"),
        (base64.b64encode(b"short").decode(), "5 bytes"),
        (base64.b64encode(b"x" * 31).decode(), "31 bytes"),
    ],
)
def test_an_invalid_apple_secret_is_rejected_at_start_up(secret: str, why: str) -> None:
    where, what = mistake(apple, secrets=[secret])
    assert where == "secrets"
    assert why in what


def test_apple_settings_are_validated() -> None:
    config = apple(business_ids=["b-2"], max_token_age=3600).config
    assert config.msp_id == MSP_ID
    assert config.businesses == {BUSINESS_ID, "b-2"}
    assert mistake(apple, max_token_age=0)[0] == "max_token_age"
    assert mistake(apple, business_ids="b-2")[0] == "business_ids"


@every
def test_settings_are_immutable(make: Maker) -> None:
    with pytest.raises(ValidationError):
        make().config.api_url = "https://example.com"


@pytest.mark.parametrize(
    "id", ["bot@service.example", "urn:biz:0001", "@bot:server.example", "a-1_b.c"]
)
def test_an_accounts_id_may_name_its_domain(id: str) -> None:
    assert TypeAdapter(Identifier).validate_python(id) == id


@pytest.mark.parametrize("id", ["", "a b", "a/b", "a?b", "a#b", "a%b", "é", "a\n", 17, "x" * 129])
def test_an_accounts_id_cannot_lead_elsewhere(id: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Identifier).validate_python(id)
