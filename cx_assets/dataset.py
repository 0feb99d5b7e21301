"""The dataset manifest: where a dataset's events, customers, items and campaigns are, and how they map.

Belongs here: the model of a manifest, finding it, and saying what is wrong with it, by line and nearest name. Does not:
reading rows (`ingestion.reader`). Nothing else in the project knows a dataset; a shop is a manifest.
"""

import difflib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

EVENT_TYPES = ("purchase", "view", "cart", "rating")
UNKNOWN = "unknown"
AttributeType = Literal["varchar", "double", "bigint", "boolean", "date"]

# YAML reads an unquoted 1 or true as a number or a boolean; as SQL they are the same words.
Sql = Annotated[str, BeforeValidator(lambda v: str(v).lower() if isinstance(v, bool) else str(v) if v is not None else v)]


class ManifestError(Exception):
    """A manifest that can't be used; the message says where and what would be right."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Part):
    """Files of one kind: in an installed package, or beside the manifest."""

    package: str | None = Field(default=None, description="An installed Python package that holds the files.")
    files: str = Field(description="A path or glob, relative to the package or to the manifest's folder.")
    format: Literal["parquet", "csv", "jsonl"] = Field(description="How the files are written.")
    delimiter: str | None = Field(default=None, description="CSV only: what separates fields; found out if left out.")
    encoding: Literal["utf-8", "utf-16", "latin-1"] = Field(default="utf-8", description="CSV only: the characters' code.")

    def folder(self, manifest_folder: Path) -> Path:
        """The folder that `files` is relative to.

        Raises:
            ManifestError: if the package isn't installed.
        """
        if self.package is None:
            return manifest_folder
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise ManifestError(f"the package {self.package!r} is not installed: pip install {self.package}")
        return Path(spec.submodule_search_locations[0])

    def paths(self, manifest_folder: Path) -> list[Path]:
        """The files that exist now, sorted by name."""
        return sorted(path for path in self.folder(manifest_folder).glob(self.files) if path.is_file())


class MissingPolicy(_Part):
    """What to do with the missing values of one column."""

    policy: Literal["drop", "constant", "mean", "median", "mode", "predict"] = Field(
        "constant",
        description="drop the row; fill with `value`; with the mean, the median or the most common value of the "
        "column; or with what a random forest predicts from the other columns",
    )
    value: str | float | None = Field(UNKNOWN, description="what `constant` fills in; the other policies ignore it")


class Attribute(_Part):
    """One descriptive column of customers or items."""

    expression: Sql = Field(description="SQL over the source's columns.")
    type: AttributeType = Field(default="varchar", description="What the values are.")
    missing: MissingPolicy = Field(default_factory=MissingPolicy, description="What is done where there is no value.")


class EventColumns(_Part):
    """A SQL expression for each canonical column of an event; what isn't given is null."""

    occurred_at: Sql
    customer_id: Sql
    item_id: Sql
    event_type: Sql
    event_id: Sql = "null"
    basket_id: Sql = "null"
    quantity: Sql = "1"
    value: Sql = "0"
    rating: Sql = "null"


class EventSource(_Part):
    """Files of events and how their columns map."""

    source: Source
    columns: EventColumns


class Customers(_Part):
    """The customers' master data."""

    source: Source
    id: Sql
    attributes: dict[str, Attribute] = Field(default_factory=dict)


class Items(_Part):
    """The items' master data."""

    source: Source
    id: Sql
    name: Sql = Field(default="null", description="What a person calls the item; its id where null.")
    category: Sql = Field(default="null", description="The level at which habits and rules are told; 'unknown' where null.")
    recommendable: Sql = Field(default="true", description="Whether the item may be recommended.")
    attributes: dict[str, Attribute] = Field(default_factory=dict)


class CampaignColumns(_Part):
    """A campaign: what it is called, its kind, its first and last day."""

    campaign_id: Sql
    campaign_type: Sql = "null"
    starts_on: Sql
    ends_on: Sql


class TargetColumns(_Part):
    """Who was meant by a campaign."""

    campaign_id: Sql
    customer_id: Sql


class ResponseColumns(_Part):
    """Who answered a campaign, when, and with what."""

    campaign_id: Sql
    customer_id: Sql
    responded_at: Sql
    detail: Sql = "null"


class Campaigns(_Part):
    """Where the campaigns are."""

    source: Source
    columns: CampaignColumns


class CampaignTargets(_Part):
    """Where the campaigns' targets are."""

    source: Source
    columns: TargetColumns


class CampaignResponses(_Part):
    """Where the campaigns' responses are."""

    source: Source
    columns: ResponseColumns


Section = EventSource | Campaigns | CampaignTargets | CampaignResponses


class Dataset(_Part):
    """A dataset as its manifest declares it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    first_day: date
    last_day: date | None = Field(default=None, description="Left out while the dataset still grows.")
    rating_scale: tuple[float, float] | None = Field(default=None, description="The lowest and the highest rating.")
    basket_event_types: tuple[Literal["purchase", "view", "cart", "rating"], ...] = ("purchase",)
    events: Annotated[tuple[EventSource, ...], Field(min_length=1)]
    customers: Customers | None = None
    items: Items | None = None
    campaigns: Campaigns | None = None
    campaign_targets: CampaignTargets | None = None
    campaign_responses: CampaignResponses | None = None
    path: Path = Field(exclude=True)

    @model_validator(mode="after")
    def _days_in_order(self) -> "Dataset":
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} is before first_day {self.first_day}")
        if self.rating_scale is not None and self.rating_scale[0] >= self.rating_scale[1]:
            raise ValueError(f"rating_scale {list(self.rating_scale)} must name the lowest, then the highest rating")
        return self

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.path.parent

    @property
    def last_known_day(self) -> date:
        """The last day that may hold events: the declared one, or today (UTC)."""
        return self.last_day or datetime.now(UTC).date()

    def days(self) -> Iterator[date]:
        """Every day from the first to the last that may hold events."""
        day = self.first_day
        while day <= self.last_known_day:
            yield day
            day += timedelta(days=1)

    def customer_attributes(self) -> dict[str, Attribute]:
        """The declared attributes of customers, by name."""
        return self.customers.attributes if self.customers else {}

    def item_attributes(self) -> dict[str, Attribute]:
        """The declared attributes of items, by name."""
        return self.items.attributes if self.items else {}


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
            raise ManifestError(f"{dataset}: no such manifest. CX_DATASET is a path from {Path.cwd().name}/ or one of {shipped_datasets()}.")
        return path
    if dataset not in shipped_datasets():
        raise ManifestError(f"CX_DATASET={dataset}: no such dataset.{did_you_mean(dataset, shipped_datasets())}")
    return Path(str(files("cx_assets") / "datasets" / f"{dataset}.yaml"))


def load_dataset(dataset: str) -> Dataset:
    """The dataset that `CX_DATASET` means, its manifest valid in itself.

    Whether its expressions fit the files is for `ingestion.reader.problems`.

    Raises:
        ManifestError: with one line per problem, each naming file, line, key and the nearest right name.
    """
    path = find_manifest(dataset)
    try:
        text = path.read_text("utf-8")
        content, lines = yaml.safe_load(text), key_lines(text)
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path.name}: not UTF-8 text: {error}") from error
    except (yaml.YAMLError, ValueError) as error:  # a ValueError is a date that no calendar has
        raise ManifestError(f"{path.name}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise ManifestError(f"{path.name}: a manifest is a mapping with at least name, title, first_day and events")
    try:
        return Dataset(**content, path=path)
    except ValidationError as error:
        raise ManifestError("\n".join(_readable(path, lines, problem) for problem in error.errors())) from error


def key_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """The line (from 1) of every key and list entry of a YAML text, by its path."""
    lines: dict[tuple[str | int, ...], int] = {}

    def visit(node: yaml.Node | None, path: tuple[str | int, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                lines[(*path, key.value)] = key.start_mark.line + 1
                visit(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                lines[(*path, index)] = value.start_mark.line + 1
                visit(value, (*path, index))

    visit(yaml.compose(text, Loader=yaml.SafeLoader), ())
    return lines


def where(path: Path, lines: dict[tuple[str | int, ...], int], location: tuple[str | int, ...]) -> str:
    """`file:line: key.path`, with the line of the nearest enclosing key that exists."""
    known = location
    while known and known not in lines:
        known = known[:-1]
    return f"{path.name}:{lines.get(known, 1)}: {'.'.join(map(str, location)) or 'the manifest'}"


def did_you_mean(name: str, names: list[str]) -> str:
    """A sentence with the nearest of `names`, or with all of them when none is near."""
    near = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {near[0]!r}?" if near else f" There is: {', '.join(names)}."


def _readable(path: Path, lines: dict[tuple[str | int, ...], int], problem: Any) -> str:
    location = tuple(problem["loc"])
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = f"no such key.{did_you_mean(str(location[-1]), _keys_at(location[:-1]))}"
    elif problem["type"] == "missing":
        message = "this key is required"
    return f"{where(path, lines, location)}: {message}"


def _keys_at(location: tuple[str | int, ...]) -> list[str]:
    """The keys that a manifest may have at a place."""
    model: Any = Dataset
    for step in location:
        if isinstance(step, int) or (isinstance(model, type) and not issubclass(model, BaseModel)):
            continue
        field = model.model_fields.get(step)
        if field is None:  # the name of an attribute
            model = Attribute
            continue
        model = next(
            (t for t in (field.annotation, *_arguments(field.annotation)) if isinstance(t, type) and issubclass(t, BaseModel)),
            model,
        )
    return [name for name in model.model_fields if name != "path"]


def _arguments(annotation: Any) -> Iterator[Any]:
    for argument in getattr(annotation, "__args__", ()):
        yield argument
        yield from _arguments(argument)
