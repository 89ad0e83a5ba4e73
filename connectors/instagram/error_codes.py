"""Instagram's error codes. Pairs are a code and its subcode.

Meta publishes the codes of the Messenger Platform, but not the subcodes that only Instagram sends. Those below are from
operators' reports; one that is not listed is `unknown`, with its code and words.
"""

from connectors.messenger_platform.error_codes import CODES as PLATFORM_CODES
from connectors.tools.refusals import NOT_IN_CONTROL, UNDELIVERABLE, WINDOW_CLOSED, by_code

CODES = {
    **PLATFORM_CODES,
    **by_code(
        {
            # https://github.com/ComposioHQ/composio/issues/3604
            WINDOW_CLOSED: ((10, 2534022),),
            # Another app, or Instagram's own inbox, owns the thread.
            NOT_IN_CONTROL: ((100, 2534037),),
            # The user is unknown to this account, or has left. https://github.com/megaapp977/stack/issues/186
            UNDELIVERABLE: ((100, 2534014),),
        }
    ),
}
