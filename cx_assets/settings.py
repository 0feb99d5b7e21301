"""What an operator may set, by environment variables that begin with `CX_`, each with a default and bounds.

Belongs here: where things are and how much of the machine they may use. Does not: what the methods do (that is the
configuration of their assets) or what the data look like (that is the dataset's manifest).
"""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DATABASE = "cx.duckdb"
"""The name of the database in a folder that readers use."""


class Settings(BaseSettings):
    """The operator's settings, read from the environment each time it is made."""

    model_config = SettingsConfigDict(env_prefix="CX_", frozen=True)

    dataset: str = Field(
        default="complete_journey",
        description="The dataset: the name of a manifest that ships, or the path of your own.",
    )
    data_dir: Path = Field(default=Path("data"), description="The folder for all that a run makes.")
    memory_limit: str = Field(
        default="1GB",
        pattern=r"^\d+(\.\d+)?\s?(MB|GB|MiB|GiB)$",
        description="What DuckDB may hold in memory before it spills to disk, for example 4GB.",
    )
    threads: int = Field(default=2, ge=1, le=256, description="Threads that DuckDB may use.")
    lock_timeout_seconds: float = Field(
        default=600, ge=0, description="How long a run waits for another one to finish writing, in seconds."
    )
    rejected_limit: float = Field(
        default=0.02, ge=0, le=1, description="The share of rejected events above which a load is refused."
    )
    key: SecretStr | None = Field(
        default=None, description="The master key of a dataset with personal data: 32 random bytes as hex or base64."
    )
    key_file: Path | None = Field(default=None, description="A file with the master key, instead of the key itself.")
    vault: Path | None = Field(default=None, description="The file of the vault; vault.sqlite in the data folder.")

    @property
    def vault_path(self) -> Path:
        """The file with who the customers are, encrypted."""
        return self.vault.absolute() if self.vault else self.data_dir.absolute() / "vault.sqlite"

    @property
    def home(self) -> Path:
        """Dagster's instance folder: run history, schedules' state and logs."""
        return self.data_dir.absolute() / "dagster"

    @property
    def warehouse_path(self) -> Path:
        """The working database. Only runs open it; readers use what was published."""
        return self.data_dir.absolute() / "working.duckdb"

    @property
    def backtest_dir(self) -> Path:
        """Where readers find the tables of the last backtest."""
        return self.data_dir.absolute() / "backtest"

    @property
    def published_dir(self) -> Path:
        """What readers use: cx.duckdb, Parquet files and the report."""
        return self.data_dir.absolute() / "published"
