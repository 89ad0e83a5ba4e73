"""The conformance kit: a pytest class that tests whether a connector keeps the contract. Subclass it and run pytest.

    class TestAcme(Conformance):
        connector = Acme(Acme.Config(bot_id="1", secrets=("an-old-secret", "a-new-secret")))
        payloads = Path(__file__).parent / "payloads"
        signature_header = "x-acme"

        def sign(self, request: Request) -> Request:
            proof = hmac.new(b"a-new-secret", request.body, sha256).hexdigest()
            return replace(request, headers={**request.headers, "x-acme": proof})

At the end of the run, the kit prints the connector's grade and what is missing for the next grade.
"""

import pytest

from .kit.addresses import AddressChecks
from .kit.agreement import AgreementChecks
from .kit.batches import BatchChecks
from .kit.completeness import CompletenessChecks
from .kit.costs import CostChecks
from .kit.declarations import DeclarationChecks
from .kit.emulation import EmulationChecks
from .kit.evidence import EvidenceChecks
from .kit.exchanges import Exchange, ExchangeChecks, exchanges
from .kit.grades import GRADES, Grade, GradeChecks
from .kit.handshakes import HandshakeChecks
from .kit.identity import IdentityChecks
from .kit.indicators import IndicatorChecks
from .kit.limits import LimitChecks
from .kit.missing_fields import MissingFieldChecks
from .kit.notes import NoteChecks
from .kit.parsing import ParsingChecks
from .kit.parts import PartChecks
from .kit.post_handshakes import PostHandshakeChecks
from .kit.proofs import ProofChecks
from .kit.purity import PurityChecks
from .kit.refusals import Refusal, refusals
from .kit.relations import RelationChecks
from .kit.report import report
from .kit.reports import ReportChecks
from .kit.sending import SendingChecks
from .kit.sequence import SequenceChecks
from .kit.settings_used import SettingChecks
from .kit.state import StateChecks
from .kit.tokens import TokenChecks
from .kit.uses import UseChecks
from .kit.verification import VerifyChecks
from .kit.wording import WordingChecks
from .recordings import Recording, recordings


class Conformance(
    DeclarationChecks,
    VerifyChecks,
    ProofChecks,
    CostChecks,
    ParsingChecks,
    BatchChecks,
    MissingFieldChecks,
    EvidenceChecks,
    CompletenessChecks,
    AgreementChecks,
    SequenceChecks,
    PostHandshakeChecks,
    TokenChecks,
    ExchangeChecks,
    RelationChecks,
    IdentityChecks,
    AddressChecks,
    WordingChecks,
    UseChecks,
    EmulationChecks,
    NoteChecks,
    PartChecks,
    LimitChecks,
    ReportChecks,
    SendingChecks,
    IndicatorChecks,
    HandshakeChecks,
    PurityChecks,
    StateChecks,
    SettingChecks,
    GradeChecks,
):
    """All tests of the kit. A subclass must define

    `connector`          an instance, with secrets of at least four characters. If a setting takes several secrets,
                         give two and sign with the second, as during a rotation
    `payloads`           the folder of recorded deliveries (`connectors.recordings`). Its subfolders are
                         `exchanges`, the calls and replies of flows (`connectors.kit.exchanges`), `refusals`, the
                         platform's error replies (`connectors.kit.refusals`), and `not_ours`, correctly signed
                         deliveries for other accounts
    `signature_header`   the header that holds the signature or token (lower case)
    `sign(request)`      the request with the signature that the platform would add

    and may define (the defaults are in parentheses)

    `variants(request)`  other valid forms of the genuine `request` (none)
    `forgeries(request)` requests that must be rejected although they resemble the genuine `request` (none)
    `grade`              the grade that the connector must reach, or the kit fails ("bronze")
    `readme`             the page that documents the settings (the README.md above `payloads`)
    `token_in_address`   True if the platform accepts its token only in the URL (False)
    `live`               the https address of the results of a regular test against the platform itself (none)
    `unread`             fields that the connector leaves out on purpose, each with the reason (none)
    `unrecorded`         limited features that no recording shows, each with the reason (none)
    `emulator`           the class of the platform's emulator, with which the connector then talks (none)
    `consumer`           the id of the emulator's consumer ("491511234567")
    `exempt`             tests that the platform makes impossible, each with the reason (none)
    """

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Called by pytest. Each test that takes a recording runs once for every recording."""
        node = metafunc.definition.nodeid.rpartition("::")[0]
        report(metafunc.config).examine(node, type(self))
        if "recording" in metafunc.fixturenames:
            found = recordings(self.payloads)
            metafunc.parametrize("recording", found, ids=[recording.name for recording in found])


__all__ = [
    "GRADES",
    "Conformance",
    "Exchange",
    "Grade",
    "Recording",
    "Refusal",
    "exchanges",
    "recordings",
    "refusals",
]
