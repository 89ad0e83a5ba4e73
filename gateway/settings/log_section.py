"""The section `log` of connectors.yaml."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .units import Flag


class LogSettings(BaseModel):
    """The log, on standard error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe lines that are written"
    )
    format: Literal["json", "console"] | None = Field(
        default=None,
        description="json or console, lines for people; default: console on a terminal, json elsewhere",
    )
    access: Flag = Field(
        default=False,
        description="true writes a line for each HTTP request: method, path, status, milliseconds, request id",
    )
