"""Report words that a native-speaking engineer would not write, in source, tests and documentation.

    python scripts/check_language.py            # all tracked files
    python scripts/check_language.py FILE …     # these files, as the pre-commit hook does

A line that needs such a word ends with `allow-word` in a comment. Exit status 1 if anything was found.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: Each word with what to write instead.
WORDS = {
    r"troubles?": "error, failure, problem",
    r"told|tells": "reported, says, shows, announces",
    r"hear(?:s|d)?(?! at\b)": "receive, learn, notice",
    r"anew": "again",
    r"films?": "video",
    r"mend(?:s|ed|ing)?": "fix, repair",
    r"whoever": "the one that, anyone who",
    r"for ever": "forever, permanently, indefinitely",
    r"(?<!there )(?:is|are|was|were) no(?! (?:such|longer|more|fewer|less|later|larger|way)\b) [a-z]+": (
        "negate the verb: is not a …"
    ),
}
_PATTERN = re.compile(
    "|".join(rf"\b(?P<w{n}>{word})\b" for n, word in enumerate(WORDS)), re.IGNORECASE
)
_CHECKED = {
    ".py",
    ".md",
    ".js",
    ".ts",
    ".html",
    ".css",
    ".yaml",
    ".yml",
    ".toml",
    ".sh",
    ".sql",
    ".template",
    "",
}
#: Files that quote the words on purpose, or that nobody wrote.
_EXEMPT = frozenset({"scripts/check_language.py", "LICENSE", "package-lock.json"})
_ALLOWED = "allow-word"


def findings(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, the word, and what to write instead."""
    try:
        text = path.read_text("utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if _ALLOWED in line:
            continue
        # An identifier's words count, too.
        for found in _PATTERN.finditer(line.replace("_", " ")):
            index = int(str(found.lastgroup).removeprefix("w"))
            yield number, found[0], list(WORDS.values())[index]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def is_checked(path: Path) -> bool:
    name = path.relative_to(ROOT).as_posix() if path.is_absolute() else path.as_posix()
    return path.suffix in _CHECKED and name not in _EXEMPT


def main() -> int:
    given = [Path(name) for name in sys.argv[1:]]
    count = 0
    for path in given or tracked():
        if not is_checked(path):
            continue
        for number, word, instead in findings(path):
            shown = path.relative_to(ROOT) if path.is_absolute() else path
            print(f"{shown}:{number}: {word!r}: write {instead}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
