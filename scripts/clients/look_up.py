"""A program that uses the client generated from the OpenAPI description; a test type-checks it."""

from airlock_client import AuthenticatedClient
from airlock_client.api.conversations import list_conversations
from airlock_client.api.messages import look_up_message, send_text
from airlock_client.models import ConversationPage, LookedUpMessage, ProblemDetails, Reply


def look_up(url: str, token: str, platform_id: str) -> str:
    client = AuthenticatedClient(base_url=url, token=token)
    found = look_up_message.sync(client=client, platform_id=platform_id)
    if isinstance(found, ProblemDetails):
        return found.detail
    if not isinstance(found, LookedUpMessage):
        return "no answer"
    taken = [event.taken_at for event in found.events if event.taken_at is not None]
    states = [attachment.state for attachment in found.attachments]
    return f"{found.state} {taken} {states}"


def answer_everybody(url: str, token: str, text: str) -> None:
    client = AuthenticatedClient(base_url=url, token=token)
    page = list_conversations.sync(client=client, limit=10)
    if isinstance(page, ConversationPage):
        for conversation in page.conversations:
            body = Reply(text=text, agent="anna")
            send_text.sync(conversation.id, client=client, body=body, idempotency_key=text)
