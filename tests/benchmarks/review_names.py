"""Names that the drawn catalogue of the review's benchmark is made of: print designers, actors, roles, plays.

Each in Japanese and in Roman letters. They are put together by rule; the few real ones are those of print designers
of two hundred years ago, whom everybody searches for.
"""

from itertools import accumulate, product

Name = tuple[str, str]
"""In Japanese and in Roman letters."""
Drawn = tuple[list[Name], list[float]]
"""Names and their cumulated weights."""

_DESIGNERS: tuple[Name, ...] = (
    ("歌川 豊国", "Utagawa Toyokuni"), ("歌川 国貞", "Utagawa Kunisada"), ("歌川 国芳", "Utagawa Kuniyoshi"),
    ("豊原 国周", "Toyohara Kunichika"), ("月岡 芳年", "Tsukioka Yoshitoshi"), ("勝川 春章", "Katsukawa Shunshō"),
    ("東洲斎 写楽", "Tōshūsai Sharaku"), ("鳥居 清長", "Torii Kiyonaga"),
)  # fmt: skip
_FIRST: tuple[Name, ...] = (
    ("国", "Kuni"), ("豊", "Toyo"), ("芳", "Yoshi"), ("春", "Haru"), ("清", "Kiyo"), ("重", "Shige"), ("英", "Ei"),
    ("貞", "Sada"), ("広", "Hiro"), ("北", "Hoku"), ("長", "Naga"), ("信", "Nobu"), ("政", "Masa"), ("周", "Chika"),
    ("年", "Toshi"), ("梅", "Ume"),
)  # fmt: skip
_SECOND: tuple[Name, ...] = (
    ("麿", "maro"), ("次", "tsugu"), ("直", "nao"), ("丸", "maru"), ("勝", "katsu"), ("山", "yama"), ("景", "kage"),
    ("秀", "hide"), ("光", "mitsu"), ("虎", "tora"), ("輝", "teru"), ("宣", "nobu"), ("満", "mitsu"), ("久", "hisa"),
    ("員", "kazu"), ("幾", "iku"), ("艶", "tsuya"), ("綱", "tsuna"), ("盛", "mori"), ("房", "fusa"),
)  # fmt: skip
_SCHOOLS: tuple[Name, ...] = (
    ("歌川 ", "Utagawa "), ("勝川 ", "Katsukawa "), ("鳥居 ", "Torii "), ("菊川 ", "Kikukawa "), ("豊原 ", "Toyohara "),
    ("月岡 ", "Tsukioka "), ("喜多川 ", "Kitagawa "), ("北尾 ", "Kitao "), ("鈴木 ", "Suzuki "), ("落合 ", "Ochiai "),
)  # fmt: skip
_HOUSES: tuple[Name, ...] = (
    ("市川", "Ichikawa "), ("尾上", "Onoe "), ("中村", "Nakamura "), ("坂東", "Bandō "), ("沢村", "Sawamura "),
    ("岩井", "Iwai "), ("瀬川", "Segawa "), ("松本", "Matsumoto "), ("片岡", "Kataoka "), ("嵐", "Arashi "),
)  # fmt: skip
_STEMS: tuple[Name, ...] = (
    ("菊", "Kiku"), ("宗十", "Sōjū"), ("三津五", "Mitsugo"), ("半四", "Hanshi"), ("幸四", "Kōshi"), ("仁左", "Niza"),
    ("歌右", "Utae"), ("梅", "Bai"), ("団", "Dan"), ("蝦", "Ebi"),
)  # fmt: skip
_ENDINGS: tuple[Name, ...] = (("郎", "rō"), ("助", "suke"), ("之丞", "nojō"), ("蔵", "zō"), ("衛門", "emon"))
_GENERATIONS: tuple[Name, ...] = (("", ""), ("二代目", " II"), ("三代目", " III"), ("五代目", " V"))
_ROLES: tuple[Name, ...] = (
    ("由良之助", "Yuranosuke"), ("助六", "Sukeroku"), ("揚巻", "Agemaki"), ("弁慶", "Benkei"), ("富樫", "Togashi"),
    ("松王丸", "Matsuōmaru"), ("桜丸", "Sakuramaru"), ("五郎", "Gorō"), ("十郎", "Jūrō"), ("お軽", "Okaru"),
    ("勘平", "Kanpei"), ("暫", "Shibaraku"), ("鳴神", "Narukami"), ("お岩", "Oiwa"), ("伊右衛門", "Iemon"), ("", ""),
)  # fmt: skip
_PLAYS: tuple[Name, ...] = (
    ("仮名手本忠臣蔵", "Kanadehon Chūshingura"), ("菅原伝授手習鑑", "Sugawara Denju Tenarai Kagami"),
    ("義経千本桜", "Yoshitsune Senbonzakura"), ("助六由縁江戸桜", "Sukeroku Yukari no Edozakura"),
    ("東海道四谷怪談", "Tōkaidō Yotsuya Kaidan"), ("勧進帳", "Kanjinchō"), ("寿曽我対面", "Kotobuki Soga no Taimen"),
    ("伽羅先代萩", "Meiboku Sendai Hagi"), ("妹背山婦女庭訓", "Imoseyama Onna Teikin"), ("鳴神", "Narukami"),
    ("暫", "Shibaraku"), ("青砥稿花紅彩画", "Aotozōshi Hana no Nishikie"),
)  # fmt: skip
_SCENES: tuple[Name, ...] = tuple(
    (f"{act}{scene[0]}", f" {scene[1]}, {place}")
    for place, act in enumerate("序二三四五六七八九", start=1)
    for scene in (("段目", "act"), ("幕", "scene"), ("之図", "picture"))
)


def _joined(*parts: tuple[Name, ...]) -> list[Name]:
    return [("".join(each[0] for each in one), "".join(each[1] for each in one)) for one in product(*parts)]


def _zipf(names: list[Name]) -> Drawn:
    """The n-th name is drawn 1/n times as often as the first."""
    return names, list(accumulate(1 / place for place in range(1, len(names) + 1)))


ARTISTS = _zipf([*_DESIGNERS, *_joined(_SCHOOLS, _FIRST, _SECOND)][:3000])
ACTORS = _zipf(
    [
        (generation[0] + kanji, name + generation[1])
        for generation, (kanji, name) in product(_GENERATIONS, _joined(_HOUSES, _STEMS, _ENDINGS))
    ]
)
ROLES = _zipf([*_ROLES])
PLAYS = _zipf([*_PLAYS])
SCENES = _zipf([*_SCENES])
