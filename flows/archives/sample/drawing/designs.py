"""Which actor plays which role in which stance and cloth: a design, drawn by lot from tables by its seed.

Actors, painters and their names are invented; roles and plays are stock figures of the stage.
"""

from dataclasses import dataclass, replace

import numpy as np

from flows.archives.sample.drawing.head import Look
from flows.archives.sample.drawing.pigments import PALETTES
from flows.archives.sample.drawing.textiles import TEXTILES


@dataclass(frozen=True)
class Actor:
    """An invented actor, who keeps crest and face through all designs."""

    name: str
    kanji: str
    crest: str
    face: str


@dataclass(frozen=True)
class Role:
    """A part of the repertory and how it is made up, dressed and set."""

    name: str
    kanji: str
    look: Look
    hairdo: str
    poses: tuple[str, ...]
    prop: str


@dataclass(frozen=True)
class Design:
    """Everything that all impressions of one print share."""

    seed: int
    actor: Actor
    role: Role
    pose: str
    ground: str
    palette: int
    """Position in PALETTES."""
    textiles: tuple[str, str, str, str]
    """Of robe, over, under, sash."""
    repeat: float
    """Of the robe's pattern, in sheet units on a half-length figure."""
    mirrored: bool
    painter: str
    year: int
    subject: str = "actor"
    """`actor` or `landscape`."""


ACTORS: tuple[Actor, ...] = (
    Actor("Aogiri Danshichi", "青桐団七", "three squares", "long jaw"),
    Actor("Kasumigawa Hanroku", "霞川半六", "fan", "hawk"),
    Actor("Fujinami Shigure", "藤浪しぐれ", "plum", "slender"),
    Actor("Inabaya Toragorō", "稲葉谷虎五郎", "four diamonds", "heavy"),
    Actor("Mizuki Kohana", "水木小花", "bull's eye", "round"),
    Actor("Sawanoi Rikizō", "沢の井力蔵", "three leaves", "square"),
    Actor("Tachibanaya Monjirō", "橘谷紋次郎", "nine stars", "slender"),
    Actor("Kurotori Ganpachi", "黒鳥岩八", "scales", "long jaw"),
)
PAINTERS = ("Sample-school Ichimatsu", "Sample-school Asanoha", "Sample-school Seigaiha")

HERO = Look("glare", "set", skin="white", kuma="suji")
YOUNG_HERO = Look("glare", "open", skin="white", kuma="mukimi")
GHOST = Look("glare", "open", skin="white", kuma="ippon", kuma_pigment="bero")
VILLAIN = Look("glare", "set", beard=True)
LORD = Look("calm", "set", beard=True)
YOUTH = Look("calm", "set", blush="rose")
GIRL = Look("calm", "small", skin="white", blush="rose")
COURTESAN = Look("lowered", "small", skin="white", blush="rose")

ROLES: tuple[Role, ...] = (
    Role("Kamakura Gongorō", "鎌倉権五郎", HERO, "spiked", ("square sleeves",), "sword"),
    Role("Yaoya Oshichi", "八百屋お七", GIRL, "shimada", ("long sleeves",), "letter"),
    Role("Ashikaga Yorikane", "足利頼兼", YOUTH, "forelock", ("bust", "wing vest"), "fan"),
    Role("Soga no Gorō", "曽我五郎", YOUNG_HERO, "spiked", ("stride", "arms spread"), "sword"),
    Role("Agemaki", "揚巻", COURTESAN, "courtesan", ("trailing", "long sleeves"), "umbrella"),
    Role("Nikki Danjō", "仁木弾正", VILLAIN, "topknot", ("bust", "arms spread"), "sword"),
    Role("Hanakawado Sukeroku", "花川戸助六", YOUNG_HERO, "headband", ("arms spread", "stride"), "umbrella"),
    Role("Taira no Tomomori", "平知盛", GHOST, "mane", ("square sleeves", "arms spread"), "sword"),
    Role("Kiyohime", "清姫", COURTESAN, "shimada", ("trailing",), "fan"),
    Role("Enya Hangan", "塩冶判官", LORD, "cap", ("wing vest",), "fan"),
    Role("Kirare Yosa", "切られ与三", YOUTH, "scarf", ("bust", "stride"), "letter"),
    Role("Matsuōmaru", "松王丸", VILLAIN, "mane", ("wing vest", "square sleeves"), "sword"),
    Role("Akoya", "阿古屋", GIRL, "courtesan", ("long sleeves", "trailing"), "fan"),
)  # fmt: skip

GROUND_ORDER = (
    "mica",
    "cherry",
    "sky",
    "waves",
    "blinds",
    "dusk",
    "curtain",
    "snow",
    "plain",
    "screen",
    "pine",
)
WOMEN = ("shimada", "courtesan")
REPEATS = (6.5, 8.0, 10.0, 12.0)


def design(seed: int) -> Design:
    """The design of this seed; neighbours differ in role, ground, palette and robe by construction."""
    random = np.random.default_rng((seed, 1))
    role = ROLES[seed % len(ROLES)]
    women = role.hairdo in WOMEN
    troupe = [actor for actor in ACTORS if (actor.face in ("slender", "round")) == women]
    names = list(TEXTILES)
    robe = names.pop(seed * 5 % len(names))
    over, under, sash = (str(name) for name in random.permutation(names)[:3])
    return Design(
        seed=seed,
        actor=troupe[seed // 2 % len(troupe)],
        role=role,
        pose=role.poses[seed // len(ROLES) % len(role.poses)],
        ground=GROUND_ORDER[seed % len(GROUND_ORDER)],
        palette=seed * 4 % len(PALETTES),
        textiles=(robe, over, under, sash),
        repeat=REPEATS[int(random.integers(len(REPEATS)))],
        mirrored=bool(seed % 5 in (1, 3)),
        painter=PAINTERS[int(random.integers(len(PAINTERS)))],
        year=int(random.integers(1847, 1868)),
    )


def landscape(seed: int) -> Design:
    """A view with a mountain and the sea; the actor stays unnamed on it."""
    return replace(design(seed), subject="landscape")
