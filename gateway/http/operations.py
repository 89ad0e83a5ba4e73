"""Every method of every path: what it takes, what it answers, and which scopes of a token allow it.

The routes, the OpenAPI description and the documentation are checked against this table.
"""

from collections.abc import Mapping

from gateway.events.types import ConversationSummary
from gateway.replies.accept import Reply, Writing
from gateway.settings.api_tokens import Scope
from normalizer.media import RenditionType

from . import answers
from .bodies import Assignment, ErasureOrder, LinkRequest, ReplayOrder
from .consumer_links import LinkRequest as ConsumerLinkRequest
from .operation import BOTH, CORE, OPERATORS, READ, Answer, Operation, Parameter

_FILE_TYPES: tuple[str, ...] = RenditionType.__args__  # type: ignore[attr-defined]


TAGS: Mapping[str, str] = {
    "conversations": "Who writes, and who answers",
    "messages": "What was said, and agents' texts",
    "attachments": "Files: their state, and links to them",
    "people": "Everything about one person: found, handed out, erased",
    "operations": "What went wrong, and what the channels can do",
    "webhooks": "What the platforms call",
    "monitoring": "Health, metrics, and this description",
}

_LIMIT = Parameter("limit", "at most 200", "integer")
_NO_BODY = ()
_TEXT = ("text/plain",)


def _unknown(what: str) -> Mapping[int, str]:
    return {404: f"No {what} has this ID"}


OPERATIONS = (
    Operation(
        "get",
        "/webhooks/{connector}",
        "verifyWebhook",
        "webhooks",
        "Verify a webhook's ownership (the platform's handshake)",
        {200: Answer("The challenge", str, _TEXT)},
        {401: "Not with our verify token", 405: "This platform only sends POST"},
        scopes=None,
    ),
    Operation(
        "post",
        "/webhooks/{connector}",
        "receiveDelivery",
        "webhooks",
        "Receive a platform's delivery; answered once it is durable",
        {200: Answer("Stored; the body is the platform's own", str, _TEXT)},
        {401: "Not authentic", 413: "Too large", 503: "Not stored; send it again"},
        scopes=None,
    ),
    Operation(
        "put",
        "/v1/conversations/{id}/agents",
        "assignAgents",
        "conversations",
        "Set the assigned agents",
        {200: Answer("Assigned", answers.AssignedAgents)},
        _unknown("conversation"),
        body=Assignment,
        scopes=CORE,
    ),
    Operation(
        "get",
        "/v1/conversations",
        "listConversations",
        "conversations",
        "List conversations, the newest first",
        {200: Answer("A page", answers.ConversationPage)},
        {404: "`before` is not a conversation"},
        parameters=(
            Parameter("connector", "return those of this connector"),
            Parameter("consumer", "return those of this person: any of their ids"),
            Parameter("before", "return those after this conversation in the list"),
            _LIMIT,
        ),
    ),
    Operation(
        "get",
        "/v1/conversations/{id}",
        "getConversation",
        "conversations",
        "Get a conversation: its consumer, state, reply window and agents",
        {
            200: Answer(
                "The conversation; `merged_into` names the one that it became a part of",
                ConversationSummary,
            )
        },
        _unknown("conversation"),
    ),
    Operation(
        "get",
        "/v1/conversations/{id}/messages",
        "listMessages",
        "messages",
        "List messages in order",
        {200: Answer("A page", answers.MessagePage)},
        _unknown("conversation"),
        parameters=(
            Parameter("after", "return messages with a higher sequence", "integer"),
            _LIMIT,
        ),
        scopes=CORE | READ,
    ),
    Operation(
        "post",
        "/v1/conversations/{id}/messages",
        "sendText",
        "messages",
        "Send an agent's text",
        {202: Answer("Accepted", answers.AcceptedText)},
        {
            **_unknown("conversation"),
            409: "Not now; `reason` is window_closed, opted_out, closed or unsupported",
            422: "Not text only, or the key was used for another text",
        },
        body=Reply,
        parameters=(
            Parameter(
                "Idempotency-Key",
                "1 to 255 characters, the same for each repeat",
                is_required=True,
                place="header",
            ),
        ),
        scopes=CORE,
    ),
    Operation(
        "post",
        "/v1/conversations/{id}/typing",
        "showTyping",
        "conversations",
        "Show the consumer that an agent is writing, for some seconds or until the text arrives",
        {200: Answer("Whether the platform was informed", answers.Informed)},
        {**_unknown("conversation"), 502: "The platform refused"},
        body=Writing,
        body_is_required=False,
        scopes=CORE,
    ),
    Operation(
        "post",
        "/v1/messages/{id}/read",
        "markRead",
        "messages",
        "Report to the platform that an agent has seen the message",
        {200: Answer("Whether the platform was informed", answers.Informed)},
        {**_unknown("message"), 502: "The platform refused"},
        scopes=CORE,
    ),
    Operation(
        "post",
        "/v1/conversations/{id}/close",
        "closeConversation",
        "conversations",
        "Close the conversation until the consumer writes again",
        {200: Answer("Closed, and whether the platform is informed", answers.ClosedConversation)},
        _unknown("conversation"),
        scopes=CORE,
    ),
    Operation(
        "post",
        "/v1/conversations/{id}/reopen",
        "reopenConversation",
        "conversations",
        "Take back that the core closed the conversation",
        {200: Answer("Open", answers.ReopenedConversation)},
        {**_unknown("conversation"), 409: "The consumer closed it"},
        scopes=CORE,
    ),
    Operation(
        "delete",
        "/v1/conversations/{id}",
        "eraseConversation",
        "people",
        "Erase the conversation completely",
        {204: Answer("Erased", None, _NO_BODY)},
        _unknown("conversation"),
        scopes=CORE,
    ),
    Operation(
        "delete",
        "/v1/attachments/{id}",
        "eraseAttachment",
        "people",
        "Erase one attachment: its files and its name",
        {204: Answer("Erased; `attachment.updated` follows", None, _NO_BODY)},
        _unknown("attachment"),
        scopes=BOTH,
    ),
    Operation(
        "post",
        "/v1/erasures",
        "erasePerson",
        "people",
        "Erase a person in all conversations, in the background",
        {202: Answer("Asked for; the receipt says when it is done", answers.ErasureStarted)},
        body=ErasureOrder,
        scopes=BOTH,
    ),
    Operation(
        "get",
        "/v1/erasures/{id}",
        "getErasure",
        "people",
        "Get the receipt of an erasure",
        {200: Answer("The receipt", answers.ErasureReceipt)},
        _unknown("erasure"),
        scopes=BOTH | READ,
    ),
    Operation(
        "get",
        "/v1/exports",
        "exportPerson",
        "people",
        "Get everything held about a person, one JSON object a line, with links to their files",
        {200: Answer("The lines", answers.ExportLine, ("application/x-ndjson",))},
        parameters=(
            Parameter("consumer", "any id of the person", is_required=True),
            Parameter("connector", "what this connector brought only"),
        ),
        scopes=BOTH | READ,
    ),
    Operation(
        "get",
        "/v1/views",
        "listViews",
        "people",
        "List who looked at what, when, and how much of it, the latest first",
        {200: Answer("A page", answers.ViewPage)},
        parameters=(
            Parameter("conversation", "in this conversation"),
            Parameter("agent", "by this agent"),
            Parameter("since", "since then (RFC 3339)"),
            Parameter("before", "return those after this number in the list", "integer"),
            _LIMIT,
        ),
        scopes=OPERATORS | READ,
    ),
    Operation(
        "get",
        "/v1/messages",
        "lookUpMessage",
        "messages",
        "Find what became of a message by the platform's id: whether it came, when, and where it is now",
        {200: Answer("The message, its events and its attachments", answers.LookedUpMessage)},
        {404: "No such message came"},
        parameters=(
            Parameter("platform_id", "the platform's id of the message", is_required=True),
            Parameter("connector", "of this connector; otherwise of any"),
        ),
        scopes=OPERATORS | READ,
    ),
    Operation(
        "post",
        "/v1/events/replay",
        "replayEvents",
        "operations",
        "Send events again that the core has taken, with their old ids and in their old order",
        {202: Answer("They wait for the core", answers.ReplayedEvents)},
        _unknown("conversation"),
        body=ReplayOrder,
        scopes=BOTH,
    ),
    Operation(
        "get",
        "/v1/messages/{id}",
        "getMessage",
        "messages",
        "Get a message in its current state",
        {200: Answer("The message, or the agent's text", answers.Message | answers.AgentText)},
        _unknown("message"),
        scopes=CORE | READ,
    ),
    Operation(
        "get",
        "/v1/attachments/{id}",
        "getAttachment",
        "attachments",
        "Get an attachment in its current state; `progress` describes the processing of a pending one",
        {200: Answer("The attachment", answers.CurrentAttachment)},
        _unknown("attachment"),
        scopes=CORE | READ,
    ),
    Operation(
        "post",
        "/v1/attachments/{id}/links",
        "makeLinks",
        "attachments",
        "Create short-lived media links for one assigned agent",
        {200: Answer("Links by rendition", answers.AttachmentLinks)},
        {403: "The agent is not assigned", **_unknown("attachment")},
        body=LinkRequest,
        scopes=CORE,
    ),
    Operation(
        "post",
        "/v1/attachments/{id}/retry",
        "retryAttachment",
        "attachments",
        "Fetch and sanitize again",
        {202: Answer("The attachment, pending again", answers.CurrentAttachment)},
        {**_unknown("attachment"), 409: "There is nothing to fetch"},
        scopes=CORE,
    ),
    Operation(
        "post",
        "/v1/consumer-links",
        "makeConsumerLink",
        "attachments",
        "Create a short-lived link to a sanitized file for the consumer who sent it; signed as webhooks are",
        {200: Answer("The link", answers.ConsumerLink)},
        {
            400: "The body is wrong",
            401: "Not authentic",
            403: "Not this connector's grant",
            404: "The attachment does not have this rendition",
            410: "Erased",
            413: "Too large",
        },
        body=ConsumerLinkRequest,
        scopes=None,
    ),
    Operation(
        "get",
        "/v1/failures",
        "listFailures",
        "operations",
        "List what could not be parsed, fetched or delivered",
        {200: Answer("Failures, newest first", answers.FailureList)},
        parameters=(Parameter("limit", "at most 1000", "integer"),),
        scopes=OPERATORS | READ,
    ),
    Operation(
        "get",
        "/v1/failures/{id}",
        "getFailure",
        "operations",
        "Get one failure with all details",
        {200: Answer("The failure", answers.FailureInFull)},
        _unknown("failure"),
        scopes=OPERATORS | READ,
    ),
    Operation(
        "post",
        "/v1/failures/{id}/retry",
        "retryFailures",
        "operations",
        "Retry one failure, several separated by commas, or `all`",
        {202: Answer("The result of each retry", answers.RetryResults)},
        _unknown("failure"),
        scopes=OPERATORS,
    ),
    Operation(
        "get",
        "/v1/capabilities",
        "listCapabilities",
        "operations",
        "List what each connector supports, and its health",
        {200: Answer("The chart, with health", answers.CapabilityChart)},
    ),
    Operation(
        "get",
        "/media/{attachment}/{rendition}",
        "getMedia",
        "attachments",
        "Get a rendition, or a page of a document as `page-1`, for an agent's browser",
        {
            200: Answer("The whole file", None, _FILE_TYPES),
            206: Answer("A range", None, _FILE_TYPES),
            304: Answer("Unchanged", None, _NO_BODY),
        },
        {
            403: "Invalid, expired or not assigned",
            **_unknown("rendition"),
            416: "No such range",
        },
        parameters=(
            Parameter("agent", "the agent"),
            Parameter("connector", "in a consumer's link, in place of the agent"),
            Parameter("consumer", "in a consumer's link, in place of the agent"),
            Parameter("expires", "expiry, Unix seconds", "integer", is_required=True),
            Parameter("signature", "the link's signature", is_required=True),
            Parameter("for", "`export` in the links of an export"),
        ),
        scopes=None,
    ),
    Operation(
        "get",
        "/healthz",
        "getLiveness",
        "monitoring",
        "Check whether the process is alive",
        {200: Answer("It is", str, _TEXT)},
        scopes=None,
    ),
    Operation(
        "get",
        "/readyz",
        "getReadiness",
        "monitoring",
        "Check whether every component is ready",
        {
            200: Answer("Ready", answers.Readiness),
            503: Answer("Not ready", answers.Readiness),
        },
        scopes=None,
    ),
    Operation(
        "get",
        "/metrics",
        "getMetrics",
        "monitoring",
        "Get Prometheus metrics",
        {200: Answer("Metrics", str, _TEXT)},
        scopes=None,
    ),
    Operation(
        "get",
        "/openapi.json",
        "getDescription",
        "monitoring",
        "Get this description",
        {200: Answer("OpenAPI 3.1", answers.AnyObject)},
        scopes=None,
    ),
)


def scopes_of(method: str, path: str) -> frozenset[Scope]:
    """Return the scopes that allow a call. Raise LookupError for one that is not in the table or needs no token."""
    for operation in OPERATIONS:
        if (operation.method, operation.path) == (method.lower(), path):
            if operation.scopes is None:
                break
            return operation.scopes
    raise LookupError(f"{method} {path} has no scopes; add it to OPERATIONS")
