"""The glob that names some files of a folder and no others.

Belongs here: patterns. Does not: which files belong together (`groups`).
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

# A number, or a date written in digits.
DATED = r"\d+(?:[-_.]?\d+)*"


def stem(name: str) -> str:
    """A file's name without its numbers and dates: what the files of a kind share."""
    return re.sub(DATED, "*", name)


def open_glob(paths: Collection[Path], everything: Collection[Path], folder: Path) -> str | None:
    """The widest pattern that matches these paths and none of the others, next month's file too; or None.

    Args:
        paths: what it is to match.
        everything: all files that were given.
        folder: what it is relative to.
    """
    names = [path.relative_to(folder).as_posix() for path in paths]
    if len(names) == 1:
        return names[0]
    if len({name.count("/") for name in names}) > 1:
        return None
    levels = list(zip(*(name.split("/") for name in names), strict=True))
    for make in (_ends, _dated, _digits):
        parts = [make(sorted(set(level))) for level in levels]
        pattern = "/".join(part or "**" for part in parts)
        if None not in parts and not pattern.startswith("*.") and _exact(pattern, paths, everything, folder):
            return pattern
    return None


def closed_globs(
    paths: Sequence[Path], everything: Collection[Path], folder: Path
) -> list[tuple[list[Path], str]]:  # fmt: skip
    """As few patterns as name these paths only, where others are called alike: digits as they are, in runs by name.

    Returns:
        Some of the paths and their pattern, in order.
    """
    found: list[tuple[list[Path], str]] = []
    for path in sorted(paths):
        run = [*found[-1][0], path] if found else [path]
        pattern = _seen_digits([p.relative_to(folder).as_posix() for p in run])
        if found and pattern is not None and _exact(pattern, run, everything, folder):
            found[-1] = (run, pattern)
        else:
            found.append(([path], path.relative_to(folder).as_posix()))
    return found


def _exact(pattern: str, paths: Collection[Path], everything: Collection[Path], folder: Path) -> bool:
    return {path for path in folder.glob(pattern) if path in set(everything)} == set(paths)


def _ends(names: Sequence[str]) -> str | None:
    """What the names share at both ends, with anything between."""
    if len(names) == 1:
        return names[0]
    start, end = _shared(names), _shared([name[::-1] for name in names])[::-1]
    # Next year's files are meant too: a number that the names share so far is no part of the name.
    start, end = re.sub(r"\d[\d._-]*$", "", start), re.sub(r"^[\d._-]*\d", "", end)
    return f"{start}*{end}"


def _dated(names: Sequence[str]) -> str | None:
    """The names' shape by numbers and dates, whatever they are."""
    return _one({re.sub(DATED, "[0-9]*", name) for name in names}) if len(names) > 1 else names[0]


def _digits(names: Sequence[str]) -> str | None:
    """The names' shape by digits."""
    return _one({re.sub(r"\d", "[0-9]", name) for name in names}) if len(names) > 1 else names[0]


def _seen_digits(names: Sequence[str]) -> str | None:
    """The names' shape by the very digits that stand at each place."""
    if len({re.sub(r"\d", "0", name) for name in names}) > 1:
        return None
    places = [sorted(set(signs)) for signs in zip(*names, strict=True)]
    return "".join(signs[0] if len(signs) == 1 else f"[{_range(''.join(signs))}]" for signs in places)


def _range(digits: str) -> str:
    whole = digits in "0123456789" and len(digits) > 2
    return f"{digits[0]}-{digits[-1]}" if whole else digits


def _one(shapes: set[str]) -> str | None:
    return shapes.pop() if len(shapes) == 1 else None


def _shared(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]
