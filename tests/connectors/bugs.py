"""Mistakes that authors of connectors make, planted in one line of a built-in connector.

Some are tests (`test_planted_bugs.py`); `scripts/planted_bugs.py` tries all of them, with the right recordings and with
recordings that were made with the bug in.
"""

from .further_bugs import FURTHER
from .planting import Planted

PLANTED: dict[str, Planted] = {
    "a_reply_is_not_named": Planted(
        "whatsapp",
        "whatsapp.messages",
        'reply_to=words(context.get("id")),',
        "reply_to=None,",
    ),
    "a_caption_is_lost": Planted(
        "whatsapp",
        "whatsapp.content",
        'return Content(words(file.get("caption")), (found,))',
        "return Content(None, (found,))",
    ),
    "read_counts_as_delivered": Planted(
        "whatsapp",
        "whatsapp.statuses",
        '"read": "read",',
        '"read": "delivered",',
    ),
    "a_deletion_becomes_an_edit": Planted(
        "whatsapp",
        "whatsapp.messages",
        "return Deletion(id=f\"revoke:{id_of(raw['id'])}\", target=target, **common)",
        'return Edit(id=f"revoke:{id_of(raw[\'id\'])}", target=target, text="deleted", **common)',
    ),
    "a_receipt_names_no_message": Planted(
        "whatsapp",
        "whatsapp.statuses",
        "message_ids=(id,),",
        "message_ids=(),",
    ),
    "check_always_says_the_same": Planted(
        "whatsapp",
        "whatsapp.connector",
        'return f"{name}, {number}"',
        'return f"{self.label}"',
    ),
    "the_account_is_marked_as_read": Planted(
        "whatsapp",
        "whatsapp.connector",
        'status["message_id"] = message_id',
        'status["message_id"] = account',
    ),
    "the_hash_of_a_file_is_ignored": Planted(
        "whatsapp",
        "whatsapp.connector",
        'sha256=_text(file.get("sha256")) or ref.sha256,',
        "sha256=None,",
    ),
    "an_answer_does_not_quote": Planted(
        "whatsapp",
        "whatsapp.connector",
        'message["context"] = {"message_id": out.reply_to}',
        "pass",
    ),
    "a_text_goes_to_the_account": Planted(
        "whatsapp",
        "whatsapp.connector",
        "address: out.to,",
        "address: out.account,",
    ),
    "blanks_of_a_text_are_lost": Planted(
        "whatsapp",
        "whatsapp.connector",
        '"body": out.text,',
        '"body": out.text.strip(),',
    ),
    "a_voice_message_is_any_sound": Planted(
        "whatsapp",
        "whatsapp.content",
        'if type == "voice" or file.get("voice") is True:',
        'if type == "voice":',
    ),
    "only_the_first_contact_is_read": Planted(
        "whatsapp",
        "whatsapp.content",
        "if isinstance(card, dict) and card]",
        "if isinstance(card, dict) and card][:1]",
    ),
    "latitude_and_longitude_are_exchanged": Planted(
        "whatsapp",
        "whatsapp.content",
        "location(latitude, longitude, **described)",
        "location(longitude, latitude, **described)",
    ),
    "the_description_of_a_row_is_lost": Planted(
        "whatsapp",
        "whatsapp.content",
        'lines(words(tapped.get("title")), words(tapped.get("description")))',
        'words(tapped.get("title"))',
    ),
    "forwarding_is_not_shown": Planted(
        "whatsapp",
        "whatsapp.messages",
        'forwarded=bool(context.get("forwarded") or context.get("frequently_forwarded")),',
        "forwarded=False,",
    ),
    "a_reaction_points_to_itself": Planted(
        "whatsapp",
        "whatsapp.messages",
        'target=id_of(reaction["message_id"]),',
        'target=id_of(raw["id"]),',
    ),
    "an_edit_points_to_itself": Planted(
        "whatsapp",
        "whatsapp.messages",
        "target=target,\n        text=body.text,",
        'target=id_of(raw["id"]),\n        text=body.text,',
    ),
    "a_message_says_nothing": Planted(
        "whatsapp",
        "whatsapp.content",
        "return replace(_unsupported(raw, account), choice=found.choice)",
        "return found",
    ),
    "only_the_first_change_is_read": Planted(
        "whatsapp",
        "whatsapp.connector",
        'entries(entry, "changes")',
        'entries(entry, "changes")[:1]',
    ),
    "the_title_of_a_button_is_lost": Planted(
        "messenger",
        "messenger_platform.events",
        'text=words_of(postback.get("title")),',
        "text=None,",
    ),
    "an_echo_becomes_a_message": Planted(
        "messenger",
        "messenger_platform.events",
        "    if is_echo:\n        return _echo(mid, message, content)\n",
        "",
    ),
    "an_echo_is_from_the_page": Planted(
        "messenger",
        "messenger_platform.events",
        "found = recipient if _is_echo(item, page) else sender",
        "found = sender",
    ),
    "a_removed_reaction_stays": Planted(
        "messenger",
        "messenger_platform.events",
        'shown = None if action == "unreact" else emoji',
        "shown = emoji",
    ),
    "a_watermark_loses_its_fraction": Planted(
        "messenger",
        "messenger_platform.events",
        "else parse_timestamp(watermark)",
        "else parse_timestamp(int(watermark) // 1000)",
    ),
    "messengers_reply_is_not_named": Planted(
        "messenger",
        "messenger_platform.events",
        'reply_to = name_of(object_of(message.get("reply_to")).get("mid"))',
        "reply_to = None",
    ),
    "a_reading_counts_as_delivery": Planted(
        "messenger",
        "messenger_platform.events",
        '"read": _receipt("read", "read"),',
        '"read": _receipt("delivered", "read"),',
    ),
    "typing_never_stops": Planted(
        "messenger",
        "messenger_platform.connector",
        '"typing_on" if out.on else "typing_off"',
        '"typing_on"',
    ),
    "a_deletion_becomes_a_message": Planted(
        "messenger",
        "messenger_platform.events",
        'if is_set(message.get("is_deleted")):',
        'if message.get("is_deleted") == "x":',
    ),
    "the_payload_of_a_quick_reply_is_lost": Planted(
        "messenger",
        "messenger_platform.events",
        'choice = words_of(object_of(message.get("quick_reply")).get("payload"))',
        "choice = None",
    ),
    "only_the_first_message_id_is_read": Planted(
        "messenger",
        "messenger_platform.events",
        "ids = tuple(filter(None, map(name_of, named)))",
        "ids = tuple(filter(None, map(name_of, named)))[:1]",
    ),
    "only_the_start_of_the_body_is_signed": Planted(
        "messenger",
        "meta",
        "return hmac.new(secret.encode(), message, sha256)",
        "return hmac.new(secret.encode(), message[:256], sha256)",
    ),
    "to_and_from_are_exchanged": Planted(
        "twilio",
        "twilio.events",
        '    ours = form["To"]\n    return {\n        "account": senders.account(form, ours),\n        "party": _party(form["From"], form),',
        '    ours = form["From"]\n    return {\n        "account": senders.account(form, ours),\n        "party": _party(form["To"], form),',
    ),
    "undelivered_counts_as_sent": Planted(
        "twilio",
        "twilio.events",
        "status=STATUSES[status],",
        'status=STATUSES[status] if status != "undelivered" else "sent",',
    ),
    "the_code_of_a_failure_is_lost": Planted(
        "twilio",
        "twilio.events",
        "        code=code,\n        detail=_detail(form),",
        "        detail=_detail(form),",
    ),
    "twilios_reply_is_not_named": Planted(
        "twilio",
        "twilio.events",
        'reply_to=form.get("OriginalRepliedMessageSid") or None,',
        "reply_to=None,",
    ),
    "our_password_goes_to_any_host": Planted(
        "twilio",
        "twilio.connector",
        'return Download(Call("GET", url, auth=False))',
        'return Download(Call("GET", url, self.authorize(None), auth=False))',
    ),
    "the_acknowledgement_is_not_xml": Planted(
        "twilio",
        "twilio.connector",
        'body=EMPTY_TWIML, media_type="text/xml"',
        'body=b"OK"',
    ),
    "a_text_goes_to_its_sender": Planted(
        "twilio",
        "twilio.connector",
        'form = {"To": to, "Body": out.text,',
        'form = {"To": sender or "", "Body": out.text,',
    ),
    "check_has_no_password": Planted(
        "twilio",
        "twilio.connector",
        'yield Call("GET", f"{self._account(None)}.json")',
        'yield Call("GET", f"{self._account(None)}.json", auth=False)',
    ),
    "the_last_token_authorizes": Planted(
        "twilio",
        "twilio.connector",
        "name, secret = config.account_sid, config.auth_tokens[0]",
        "name, secret = config.account_sid, config.auth_tokens[-1]",
    ),
    "a_token_is_made_once_a_month": Planted(
        "apple",
        "apple.connector",
        "key = key_of(self.config.secrets[0].get_secret_value())\n        return",
        "key = key_of(self.config.secrets[0].get_secret_value())\n        now = now.replace(day=1)\n        return",
    ),
    "source_and_destination_are_exchanged": Planted(
        "apple",
        "apple.connector",
        '"sourceId": business, "destinationId": to}',
        '"sourceId": to, "destinationId": business}',
    ),
    "apples_typing_never_stops": Planted(
        "apple",
        "apple.connector",
        'type = "typing_start" if out.on else "typing_end"',
        'type = "typing_start"',
    ),
    "a_file_that_is_not_ready_is_gone": Planted(
        "apple",
        "apple.connector",
        '("lookup", 404): NOT_YET,',
        '("lookup", 404): Verdict("gone"),',
    ),
    "a_token_for_others_is_accepted": Planted(
        "apple",
        "apple.token",
        "audience=msp_id,",
        "audience=None,",
    ),
    "only_the_first_key_is_tried": Planted(
        "apple",
        "apple.token",
        "        keys,\n",
        "        list(keys)[:1],\n",
    ),
    "the_app_of_an_echo_is_lost": Planted(
        "messenger",
        "messenger_platform.events",
        'sender_app=name_of(message.get("app_id"))',
        "sender_app=None",
    ),
    "any_handshake_is_answered": Planted("whatsapp", "meta", "token) and subscribes", "token)"),
    "the_first_account_sends_everything": Planted(
        "messenger",
        "messenger_platform.connector",
        "account = self.config.account(named)",
        'account = self.config.account("")',
    ),
    "consent_counts_as_refusal": Planted(
        "twilio", "twilio.events", '"START": False}', '"START": True}'
    ),
    "the_language_is_lost": Planted(
        "apple",
        "apple.events",
        'found = {"locale": as_words(raw.get("locale")), **device',
        "found = {**device",
    ),
    "our_key_is_lost": Planted(
        "whatsapp",
        "whatsapp.statuses",
        'key=words(raw.get("biz_opaque_callback_data"))',
        "key=None",
    ),
    "the_key_in_the_query_is_lost": Planted(
        "twilio", "twilio.connector", 'key = delivery.query.get("m")', "key = None"
    ),
    "no_status_is_asked_for": Planted(
        "twilio", "twilio.connector", '"StatusCallback": out.status_url, ', ""
    ),
    "a_text_quotes_its_own_key": Planted(
        "whatsapp",
        "whatsapp.connector",
        'message["context"] = {"message_id": out.reply_to}',
        'message["context"] = {"message_id": out.key}',
    ),
    "the_type_of_a_file_is_ignored": Planted(
        "whatsapp",
        "whatsapp.connector",
        'media_type=_text(file.get("mime_type")),',
        "media_type=None,",
    ),
    **FURTHER,
}
