"""Who may do what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Permission = Literal["talk", "oversee", "operate"]

#: talk: read, take, answer, close. oversee: assign others, and see who looked at what. operate: the state of
#: channels and failures, without customers' words.
ROLES: Mapping[str, frozenset[Permission]] = {
    "agent": frozenset({"talk"}),
    "supervisor": frozenset({"talk", "oversee"}),
    "operator": frozenset({"operate"}),
}


def permissions(roles: Iterable[str]) -> frozenset[Permission]:
    return frozenset().union(*(ROLES[role] for role in roles if role in ROLES))


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever is looking, as their session says. `csrf` must come back with everything that changes something."""

    agent: str
    roles: tuple[str, ...]
    csrf: str

    def may(self, permission: Permission) -> bool:
        return permission in permissions(self.roles)


#: Who can be chosen in the demo, besides the settings' own agent, who may do everything.
DEMO_COLLEAGUES: Mapping[str, tuple[str, ...]] = {"sam": ("agent",)}
DEMO_ROLES = ("supervisor", "operator")
