"""Settings of the night: archives, pace, recipes, devices. Extends those of the review page, and they the catalogue's.

Read once at an entry point (`flows.cli.app`, or `flows.nightly` under a worker) and passed down. Importing reads
nothing. Archives are tables of `nishiki.toml`:

    [archives.theatre]
    address = "https://archive.example/oai"
    genres = ["役者絵"]
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from db.review.settings import ReviewSettings
from flows.addresses import shown
from flows.alarm.addresses import MAIL_ADDRESS, MailServer, WebhookAddress
from flows.archives.options import OPTIONS, AnyOptions, AutoOptions
from flows.archives.registry import Protocol, is_folder
from flows.archives.values.permission import Permission
from flows.archives.web.quiet_hours import QuietHours
from flows.errors import Faults, Misused
from flows.logs import Form, Level
from flows.matching.weights import MatchWeights
from flows.schedule import Schedule

UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
_AN_ARCHIVE: Final = '[archives.NAME] with address = "…" below it, in nishiki.toml'
ACTOR_PRINTS = ("役者絵", "yakusha-e", "actor print")


def user_cache() -> Path:
    """Where weights are kept for every home of this user (XDG base directories)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nishiki" / "weights"


def _read_by(reader: Callable[[str], object]) -> Callable[[SecretStr], SecretStr]:
    """A check whose words quote nothing of what it reads."""

    def check(given: SecretStr) -> SecretStr:
        reader(given.get_secret_value())
        return given

    return check


def _mail_address(given: str) -> str:
    if not MAIL_ADDRESS.fullmatch(given):
        raise ValueError("give a mail address alone, NAME@HOST")
    return given


class ArchiveSettings(BaseModel):
    """One archive that the operator named; what else its table holds are the options of its protocol."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    address: str = Field(
        min_length=1, description="A folder, or the base URL of an OAI-PMH repository.", examples=[_AN_ARCHIVE]
    )
    protocol: Protocol = Field(
        default=Protocol.AUTO,
        description=f"{', '.join(Protocol)}; `auto`: a path is a folder, a web address is asked once what it speaks.",
    )
    genres: tuple[str, ...] | Literal["all"] | None = Field(
        default=None,
        examples=[("役者絵",)],
        description='Genre values whose records are content, or "all"; left out: `genres`, and all for a folder.',
    )
    pace_s: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        description="Seconds between two requests to this archive; left out: `pace_s`.",
    )

    quiet_hours: str = Field(
        default="",
        max_length=100,
        description="Hours in which this archive is not asked, by its own clock, such as `09:00-18:00 Asia/Tokyo`.",
    )
    most_requests: int = Field(
        default=0,
        ge=0,
        description="Requests to one host of it on one day (UTC) at most, over all harvests; 0: any number.",
    )
    undescribed_pictures: Literal["hold", "free"] = Field(
        default="hold",
        description="Of a folder that a table describes: the pictures that no row of it reaches are held back, or free "
        "as the operator's own (tables of other names are passed over then); what an unclear row may mean stays held.",
    )
    allow_private: bool = Field(
        default=False,
        description="Let the archive's host name lead into a private network, as in an institution's own.",
    )

    permission: Permission | None = Field(
        default=None,
        description="A written permission of the holder, as a table: `reference`, `document`, `given`, `scope`, and, "
        "where it covers some records only, `holders` or `identifiers`.",
    )
    options: AnyOptions = Field(default=AutoOptions(), description="The protocol's own settings.")

    @model_validator(mode="before")
    @classmethod
    def _sorted_out(cls, table: Any) -> Any:
        """A table as a person writes it: the options of its protocol apart, its host where none is named."""
        if not isinstance(table, dict) or "options" in table:
            return table
        protocol = table.get("protocol", Protocol.AUTO)
        known = next((each for each in Protocol if each == protocol), Protocol.AUTO)
        home = {"address": known.home} if known.home else {}
        own = {name: value for name, value in table.items() if name in cls.model_fields}
        rest = {name: value for name, value in table.items() if name not in cls.model_fields}
        return {**home, **own, "options": {"protocol": known.value, **rest}}

    @field_validator("quiet_hours")
    @classmethod
    def _hours(cls, text: str) -> str:
        if text:
            QuietHours.read(text)
        return text

    @field_serializer("address", when_used="json")
    def _shown_address(self, address: str) -> str:
        """The form that Prefect keeps with a flow run's parameters."""
        return shown(address) if "://" in address else address

    @property
    def is_folder(self) -> bool:
        """Do its files lie on this machine?"""
        return is_folder(self.protocol, self.address)


class Settings(ReviewSettings):
    """All settings; each can be given as `NISHIKI_` and its name in capitals, or in `nishiki.toml`."""

    archives: Mapping[str, ArchiveSettings] = Field(
        default_factory=dict, description="Archives by name, as tables of nishiki.toml.", examples=[_AN_ARCHIVE]
    )
    genres: tuple[str, ...] = Field(
        default=ACTOR_PRINTS,
        description="Genre values that mean actor prints where an archive names none of its own.",
    )
    colorize_toned: bool = Field(
        default=False,
        description="Colorize ink on toned paper too; among it are prints that never had colour (sumizuri-e).",
    )
    contact: str = Field(
        default="",
        max_length=200,
        description="Mail or URL of a person, sent to archives with every request.",
    )
    pace_s: Annotated[float, Field(ge=0, le=3600)] | None = Field(
        default=None, description="Least seconds between two requests to one host; left out: 5, and 0 on this machine."
    )
    archive_retries: int = Field(
        default=1,
        ge=0,
        le=10,
        description="Times that an archive which did not answer is tried again in one night.",
    )
    archive_retry_pause_s: float = Field(default=10.0, ge=0, le=3600, description="Seconds before such a retry.")
    full_listing_days: int = Field(
        default=30,
        ge=0,
        le=3650,
        description="Days after which an archive that does not tell what it deleted is listed whole again, to find "
        "what is gone; 0: any archive, at every harvest.",
    )
    full_listing_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Largest share of an archive's records that such a list may withdraw; beyond it a person is asked.",
    )
    overlap_hours: float = Field(
        default=48,
        ge=0,
        le=8760,
        description="Hours before the last harvest from which on an archive is asked for changes: what it dated back, "
        "or entered late, is found within them.",
    )
    lasting_nights: int = Field(
        default=5,
        ge=1,
        le=365,
        description="Nights on which a picture fails before it is called broken; it is asked for again all the same.",
    )
    longest_pause_nights: int = Field(
        default=30,
        ge=1,
        le=365,
        description="Longest pause before a failed picture is asked for again, in nights; the first are 1, 2, 4, 8.",
    )
    max_picture_bytes: int = Field(
        default=300_000_000, ge=1000, description="Bytes from which on a picture is refused."
    )
    max_pixels: int = Field(
        default=200_000_000,
        ge=10_000,
        description="Pixels from which on a picture is refused before it is decoded.",
    )

    encoder: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="Encoder by name, see `nishiki weights list`; left out: the one that the recipe was tuned for, "
        "or any full VGG-19 in its place, else `nishiki-small`.",
    )
    weights_dir: UserPath | None = Field(
        default=None, description="Folder with encoders of your own as safetensors, such as the original VGG-19."
    )
    cache_dir: UserPath = Field(
        default_factory=user_cache, description="Folder for downloaded and for random-seeded weights."
    )
    candidates: int = Field(default=5, ge=1, le=100, description="Style images kept for each content image.")
    match_weights: MatchWeights = Field(
        default=MatchWeights(),
        description="What counts how much in a match, as a table of nishiki.toml; docs/matching.md has each.",
    )
    learn_from_verdicts: bool = Field(
        default=True,
        description="Refit `match_weights` from curators' verdicts, where that does better on verdicts kept out.",
    )
    style_share: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="Largest share of a night's pictures that one style print serves, its own design apart.",
    )
    match_memory_mb: int = Field(
        default=512,
        ge=64,
        le=1_000_000,
        description="Memory for the vectors among which matching looks for the nearest, in MB; with less, the "
        "catalogue is read more often.",
    )

    recipe: str = Field(default="nishiki/colour", description="Recipe of the night; `nishiki recipes` lists them.")
    further_recipes: tuple[str, ...] = Field(
        default=(),
        examples=[("cieluv_net/prints-areas",)],
        description="Recipes that the night carries out besides, on the same contents, to compare with; as a list: "
        '["cieluv_net/prints-areas"].',
    )
    size: Annotated[int, Field(ge=32, le=8192)] | None = Field(
        default=None, description="Long edge of results in pixels; left out: the recipe's."
    )
    iterations: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        default=None, description="Evaluations for each picture; left out: the recipe's."
    )
    styles: Annotated[int, Field(ge=1, le=5)] | None = Field(
        default=None,
        description="Style images that each region of a content chooses from, at most, where the recipe can; "
        "left out: the recipe's.",
    )
    least_trust: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Trust in its colours that a result needs, from 0 to 1, where the recipe tells it; one with less "
        "is rejected. Left out: the recipe's.",
    )
    least_trust_area: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Trust that an area needs to be coloured, from 0 to 1, where the recipe tells it; the rest is "
        "left in the paper's tone, which the result says. Left out: the recipe's.",
    )
    night_cron: str = Field(
        default="0 1 * * *",
        max_length=100,
        description="When `nishiki serve` begins a night, as cron writes it: minute, hour, day, month, weekday.",
    )
    night_zone: str = Field(
        default="Asia/Tokyo", max_length=100, description="The time zone of `night_cron`, such as Europe/Berlin."
    )
    alarm_after_h: float = Field(
        default=48.0,
        ge=1,
        le=8760,
        description="Hours without a night that began or succeeded, after which `nishiki alarm` tells.",
    )
    alarm_least_harvest: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the fewest records that an archive listed in seven nights; `nishiki alarm` tells where "
        "the last night brought less.",
    )
    alarm_webhook: Annotated[SecretStr, AfterValidator(_read_by(WebhookAddress.read))] | None = Field(
        default=None, description="Address that the alarm is posted to, as a chat program shows it; secret."
    )
    alarm_mail_to: tuple[Annotated[str, AfterValidator(_mail_address)], ...] = Field(
        default=(), description="Addresses that the alarm is mailed to.", examples=[("a@b.example",)]
    )
    alarm_mail_from: Annotated[str, AfterValidator(_mail_address)] | None = Field(
        default=None, description="Whom that mail is from; left out: the first of `alarm_mail_to`."
    )
    alarm_mail_server: Annotated[SecretStr, AfterValidator(_read_by(MailServer.read))] | None = Field(
        default=None,
        description="What takes the mail: smtps://USER:PASSWORD@HOST, smtp:// where STARTTLS encrypts, "
        "smtp+plain://HOST; secret.",
    )
    report_send: bool = Field(
        default=False, description="Send the report on every night by the alarm's webhook and mail, too."
    )
    report_language: Literal["en", "ja"] = Field(
        default="en", description="Language of the report on a night that is written and sent: `en` or `ja`."
    )
    report_links: str = Field(
        default="",
        max_length=500,
        pattern=r"^(https?://[^\s\"'<>]+)?$",
        description="Address by which people open the review page, such as https://nishiki.museum.example: the report "
        "links to it. Left out: the report has no links.",
    )
    limit: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Attempts that one night takes on at most; left out: all that are due."
    )
    device: str = Field(default="auto", description="`auto` (every GPU, else the CPU), `cpu`, `cuda` or `cuda:N`.")
    executor: Literal["processes", "work-pool", "ray"] = Field(
        default="processes",
        description="What carries out the work: `processes`, one for each device of this machine; `work-pool`, workers "
        "of Prefect on any machines; `ray`, a Ray cluster.",
    )
    shards: Mapping[str, Annotated[int, Field(ge=1, le=10_000)]] = Field(
        default={"shard/cpu": 1},
        min_length=1,
        description="With `work-pool`: runs that a batch is sent as, by deployment, such as one for each GPU.",
    )
    cpu_processes: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="Colorizing processes of one thread each; left out: one for each core."
    )
    precision: Literal["auto", "bfloat16", "float32", "float64"] = Field(
        default="auto",
        description="What the encoder computes in; `auto`: bfloat16 where the device has units for it, else float32.",
    )
    checkpoint_s: float = Field(
        default=60.0,
        ge=0,
        le=86_400,
        description="Seconds between two checkpoints of a picture in work; 0: after every iteration.",
    )
    minibatch_size: int = Field(
        default=16, ge=1, le=256, description="Pictures of equal size that make one task, at most."
    )
    prefect_wait_s: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="Seconds that a command waits for Prefect's server; after them it goes on without.",
    )
    log_level: Level = Field(
        default="ERROR",
        description="Least level of the log on standard error; from INFO on with Prefect's and other libraries' lines.",
    )
    log_format: Form = Field(
        default="text",
        description="Form of the log: `text`, or `json` with one object a line, which also has what commands tell.",
    )
    max_tries: int = Field(
        default=3,
        ge=1,
        le=20,
        description="Failed attempts after which a match is left to a person, and colorizing processes that may die "
        "over a picture before it is set aside.",
    )
    hung_after_s: float = Field(
        default=3600.0,
        ge=1,
        le=86_400,
        description="Seconds without a word from a colorizing process after which it is taken to hang, and is ended.",
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: PydanticBaseSettingsSource, **kwargs: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """As the catalogue's; a name that is no setting's, such as a misspelt one, is refused wherever it stands.

        Raises:
            UnknownSettings: there is one.
        """
        init, env, dotenv, toml = super().settings_customise_sources(settings_cls, *args, **kwargs)
        variables = (*_unknown_variables(env, "the environment"), *_unknown_variables(dotenv, ".env"))
        if unknown := (*variables, *_unknown(toml)):
            raise UnknownSettings(unknown)
        return init, env, dotenv, toml

    @field_validator("night_cron")
    @classmethod
    def _names_a_time(cls, cron: str) -> str:
        return Schedule.read(cron, "UTC").cron

    @field_validator("night_zone")
    @classmethod
    def _names_a_zone(cls, zone: str) -> str:
        return Schedule.read("0 1 * * *", zone).zone.key

    @property
    def schedule(self) -> Schedule:
        """When `nishiki serve` begins a night."""
        return Schedule.read(self.night_cron, self.night_zone)

    @property
    def exact_precision(self) -> Literal["bfloat16", "float32", "float64"] | None:
        """The precision asked for; None is the device's to say."""
        return None if self.precision == "auto" else self.precision

    def archive_of(self, word: str) -> tuple[str, ArchiveSettings]:
        """Name and address of an ARCHIVE as a person gives it: a name of nishiki.toml, a URL, or a folder.

        A folder or URL that nishiki.toml names goes by that name, so that it is not harvested as two archives.
        """
        if word in self.archives:
            return word, self.archives[word]
        given = ArchiveSettings(address=word)
        address = str(Path(word).resolve()) if given.is_folder else word
        for name, archive in self.archives.items():
            named = str(Path(archive.address).resolve()) if archive.is_folder else archive.address
            if address == named:
                return name, archive
        return (address if given.is_folder else shown(word)), ArchiveSettings(address=address)

    def permission_for(self, name: str) -> Permission | None:
        """What was written to the operator for an archive of nishiki.toml."""
        return self.archives[name].permission if name in self.archives else None

    def genres_of(self, archive: ArchiveSettings) -> tuple[str, ...] | None:
        """Genre values of an archive whose records are content; None is all."""
        if archive.genres is None:
            return None if archive.is_folder else self.genres
        return None if archive.genres == "all" else archive.genres


class UnknownSettings(SettingsError):
    """Names that are no setting's."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("; ".join(sentences))


_FIELD = re.compile('for field "([a-z0-9_]+)"')


def as_far_as_right(**given: Any) -> tuple[Settings, list[Exception]]:
    """The settings, and what is wrong with them, in whose place the defaults stand: to look for what else is wrong.

    Raises:
        Misconfigured, Misused: so much is wrong that there are none to look with.
    """
    wrong: list[Exception] = []
    try:
        return Settings(**given), wrong
    except UnknownSettings as error:
        wrong += map(Misused, error.sentences)
    except (ValidationError, SettingsError):
        pass
    without: list[tuple[int | str, ...]] = []
    while True:
        right: type[_Right] = type("_RightBut", (_Right,), {"wrong": without})
        try:
            return right(**given), wrong
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            places = [_place(each["loc"]) for each in found]
            told = [
                each
                for each, at in zip(found, places, strict=True)
                if not (_above(at, without) or _misspelt(each, found))
            ]
            wrong += [Misused(_wrong_sentence(each)) for each in told]
        except SettingsError as error:  # a list or table that is no JSON
            field = _FIELD.findall(str(error))
            places = [tuple(field)]
            named = f"{field[0]} cannot be read as JSON{_remedy(field)}" if field else f"{error} cannot be read"
            wrong.append(Misused(f"the setting {named}"))
        # what is still wrong without it, such as what is missing, makes the whole above it wrong
        further = [place[: -1 if place in without else None] for place in places]
        if not all(further):
            Faults(wrong).tell()
        without += further


def without_file(**given: Any) -> Settings:
    """Those of the environment and .env alone, where nishiki.toml cannot be read and somebody has to be told so.

    Raises:
        Misused: they cannot be used either.
    """
    try:
        return _WithoutFile(**given)
    except (ValidationError, SettingsError):
        raise Misused("neither nishiki.toml nor the settings of the environment can be used") from None


class _WithoutFile(Settings):
    model_config = SettingsConfigDict(toml_file=None)


def _above(place: Sequence[int | str], places: Sequence[Sequence[int | str]]) -> bool:
    """Is it one of them, or what one of them stands in? That it lacks something then follows from what was told."""
    return any(tuple(each[: len(place)]) == tuple(place) for each in places)


class _Right(Settings):
    """The settings of which some places are left out, and unknown names never asked about."""

    wrong: ClassVar[Sequence[Sequence[int | str]]] = ()

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: PydanticBaseSettingsSource, **kwargs: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        *others, toml = super(Settings, cls).settings_customise_sources(settings_cls, *args, **kwargs)
        assert isinstance(toml, TomlConfigSettingsSource)  # and it has to stay one
        toml.init_kwargs = _without(toml.init_kwargs, cls.wrong)
        return *(InitSettingsSource(settings_cls, _read_without(each, cls.wrong)) for each in others), toml


def _read_without(source: PydanticBaseSettingsSource, places: Sequence[Sequence[int | str]]) -> dict[str, Any]:
    """What it has besides; a variable that is left out need not be readable."""
    if isinstance(source, EnvSettingsSource):
        names = {f"{Settings.model_config['env_prefix']}{'.'.join(map(str, place))}".lower() for place in places}
        source.env_vars = {name: value for name, value in source.env_vars.items() if name not in names}
    return _without(source(), places)


def _without(values: dict[str, Any], places: Sequence[Sequence[int | str]]) -> dict[str, Any]:
    """A copy without what stands at these places."""
    left = deepcopy(values)
    for place in places:
        node: Any = left
        for key in place:
            inner = node.get(key) if isinstance(node, dict) else None
            if not isinstance(inner, dict) or key == place[-1]:
                break
            node = inner
        if isinstance(node, dict):
            node.pop(key, None)
    return left


def _misspelt(error: Any, found: Iterable[Any]) -> bool:
    """Is it that something is missing, which is there by a name near to its own? Of that name is told by itself."""
    if error["type"] != "missing":
        return False
    *above, name = _place(error["loc"])
    unknown = [_place(each["loc"]) for each in found if each["type"] == "extra_forbidden"]
    return bool(get_close_matches(str(name), [str(each[-1]) for each in unknown if [*each[:-1]] == above], 1))


_WORDS: Final[Mapping[str, str]] = {
    "missing": "it is missing; give it",
    "string_type": 'give a text in quotation marks, "…"',
    "tuple_type": "give a list",
    "dict_type": "give a table",
    "model_type": "give a table",
}
"""What pydantic says in Python's terms."""
_SEE: Final[Mapping[str, str]] = {
    "archives": "see README.md",
    "match_weights": "see docs/matching.md",
}
"""Where more is told of what `.env.example` does not have."""
_TABLES: Final[Mapping[tuple[str, ...], tuple[str, Iterable[str]]]] = {
    ("match_weights",): ("weight of a match", MatchWeights.model_fields),
    ("archives", "permission"): ("setting of a permission", Permission.model_fields),
}


def _wrong_sentence(error: Any) -> str:
    """Which setting, and what is wrong; never its value, which may hold a password."""
    said = _WORDS.get(error["type"], error["msg"].removeprefix("Value error, "))
    if not error["loc"]:  # several that do not go together
        return f"the settings cannot be used: {said}; see .env.example"
    *above, name = map(str, _place(error["loc"]))
    place = ".".join((*above, name))
    if error["type"] != "extra_forbidden":
        return f"the setting {place} cannot be used: {said}{_remedy(_place(error['loc']))}"
    kind, known = _TABLES.get((above[0], *above[2:]), ("", ()))
    told = f"{kind}{_nearest(name, known, see=_SEE[above[0]])}" if kind else _of_an_archive(name, error["loc"])
    return f"{place} in nishiki.toml is no {told}"


def _remedy(place: Sequence[int | str]) -> str:
    """An example, where it is a list or a table, and where more is told."""
    fields, name = (ArchiveSettings.model_fields, place[2]) if len(place) > 2 else (Settings.model_fields, place[0])
    value = (fields[str(name)].examples or [fields[str(name)].default])[0] if name in fields else None
    listed = isinstance(value, tuple | dict)
    example = json.dumps(value, ensure_ascii=False) if listed else value if value == _AN_ARCHIVE else ""
    return f"{example and ', such as '}{example}; {_SEE.get(str(place[0]), 'see .env.example')}"


def _place(loc: Sequence[int | str]) -> tuple[int | str, ...]:
    """Where it stands in nishiki.toml: a protocol's options stand in the archive's own table."""
    return (*loc[:2], *loc[4:]) if tuple(loc[2:3]) == ("options",) else tuple(loc)


def _of_an_archive(name: str, loc: Sequence[int | str]) -> str:
    others = [protocol for protocol, options in OPTIONS.items() if name in options.model_fields]
    protocol = str(loc[3]) if tuple(loc[2:3]) == ("options",) else ""
    if others and protocol == Protocol.AUTO:
        told = f'it is one of the protocol {others[0]}: protocol = "{others[0]}"'
        return f"setting of an archive whose protocol is not named; {told}"
    if others:
        return f"setting of an archive of the protocol {protocol}; it is one of {', '.join(others)}"
    own = OPTIONS[protocol].model_fields if protocol in OPTIONS else {}
    return f"setting of an archive{_nearest(name, [*ArchiveSettings.model_fields, *own], see=_SEE['archives'])}"


_SPOKEN_TO_TESTS = re.compile("nishiki_(shared|test_.*)")


def _unknown_variables(source: Any, place: str) -> Iterator[str]:
    prefix = str(Settings.model_config["env_prefix"])
    ours = (each.lower() for each in source.env_vars if each.upper().startswith(prefix))
    for variable in sorted(each for each in ours if not _SPOKEN_TO_TESTS.fullmatch(each)):
        if (name := variable[len(prefix) :]) not in Settings.model_fields:
            nearest = _nearest(name, Settings.model_fields, lambda found: f"{prefix}{found.upper()}")
            yield f"{prefix}{name.upper()} in {place} is no setting{nearest}"


def _unknown(toml: PydanticBaseSettingsSource) -> Iterator[str]:
    for key in sorted(toml().keys() - Settings.model_fields.keys()):
        yield f"{key} in nishiki.toml is no setting{_nearest(key, Settings.model_fields)}"


def _nearest(
    name: str, known: Iterable[str], shown_as: Callable[[str], str] = str, see: str = "see .env.example"
) -> str:
    found = get_close_matches(name.lower(), list(known), 1)
    return f"; the nearest is {shown_as(found[0])}" if found else f"; {see}"
