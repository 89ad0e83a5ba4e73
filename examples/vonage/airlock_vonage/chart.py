"""What the channels can do."""

from connectors import Capabilities, TextLimits, offers

#: https://developer.vonage.com/en/api/messages: the length of `text` of each channel
SMS = TextLimits(max_text=1000)
CAPABILITIES = Capabilities(
    features=offers(
        yes=(
            *("text", "photo", "photo_caption", "video", "video_caption", "audio", "document"),
            *("failed", "send_text"),
        ),
        limited=(
            *("several_photos", "sticker", "location", "contact", "reply_context", "reaction"),
            *("button", "delivered", "read", "send_quote", "mark_read"),
        ),
    ),
    # WhatsApp's; `SMS` are those of the other channel.
    max_text=4096,
    reply_window=24 * 3600.0,
    notes={
        "several_photos": "in one MMS; in WhatsApp each photo is a separate message",
        "sticker": "WhatsApp only",
        "location": "WhatsApp only",
        "contact": "MMS only",
        "reply_context": "WhatsApp only",
        "reaction": "WhatsApp only",
        "button": "WhatsApp only",
        "delivered": "SMS: if the carrier reports it",
        "read": "WhatsApp only",
        "send_text": "WhatsApp: within 24 hours of the consumer's last message; SMS: at any time",
        "send_quote": "WhatsApp only",
        "mark_read": "WhatsApp only; api_url must be that of the account's region",
    },
)
