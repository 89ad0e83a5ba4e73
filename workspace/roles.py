"""Roles, permissions and the signed-in viewer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Permission = Literal["talk", "oversee", "operate"]

#: talk: read, take, reply, close. oversee: assign others, erase, and see the audit log. operate: see the state of
#: channels and failures, without any customer's words.
ROLES: Mapping[str, frozenset[Permission]] = {
    "agent": frozenset({"talk"}),
    "supervisor": frozenset({"talk", "oversee"}),
    "operator": frozenset({"operate"}),
}


def permissions(roles: Iterable[str]) -> frozenset[Permission]:
    return frozenset().union(*(ROLES[role] for role in roles if role in ROLES))


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in person. Every request that changes something must return `csrf`."""

    agent: str
    roles: tuple[str, ...]
    csrf: str

    def may(self, permission: Permission) -> bool:
        return permission in permissions(self.roles)


#: Accounts of the demo in addition to `WorkspaceSettings.agent`, who may do everything.
DEMO_COLLEAGUES: Mapping[str, tuple[str, ...]] = {"sam": ("agent",)}
DEMO_ROLES = ("supervisor", "operator")
