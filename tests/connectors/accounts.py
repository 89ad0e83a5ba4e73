"""One connector of each platform, with invented credentials, as all tests of connectors use them."""

from connectors.apple import Apple
from connectors.messenger import Messenger
from connectors.twilio import Twilio
from connectors.whatsapp import WhatsApp

APP_SECRET = "app-secret-0"
APP_SECRETS = ("an-older-secret", APP_SECRET)
AUTH_TOKEN = "tw-token-0"
ACCOUNT_SID = "AC00000000000000000000000000000000"
MSP_ID = "csp-0001"
MSP_SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OLDER_MSP_SECRET = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="
BUSINESS_ID = "0a1b2c3d-0000-4000-8000-000000000001"
PAGE_ID = "1234567890"
PHONE_NUMBER_ID = "106540352242922"
