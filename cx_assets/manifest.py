"""The text of a dataset manifest: finding the file, reading it, and saying where in it something is wrong.

Belongs here: files, lines and nearest names. Does not: what a manifest may say (`dataset`) or whether it fits the files
that it names (`ingestion.reader`).
"""

import difflib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

Location = tuple[str | int, ...]


# What pydantic says of the types that this project has; YAML has other names for them.
IN_OTHER_WORDS = {
    "tuple_type": "this is a list: write [a, b], or begin each entry with '- '",
    "too_short": "at least one entry is needed",
    "model_type": "this has keys of its own: write them below it, or as {key: value}",
    "date_from_datetime_parsing": "there is no such day; days are written year first, as 2025-01-31",
    "date_parsing": "there is no such day; days are written year first, as 2025-01-31",
    "dict_type": "this has keys of its own: write them below it, or as {key: value}",
}


class ManifestError(Exception):
    """A manifest that can't be used; the message says where and what would be right."""


class _Loader(yaml.SafeLoader):
    """YAML whose dates stay text: whether there is such a day is the model's to say, by the key's line."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Part(BaseModel):
    """A part of a manifest: a key that isn't known is a mistake."""

    # What was given may be a secret that went into the wrong place.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def shipped_datasets() -> list[str]:
    """The names of the manifests that come with the project."""
    folder = Path(str(files("cx_assets") / "datasets"))
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem != "template")


def find_manifest(dataset: str) -> Path:
    """The manifest that `CX_DATASET` means: a path to a YAML file, or the name of one that ships.

    Raises:
        ManifestError: if there is none.
    """
    if dataset.endswith((".yaml", ".yml")):
        path = Path(dataset).absolute()
        if not path.is_file():
            raise ManifestError(
                f"{dataset}: no such manifest. CX_DATASET is a path from {Path.cwd().name}/, or a name that ships: "
                f"{', '.join(shipped_datasets())}."
            )
        return path
    if dataset not in shipped_datasets():
        raise ManifestError(f"CX_DATASET={dataset}: no such dataset.{did_you_mean(dataset, shipped_datasets())}")
    return Path(str(files("cx_assets") / "datasets" / f"{dataset}.yaml"))


def read_manifest(path: Path) -> tuple[dict[str, Any], Mapping[Location, int]]:
    """What a manifest says, and the line of each of its keys.

    Raises:
        ManifestError: if it isn't UTF-8, isn't YAML, isn't a mapping or gives a key twice.
    """
    try:
        text = path.read_text("utf-8")
        lines = key_lines(text)
        content = _Loader(text).get_single_data()
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path.name}: not UTF-8 text: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ManifestError(f"{path.name}:{line}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ManifestError(f"{path.name}: not valid YAML: {' '.join(str(error).split())}") from error
    except RecursionError:
        raise ManifestError(f"{path.name}: nested too deeply, or an alias (*name) holds itself") from None
    if not isinstance(content, dict):
        raise ManifestError(f"{path.name}: a manifest is a mapping with at least name, title, first_day and events")
    return content, lines


@lru_cache(maxsize=8)
def key_lines(text: str) -> Mapping[Location, int]:
    """The line (from 1) of every key and list entry of a YAML text, by its path.

    It is asked for whenever files are held against a manifest, and parsing one takes 40 ms.

    Raises:
        yaml.MarkedYAMLError: if it isn't YAML, or gives a key twice, of which YAML would keep the last.
    """
    lines: dict[Location, int] = {}

    def visit(node: yaml.Node | None, path: Location) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if (*path, key.value) in lines:
                    problem = f"the key {key.value!r} is given twice"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                lines[(*path, key.value)] = key.start_mark.line + 1
                visit(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                lines[(*path, index)] = value.start_mark.line + 1
                visit(value, (*path, index))

    visit(yaml.compose(text, Loader=yaml.SafeLoader), ())
    return lines


def where(path: Path, lines: Mapping[Location, int], location: Location) -> str:
    """`file:line: key.path`, with the line of the nearest enclosing key that exists."""
    return f"{path.name}:{_line(lines, location)}: {'.'.join(map(str, location)) or 'the manifest'}"


def _line(lines: Mapping[Location, int], location: Location) -> int:
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


def did_you_mean(name: str, names: list[str]) -> str:
    """A sentence with the nearest of `names`, or with all of them when none is near."""
    near = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {near[0]!r}?" if near else f" There is: {', '.join(names)}."


def explained(error: ValidationError, path: Path, lines: Mapping[Location, int], model: type[BaseModel]) -> str:
    """Pydantic's complaints about a manifest, a line each, for the person who wrote it, from top to bottom.

    Args:
        error: the complaints.
        path: the manifest.
        lines: of its keys.
        model: what the manifest should have been.
    """
    told = {tuple(problem["loc"]): problem for problem in error.errors()}
    # That a whole is too short is no news when its only part was refused.
    causes = [loc for loc in told if not any(other[: len(loc)] == loc != other for other in told)]
    found = []
    for loc in causes:
        location = tuple(step for step in loc if step != "[key]")
        message = IN_OTHER_WORDS.get(told[loc]["type"]) or told[loc]["msg"].removeprefix("Value error, ")
        if told[loc]["type"] == "extra_forbidden":
            message = f"no such key.{did_you_mean(str(location[-1]), list(_keys_at(model, location[:-1])))}"
        elif told[loc]["type"] == "missing" and isinstance(location[-1], str):
            message = "this key is required"
        found.append((_line(lines, location), f"{where(path, lines, location)}: {message}"))
    return "\n".join(text for _, text in sorted(found))


def _keys_at(model: type[BaseModel], location: Location) -> Iterator[str]:
    """The keys that a manifest may have at a place."""
    kind: Any = model
    for step in location:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = _required(kind.model_fields[str(step)].annotation)
        else:  # of a mapping, its values; of a list, its entries
            kind = _required(get_args(kind)[1 if get_origin(kind) is dict else 0])
    yield from (name for name, field in kind.model_fields.items() if not field.exclude)


def _required(annotation: Any) -> Any:
    """An annotation without its `| None`."""
    possible = [argument for argument in get_args(annotation) if argument is not type(None)]
    return possible[0] if type(None) in get_args(annotation) else annotation
