"""What Messenger and Instagram share: Meta calls the API of both the Messenger Platform."""
