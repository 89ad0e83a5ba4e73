"""What every connector promises, as a pytest class: subclass it, name your connector, and run pytest.

    class TestAcme(Conformance):
        connector = Acme(Acme.Config(bot_id="1", secrets=("an-old-secret", "a-new-secret")))
        payloads = Path(__file__).parent / "payloads"
        signature_header = "x-acme"

        def sign(self, request: Request) -> Request:
            proof = hmac.new(b"a-new-secret", request.body, sha256).hexdigest()
            return replace(request, headers={**request.headers, "x-acme": proof})

At the end of the run the kit prints the connector's grade, and what is missing for the next one.
"""

import pytest

from .kit.batches import BatchChecks
from .kit.declarations import DeclarationChecks
from .kit.exchanges import Exchange, ExchangeChecks, exchanges
from .kit.grades import GRADES, Grade, GradeChecks
from .kit.missing_fields import MissingFieldChecks
from .kit.parsing import ParsingChecks
from .kit.purity import PurityChecks
from .kit.refusals import Refusal, RefusalChecks, refusals
from .kit.report import report
from .kit.sending import SendingChecks
from .kit.verification import VerifyChecks
from .recordings import Recording, recordings


class Conformance(
    DeclarationChecks,
    VerifyChecks,
    ParsingChecks,
    BatchChecks,
    MissingFieldChecks,
    ExchangeChecks,
    RefusalChecks,
    SendingChecks,
    PurityChecks,
    GradeChecks,
):
    """All promises. A subclass must say

    `connector`          an instance, with secrets of at least four characters; where a setting takes several,
                         give two and sign with the second, as while one is being replaced
    `payloads`           the folder of its recordings (`connectors.recordings`); below it `exchanges`, what its
                         flows ask and are answered (`connectors.kit.exchanges`), `refusals`, what the platform
                         answers when it will not (`connectors.kit.refusals`), and `not_ours`, deliveries
                         that are proved and meant for another account
    `signature_header`   the header that holds the proof (lower case)
    `sign(request)`      the request with the proof that the platform would add

    and may say

    `variants(request)`  the genuine `request` in other forms that the platform may give it (none)
    `forgeries(request)` what must be refused although it looks like the genuine `request` (nothing)
    `grade`              the grade that the connector must have; the kit fails if it has less ("bronze")
    `readme`             the page that explains its settings (the README.md above `payloads`)
    `token_in_address`   True where the platform takes its token in the address alone (False)
    `live`               where the results of the regular test against the platform are (nowhere)
    """

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Called by pytest: each promise about recordings is examined for each of them."""
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
