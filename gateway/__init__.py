"""The gateway: accepts webhooks, journals them, makes media safe, and delivers events; API, settings, command line."""
