"""Exit with one line of explanation if the interpreter is too old for Airlock."""

import sys

if sys.version_info < (3, 11):
    found = ".".join(str(part) for part in sys.version_info[:3])
    sys.exit(
        f"Airlock needs Python 3.11 or later; {sys.executable} is {found}. Try PYTHON=python3.12 make …"
    )
