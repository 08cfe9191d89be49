"""What words about rights mean, in Japanese and English; called by `rights.py`, decides nothing.

Each clause is read by the phrases below, in their order: what a phrase has read is taken out, so that `no restrictions`
is never read as `restrictions`. What is left must be names after a credit, or plain words that neither allow nor forbid
anything; all else is said to be not understood. A negation is never among the plain words. Another phrase is a line here,
and a line in the table of `test_rights.py`; whoever changes what is decided raises `RULES_VERSION`.
"""

# ruff: noqa: E501 - a phrase is a line

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto


class Meaning(Enum):
    """What a phrase says of derivatives."""

    FORBIDS = auto()
    SPLIT = auto()
    """It was said in one breath with its opposite."""
    ASKS = auto()
    """A person has to be asked, or a condition has to be judged by one."""
    STRANGE = auto()
    """Words that are not understood."""
    UNSETTLED = auto()
    """The archive says that it does not know."""
    FREE = auto()
    """There is no copyright, or none is claimed."""
    GRANTS = auto()
    """The holder allows derivatives."""
    NON_COMMERCIAL = auto()
    NOTICE = auto()
    """Whose copyright it is."""
    USE = auto()
    """Use is allowed, and nothing is said of derivatives."""


ALLOWS = (Meaning.FREE, Meaning.GRANTS)


@dataclass(frozen=True)
class Phrase:
    """Words as they were read, with their meaning."""

    meaning: Meaning
    words: str
    place: int = 0
    """Of a clause that holds a mark for an address: which one."""


@dataclass(frozen=True)
class Clause:
    """What one clause says; `of_data`: of the description, or a preview, rather than the picture."""

    phrases: tuple[Phrase, ...]
    of_data: bool


ADDRESS = "\ue000"
"""Stands in the text for an address, which `rights.py` judges by itself."""
_READ = "\ue001"
"""Stands where a phrase was read."""

_EASTERN = r"[\u3040-\u30ff\u3400-\u9fff]"
_OLD = str.maketrans("轉斷變權營複禁亂體濟觀國學會畫圖權权转变断营", "転断変権営複禁乱体済観国学会画図権権転変断営")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹘﹣─━", "-") | dict.fromkeys("’‘", "'"))

# English
_DERIVE = (
    r"(?:derivati\w*(?: works?)?|derivs?|adapt\w*|alter(?:\w*ations?|ed|ing)?|modif\w*|chang\w*|edit\w*|transform\w*|remix\w*"
    r"|recolou?r\w*|colou?ri[sz]\w*|manipulat\w*|crop\w*|retouch\w*|overprint\w*|distort\w*)"
)
_DO = (
    r"(?:re-?us\w*|us(?:e|es|ed|age|ing)|reproduc\w*|cop(?:y|ies|ied|ying)|duplicat\w*|(?:re)?distribut\w*"
    r"|(?:re)?publi(?:sh\w*|cations?)|download\w*|shar(?:e|ed|ing)|repost\w*|transmi\w*|exploit\w*)"
)
_ACT = rf"(?:{_DERIVE}|{_DO})"
_SOME = r"(?:[\w'-]+ ){0,4}?"
_BE = r"(?:(?:is|are|be|was|were|shall be|will be) )?"
_VERY = r"(?:(?:strictly|expressly|absolutely|explicitly|hereby|also|always|currently|generally) )*"
_FORBIDDEN = (
    rf"{_BE}{_VERY}(?:prohibited|forbidden|disallowed|banned|(?:not|never) (?:be )?(?:permitted|allowed|authori[sz]ed))"
)
_ALLOWED = rf"{_BE}{_VERY}(?:permitted|allowed|possible|ok|okay|welcome|authori[sz]ed|granted)"
_NOT = r"(?:(?:may|must|can|could|shall|should|will|do|does|is|are|to) (?:not|never)|cannot|can't|don't|mustn't|shouldn't|not to|not be|never)"
_LEAVE = r"(?:permissions?|consent|authori[sz]ation|approval|agreement|clearance|licen[cs]e fee)"
_PUBLIC = r"(?:the )?public[ -]?domain"
_COUNTRY = r"(?: only)? (?:in|within|of|for) (?:the )?(?!public)\w+"

# Japanese
_DERIVE_J = (
    "(?:改変|改編|改竄|改ざん|変更|変形|加工|翻案|編集|修正|トリミング|着色|彩色|色付け|二次的?著作物(?:の?作成)?"
    "|派生(?:物|作品|著作物)?(?:の?作成)?|合成|切り抜き|リミックス)"
)
_REUSE_J = "(?:二次利用|二次使用|2 ?次利用|再利用|二次的利用|二次創作)"
_DO_J = "(?:利用|使用|転載|転用|複製|複写|コピー|掲載|引用|再?配布|頒布|公衆送信|ダウンロード|出版|印刷|翻刻|譲渡|貸与)"
_ACT_J = f"(?:{_DERIVE_J}|{_REUSE_J}|{_DO_J})"
_LINK_J = "(?:は|を|も|の|が|に|等|など|一切|固く|堅く|厳に|厳禁|全面的?に?|行為|こと|する|について|・|:| )*"
_NOT_J = (
    "(?:禁止|厳禁|禁じ|禁ず|禁じられて|禁|不可|不許|でき(?:ません|ない|かね)|出来(?:ません|ない)|認め(?:ません|ない|られ(?:ません|ない|ておりません|ていません)|て(?:い|おり)(?:ません|ない))"
    "|許可(?:しません|しない|して(?:い|おり)ません|されて(?:い|おり)ません)|お断り|ご?遠慮|しないで|せず|しないこと|してはなりません|してはいけません|しては(?:ならない|いけない))"
)
_MAY_J = (
    "(?:自由|フリー|可能?(?!性)|OK|ok|でき(?:ます|る)|出来(?:ます|る)|いただけ(?:ます|る)|頂け(?:ます|る)|認め(?:ます|る|られ(?:ます|ている|ています)|て(?:います|いる|おります))"
    "|許可(?:します|する|されて(?:います|いる)|して(?:います|いる|おります))|し?ても?(?:よい|良い|構いません|かまいません|構わない))"
)
_UNDO_J = "(?:(?:では|じゃ|とは|するものでは)(?:ありません|ない)|し(?:て(?:い|おり))?(?:ません|ない)|されて(?:い|おり)?(?:ません|ない)|ません|ない|られて(?:い|おり)?(?:ません|ない))"
_LEAVE_J = "(?:許可|許諾|申請|承諾|承認|届け?出|手続き?|同意|連絡|相談|契約|問い?合わ?せ)"
_NONE_J = "(?:なし|無し|ありません|ございません|ない|無い|設けて(?:い|おり)ません|無(?!断))"

_F, _A, _U, _M = Meaning.FORBIDS, Meaning.ASKS, Meaning.UNSETTLED, Meaning.USE
_FREE, _GRANTS, _NC, _NOTICE = Meaning.FREE, Meaning.GRANTS, Meaning.NON_COMMERCIAL, Meaning.NOTICE
_SKIP = None
"""A phrase that says nothing by itself."""

_VERSION = r"(?:[ -]*v?(?:er(?:sion|\.)?)?\s*\d(?:\.\d)?)?(?:[ -]*(?:jp|us|uk|international|unported|generic|universal|国際|日本))?"
_ND = r"(?:[ _-]+(?:nc|sa|nd))*[ _-]+nd(?:[ _-]+(?:nc|sa))*"
_NAMED = r"(?:creative commons |cc[ -]*)"
_PARTS = r"(?:[ -]*(?:non-?commercial|share-?alike|no-?deriv(?:ative)?s?(?: works)?))"

PHRASES: tuple[tuple[Meaning | None, str], ...] = (
    (_SKIP, r"\bcopyright (?:status|statement|notice|information|term)s?(?= (?:is )?:?| ?:)"),
    # licences and statements by their names
    (_F, rf"\b(?:cc[ _-]*)?by{_ND}\b{_VERSION}"),
    (_GRANTS, rf"\b(?:cc[ _-]*by|by(?=[_-](?:nc|sa)))(?:[ _-]+(?:nc|sa))*\b(?![_-][a-z]){_VERSION}"),
    (_FREE, rf"\b(?:cc[ -]?(?:0|zero)|creative commons (?:cc)?(?:0|zero))\b{_VERSION}(?: public domain dedication)?"),
    (_FREE, rf"\bpublic domain mark\b{_VERSION}"),
    (_F, rf"\b{_NAMED}?attribution{_PARTS}*[ -]*no-?deriv(?:ative)?s?(?: works)?{_PARTS}*{_VERSION}"),
    (_GRANTS, rf"\b{_NAMED}attribution{_PARTS}*(?![ -]*(?:no|only|un))\b{_VERSION}"),
    (_GRANTS, rf"\battribution{_PARTS}+(?![ -]*no)\b{_VERSION}"),
    (_F, rf"(?:クリエイティブ・?コモンズ|cc)[ ・:]*(?:ライセンス)?[ ・]*表示(?:[ ー・-]*(?:非営利|継承))*[ ー・-]*改変禁止{_VERSION}"),
    (_GRANTS, rf"(?:クリエイティブ・?コモンズ|cc)[ ・:]*(?:ライセンス)?[ ・]*表示(?:[ ー・-]*(?:非営利|継承))*{_VERSION}"),
    (_F, rf"表示(?:[ ー・-]*(?:非営利|継承))*[ ー・-]+改変禁止{_VERSION}"),
    (_FREE, rf"クリエイティブ・?コモンズ[ ・]*(?:ゼロ|0){_VERSION}"),
    (_A, r"\bin copyright[ -]+(?:educational|non-?commercial) use permitted"),
    (_A, r"\bno copyright[ -]+(?:contractual restrictions|other known legal restrictions|united states)"),
    (_FREE, r"\bno copyright[ -]+non-?commercial use only"),
    (_A, "著作権あり[ -]*(?:教育|非営利)目的の?利用可"),
    (_A, "著作権なし[ -]*(?:契約による制限|他の法的制限)(?:あり|有り)?"),
    (_FREE, "著作権なし[ -]*非営利目的のみ利用可"),
    # nothing known is not nothing
    (_A, rf"\bno (?:\w+ )?known {_SOME}(?:copyright|restrictions?|rights?)(?: restrictions?)?(?: on \w+)?"),
    (_A, f"(?:知る限り|既知の){_LINK_J}(?:著作権|制限){_LINK_J}{_NONE_J}"),
    # what a negation turns round
    (_M, r"\b(?:no|without|un)[ -]?(?:access restrict\w*|restrictions? on (?:access|viewing))"),
    (_FREE, r"\bno rights reserved"),
    (_NC, r"\b(?:no|not for|without) commercial (?:use|uses|purposes?|exploitation|reproduction|reuse)"),
    (_NC, rf"\b(?:for )?commercial (?:(?:use|uses|purposes?|exploitation|reproduction|reuse) )?{_FORBIDDEN}"),
    (_NC, rf"(?:商用|営利)(?:目的|的)?(?:で|の|に|による|な)*{_ACT_J}?{_LINK_J}(?:{_NOT_J}|除(?:く|き))(?:ます|る|ください)?(?!{_UNDO_J})"),
    (_M, r"\b(?:including|even) (?:for )?commercial(?:ly)?(?: uses?| purposes?)?"),
    (_M, rf"\bcommercial (?:uses? |purposes? |reuse )?{_ALLOWED}"),
    (_NC, r"\bnon-?commercial(?:ly)?(?: \w*(?:us(?:e|es|age)|purposes?))?(?: only)?"),
    (_NC, "非(?:営利|商用)(?:目的|利用|使用)*(?:に限り|に限る|のみ|限定|での?|の)*"),
    (_M, rf"\b(?:no|without|not need|not require|without any need (?:for|of)) {_SOME}{_LEAVE}(?: (?:is|are))? (?:required|needed|necessary)"),
    (_M, rf"\b(?:without (?:asking|needing|seeking)(?: for)?|(?:need|does|do) not (?:need|require|ask(?: for)?)|needs? no|requires? no) {_SOME}{_LEAVE}"),
    (_M, f"{_LEAVE_J}{_LINK_J}(?:不要|要りません|必要{_LINK_J}{_NONE_J}|必要としません)(?:です|で)?"),
    (_M, f"(?:{_LEAVE_J}|事前){_LINK_J}(?:なし|なく|無し)(?:に|で|でも){_LINK_J}{_ACT_J}{_LINK_J}{_MAY_J}"),
    (_GRANTS, f"(?:{_DERIVE_J}|{_REUSE_J}){_LINK_J}(?:禁止|禁じ|禁ずる|制限|不可){_LINK_J}{_UNDO_J}"),
    (_M, f"{_DO_J}{_LINK_J}(?:禁止|禁じ|禁ずる|制限|不可){_LINK_J}{_UNDO_J}"),
    (_GRANTS, rf"\b(?:no|without|free (?:of|from)|not subject to) (?:(?:any|further|other|legal|copyright|usage|use|rights|all) )*(?:restrictions?|limitations?)(?: (?:on|to) (?:its |the )?{_ACT})?"),
    (_GRANTS, r"\brestrictions?(?: on use)? ?: ?none"),
    (_GRANTS, r"\bunrestricted (?:re-?)?use"),
    (_M, r"\b(?:not restricted|unrestricted)"),
    (_GRANTS, rf"\b{_DERIVE} {_BE}not (?:restricted|prohibited|forbidden)"),
    (_M, r"\bnot (?:restricted|prohibited|forbidden)"),
    (_GRANTS, f"(?:{_ACT_J}(?:の|に関する|上の)*)?(?:制限|制約){_LINK_J}(?:事項)?{_LINK_J}{_NONE_J}"),
    (_F, rf"\b(?:not|isn't|aren't|no longer|never)(?: (?:yet|currently|be|been|is|are|entered|considered))* (?:in |within |part of |of |a )*{_PUBLIC}"),
    (_F, "(?:パブリック・?ドメイン|公有|著作権フリー)(?:に?(?:では|じゃ|とは)?(?:ありません|ない|なく|なって(?:いません|いない)))"),
    (_F, "保護期間(?:は|が|の)?(?:まだ)?(?:(?:満了|終了|経過|消滅)し?て(?:い|おり)?(?:ない|ません)|(?:未満了|未了)|中|内|存続)"),
    (_FREE, r"\b(?:not|no longer|never) (?:in |under |protected by |subject to )?copyright(?:ed| protection)?"),
    (_FREE, r"\b(?:no copyright|out of copyright|copyright[ -]free|free (?:of|from) copyright|copyright (?:has |term (?:has )?)?(?:expired|lapsed))(?: restrictions?)?"),
    (_F, rf"\bnot {_SOME}(?:free|freely) {_SOME}{_ACT}"),
    # asked for before it may be used
    (_A, rf"\b(?:without|unless|only with|with|by|subject to|upon|on) {_SOME}{_LEAVE}(?: (?:of|from|by) .*)?"),
    (_A, rf"\b(?:unauthori[sz]ed|unlicen[cs]ed) {_SOME}{_ACT}"),
    (_A, f"無断(?:での?|による|に)?(?:{_ACT_J}[・ ]*)*"),
    (_A, f"{_LEAVE_J}(?:を得ずに?|{_LINK_J}(?:なく|なし(?:に|で|での)?|無く|無し(?:に|で)?|ない(?:場合|限り)))"),
    # forbidden
    (_F, r"\ball (?:\w+ )?rights? (?:are |is )?(?:strictly )?(?:reserved|retained)"),
    (_F, r"\b(?:tous droits réservés|alle rechte vorbehalten|todos los derechos reservados|tutti i diritti riservati|alle rechten voorbehouden)"),
    (_F, "(?:版権|著作権)所有|(?:全て|すべて|総て)?(?:の)?(?:権利|著作権)(?:は|を|が)?(?:全て|すべて)?(?:留保|保留)"),
    (_F, rf"\bno[ -]?{_SOME}{_DERIVE}"),
    (_F, r"\bnon[ -]?deriv\w*"),
    (_F, rf"\bno {_SOME}{_DO}"),
    (_F, rf"\bwithout {_SOME}(?:any )?{_DERIVE}"),
    (_F, r"\b(?:unaltered|unmodified|unchanged|unedited|uncropped|verbatim|as[ -]is|original form|intact)\b"),
    (_F, rf"\b{_NOT} {_SOME}{_ACT}"),
    (_F, rf"\bnot (?:available |licen[cs]ed |cleared |intended )?for {_SOME}{_ACT}"),
    (_F, rf"\bnot {_SOME}{_DERIVE}"),
    (_F, rf"(?:{_SOME}{_ACT} )?{_FORBIDDEN}"),
    (_F, rf"\b(?:refrain from|avoid) {_SOME}{_ACT}"),
    (_F, rf"\b{_DERIVE} ?: ?(?:no|none|not? allowed)\b"),
    (_F, r"\b(?:closed|prohibit\w*|forbid\w*|ban)\b"),
    (_F, f"(?:禁|不許)(?:{_ACT_J}[・ ]*)+"),
    (_F, f"(?:{_ACT_J}[・ ]*)*{_LINK_J}{_NOT_J}(?:です|ます|る|ください|下さい|願います|いたします|致します|に|られて(?:います|いる))*"),
    (_F, f"{_DERIVE_J}:? ?(?:なし|無し|×|ng)"),
    (_F, "原(?:形|型|状)の(?:まま|通り)|そのままの?(?:形|状態)?で?"),
    # copyright
    (_F, r"\b(?:in copyright|under copyright|copyrighted|copyright[ -]protected|protected by (?:\w+ )?copyright(?: law)?)"),
    (_F, "著作権(?:が|は)?(?:あり(?!ません)|有り?|存続|残って|保護(?!の?期間))(?:ます|して(?:います|いる|おり))?|著作権法(?:で|により|によって)保護|著作権保護(?!の?期間)"),
    (_FREE, "パブリック・?ドメイン(?:・?マーク)?|公有(?:財産|に帰)?|著作権(?:の|による)?保護期間(?:が|は|の)?(?:満了|終了|経過|切れ)(?:済み?)?|保護期間(?:が|は)?(?:満了|終了|経過|切れ)(?:済み?)?"),
    (_FREE, f"著作権(?:は|が|の)?(?:消滅|{_NONE_J}|切れ|フリー|存在しない|存在しません|満了|放棄)"),
    # unsettled
    (_U, r"\b(?:copyright|rights|public domain|licen[cs]e|legal)(?: (?:status|statement|holder|owner|information|situation))*(?: is| are)? ?:? ?(?:unknown|undetermined|not (?:yet )?(?:been )?(?:evaluated|determined|known|assessed|specified|stated)|unclear|unevaluated|unspecified|uncertain)"),
    (_U, r"\b(?:unknown|undetermined|not evaluated|not specified|not stated|unspecified|unclear)\b|^ ?n[ /]a ?$|^ ?tbd ?$"),
    (_U, "(?:著作権|権利|利用条件)?(?:の|状況|状態|関係|情報|者|帰属|有無)*(?:は|が|:| )*(?:不明|未確認|未調査|調査中|未評価|未決定|未定|未設定|未判定|確認中)"),
    # a person decides
    (_A, rf"\b(?:believed|thought|presumed|possibly|probably|perhaps|likely|may be|might be|assumed) {_SOME}(?:in )?{_PUBLIC}"),
    (_A, rf"\b(?:in )?{_PUBLIC}{_COUNTRY}"),
    (_A, rf"\b{_LEAVE}(?: (?:is|are|may be|must be))*(?: (?:required|needed|necessary|obtained|sought))?"),
    (_A, r"\b(?:some )?rights? reserved|\brights?[ -]managed|\bfair (?:use|dealing)|\broyalty[ -]free"),
    (_A, r"\b(?:contact|apply|application|inquir\w*|enquir\w*|ask|fees?|charges?|subject to|restricted|restrictions?|conditions?|see terms|terms (?:and conditions|of use|apply))\b"),
    (_A, r"\b(?:educational?|education|research|study|scholarly|academic|teaching|personal|private)(?: (?:and|or) \w+)?(?: (?:use|uses|purposes?))?(?: only)?"),
    (_A, f"要{_LINK_J}(?:事前)?(?:{_LEAVE_J}|確認)|{_LEAVE_J}{_LINK_J}(?:必要|要(?:する|します)?|得て|得る|求め|ください|下さい|行っ|取っ|受け|まで)|許可制|(?:利用)?(?:規約|条件)(?:付き?|あり|を|に|は)*|(?:制限|制約){_LINK_J}(?:あり|有り?|付き)|館内限定|閲覧(?:のみ|限定)"),
    (_A, "(?:教育|研究|学術|私的|個人|調査)(?:・?(?:教育|研究|学術|調査|的))*(?:目的|利用|使用|な)+(?:で|の|に|のみ|限り|限る|限定|での?)*"),
    # allowed
    (_GRANTS, rf"\b{_DERIVE} {_ALLOWED}|\b(?:may|can) be {_VERY}(?:freely )?{_DERIVE}|\b(?:re-?use|remixing) {_ALLOWED}"),
    (_GRANTS, r"\b(?:(?:may|can) be )?(?:free(?:ly)?) (?:to |for |available for )?(?:be )?(?:re-?us(?:e|es|ed|able)|us(?:e|ed|able))\b(?: (?:for|by) any(?:one|body)?(?: purposes?)?)?"),
    (_GRANTS, r"\b(?:may|can) be (?:re-?)?used (?:freely|for any purposes?)"),
    (_M, r"\bfor any purposes?"),
    (_FREE, rf"\b(?:in )?{_PUBLIC}(?: dedication)?\b"),
    (_FREE, r"^ ?(?:pd|pdm|cc0|cc pdm?) ?$"),
    (_GRANTS, f"(?:ご)?自由に?(?:{_REUSE_J}|{_DERIVE_J}|ご?利用|ご?使用|お使い)(?:して)?(?:{_MAY_J}|ください|下さい|可)?|自由利用"),
    (_GRANTS, f"(?:{_DERIVE_J}|{_REUSE_J}){_LINK_J}{_MAY_J}"),
    (_M, f"(?:{_DO_J}|閲覧|(?:商用|営利)(?:目的)?(?:での?|の)?(?:利用|使用)?){_LINK_J}{_MAY_J}"),
    (_M, rf"\b{_DO} {_ALLOWED}|\b(?:may|can) be {_VERY}(?:freely )?{_DO}|\bopen (?:access|data)|\bfree access|オープン(?:アクセス|データ)|インターネット公開"),
    # whose it is, and how it is named
    (_SKIP, r"\b(?:attribution|credit(?:s|ing)?|citation|acknowledge?ment)(?: (?:is|are|not|to the \w+))* (?:required|requested|needed|necessary|appreciated|encouraged)"),
    (_SKIP, "(?:(?:ご?利用|ご?使用|掲載)(?:の|に)(?:際|時)(?:し(?:て)?)?(?:に?は)?)?(?:クレジット|出典|所蔵(?:者|館)?)(?:名)?(?:の|を|は)?(?:表記|表示|明記|明示|記載)?(?:が|を|は|の)*(?:必要|必須|お願いします|お願いいたします|してください|して下さい|条件と?|上|不要)"),
)  # fmt: skip
_PHRASES = [(meaning, re.compile(pattern, re.IGNORECASE)) for meaning, pattern in PHRASES]

_NOTICE_OPENS = re.compile(
    r"(?:©|\bcopyright)(?: copyright)?(?: (?:is |are )?(?:held|owned|retained|belongs?|remains?)(?: by| with| to)?)?|著作権者?(?:は|:)?",
    re.IGNORECASE,
)
_CREDIT_OPENS = re.compile(
    r"\b(?:credits?(?: line)?|source|attribution|photo(?:graph)?s?|images?|owner|holder|institution|publisher)(?= ?:)"
    r"|\b(?:credits?(?: line)?|courtesy(?: of)?|please (?:cite|credit|acknowledge)(?: as)?"
    r"|(?:photo(?:graph)?s?|images?|pictures?|scans?|digiti[sz]ed|provided|held|owned|published)(?: provided| supplied)? (?:by|from|at|courtesy of)"
    r"|(?:from )?(?:the )?collections? of|gift of|bequest of)(?= ?:| (?:the )?(?-i:[A-Z]))"
    r"|(?:出典|所蔵(?:者|館|先|機関)?|提供(?:元|者)?|(?:画像|写真)提供|クレジット(?:表記|表示|ライン)?|コレクション|撮影(?:者)?)(?=[: ])",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:[: ,&.'-]|\d{1,4}|(?-i:[A-Z][\w'.&-]*)|\b(?:of|the|and|for|de|du|des|von|van|der|und|et|la|le|no|by|at|in|a|gift|bequest|fund)\b"
    r"|[\u30a0-\u30ff\u3400-\u9fff々・]|(?<=[\u30a0-\u9fff])[のと](?=[\u30a0-\u9fff]))*",
    re.IGNORECASE,
)
_HELD = re.compile(
    r"^[ :]*([\u30a0-\u30ff\u3400-\u9fff々・のa-zA-Z ]+?)(?:所蔵|蔵|提供|に帰属(?:します|する)?|が所有(?:します)?)(?:品|です)?[ ]*$"
)
_DANGER = re.compile(
    r"\b(?:not?|never|only|without|unless|except|exclu|us(?:e|es|ed)|re-?us|cop(?:y|ies)|reprod|restrict|prohib|forbid|reserv|contact|ask|appl(?:y|ies)"
    r"|commercial|alter|modif|adapt|deriv|colou?r|fees?|terms|conditions|subject|must|may|permission|consent|approv|keep|leave|original colou?rs)"
    r"|禁|不可|許|申請|承|制限|条件|規約|利用|使用|転載|複製|改変|加工|変更|連絡|問合|除|限|遠慮|同意|無断|要(?!人)|色",
    re.IGNORECASE,
)

_DATA = r"(?:meta-?data|(?:catalog|catalogue) (?:data|records?|entries|texts?)|descriptions?|descriptive (?:data|texts?|information)|records?|data(?:sets?|bases?)?|texts?|thumbnails?|previews?)"
_DATA_J = (
    "(?:メタデータ|書誌(?:情報|データ|事項)?|目録(?:情報|データ)?|テキスト|解説(?:文)?|データベース|サムネイル|データ)"
)
_PICTURE = r"(?:images?|pictures?|photos?|photographs?|scans?|digital (?:objects?|cop(?:y|ies)|surrogates?|files?)|works?|objects?|artworks?|items?|prints?|media|content)"
_PICTURE_J = "(?:画像|写真|作品|資料|コンテンツ|図版|原本|浮世絵|版画)"
_ABOUT_DATA = re.compile(rf"\b{_DATA}\b|{_DATA_J}", re.IGNORECASE)
_ABOUT_PICTURE = re.compile(rf"\b{_PICTURE}\b|{_PICTURE_J}", re.IGNORECASE)
_DATA_OF_PICTURE = re.compile(
    rf"\b{_PICTURE} {_DATA}\b|\b{_DATA} (?:of|for|about|describing|on) (?:(?:the|this|these|each|all|our) )?{_PICTURE}\b"
    rf"|{_PICTURE_J}(?:の|に関する|についての)?{_DATA_J}",
    re.IGNORECASE,
)
_BOTH = re.compile(
    rf"{_DATA}(?: ?& ?| and | or | as well as )(?:(?:the|all|digital) )*{_PICTURE}\b|{_PICTURE}(?: ?& ?| and | as well as )(?:the |all )*{_DATA}\b"
    rf"|{_DATA_J}(?:・|と|及び|および|並びに|ならびに|や){_PICTURE_J}|{_PICTURE_J}(?:・|と|及び|および|並びに|ならびに|や){_DATA_J}",
    re.IGNORECASE,
)
_SUBJECTS = re.compile(
    rf"(?<=.)(?=\b(?:{_DATA}|{_PICTURE}) ?(?::|is\b|are\b))|(?<=.)(?<![\u30a0-\u30ff\u3400-\u9fff])(?=(?:{_DATA_J}|{_PICTURE_J})(?:は|:))",
    re.IGNORECASE,
)
_PICTURE_DATA = re.compile(r"\b(?:image|picture|photo) data\b|(?:画像|写真|高精細|デジタル)データ", re.IGNORECASE)
_DATA_ALONE = re.compile(
    rf"^[ :-]*(?:(?:the|all|our|this|these) )*(?:{_DATA}(?: (?:is|are)\b| ?[:{ADDRESS}-])|{_DATA_J}(?:は|:| ?{ADDRESS}))",
    re.IGNORECASE,
)

_PLAIN = frozenset(
    ["a", "an", "the", "this", "that", "these", "those", "it", "its", "their", "our", "your", "you", "we", "i", "of", "for", "in", "on", "by", "to", "at", "as", "from", "with", "under", "into", "via", "and", "or", "is", "are", "be", "been", "was", "were", "has", "have", "will", "which", "who", "whose", "all", "any", "each", "every", "both", "here", "there", "work", "works", "image", "images", "picture", "pictures", "photo", "photos", "photograph", "photographs", "print", "prints", "item", "items", "object", "objects", "file", "files", "artwork", "artworks", "material", "materials", "content", "digital", "reproduction", "reproductions", "scan", "scans", "version", "high", "resolution", "medium", "format", "metadata", "data", "record", "records", "description", "descriptions", "text", "texts", "catalogue", "catalog", "thumbnail", "licence", "license", "licences", "licenses", "licensed", "licensing", "released", "release", "available", "made", "published", "dedicated", "dedication", "right", "rights", "copyright", "status", "statement", "statements", "creative", "commons", "attribution", "share", "sharealike", "alike", "adapt", "adapted", "copy", "copied", "modify", "modified", "distribute", "distributed", "redistribute", "remix", "transform", "build", "upon", "use", "used", "reuse", "reused", "using", "credit", "credits", "courtesy", "please", "cite", "see", "visit", "read", "more", "details", "information", "page", "link", "deed", "legal", "code", "legalcode", "international", "unported", "generic", "universal", "public", "domain", "open", "access", "free", "freely", "purpose", "purposes", "even", "so", "long", "give", "appropriate", "following", "online", "uri", "url", "http", "https", "www", "archive", "collection", "collections", "museum", "library", "university", "terms"]
) - {"terms"} | {"cc", "by"}  # fmt: skip
_PLAIN_J = ["この", "その", "本", "各", "全て", "すべて", "の", "は", "が", "を", "に", "で", "と", "も", "や", "へ", "て", "た", "です", "ます", "ました", "である", "であり", "あり", "する", "します", "して", "され", "いる", "います", "おり", "おります", "した", "している", "しています", "しました", "なっています", "となっています", "として", "により", "による", "および", "及び", "または", "又は", "並びに", "ならびに", "こと", "もの", "とおり", "など", "等", "について", "下", "もと", "元", "ライセンス", "クリエイティブ・コモンズ", "クリエイティブコモンズ", "著作権", "権利", "表記", "表示", "継承", "提供", "公開", "国際", "日本", "出典", "所蔵", "クレジット", "画像", "写真", "作品", "資料", "コンテンツ", "図版", "浮世絵", "版画", "メタデータ", "書誌", "目録", "情報", "データ", "テキスト", "デジタル", "原本", "満了", "区分", "状態", "・", "ー", "〜", "~", "々"]  # fmt: skip
_PLAIN_IN_JAPANESE = re.compile(f"(?:{_ACT_J}|{'|'.join(sorted(_PLAIN_J, key=len, reverse=True))})+")
_ENDS = re.compile(r"\.(?=\s|$)|[。;!\n|•]")
_PAUSES = re.compile(r"[,、]")
_FURNITURE = re.compile(r"[\"“”()\[\]{}<>«»「」『』【】〈〉《》*_~^=+#/\\]")
_SOFT = (Meaning.FORBIDS,)


def plain_text(text: str) -> str:
    """The text with its letters in one form each: full width, old characters, kinds of dashes and blanks."""
    text = unicodedata.normalize("NFKC", html.unescape(text)).translate(_OLD).translate(_DASHES)
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return re.sub(rf"(?<={_EASTERN})(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?={_EASTERN})", " ", text)


def read_clauses(text: str) -> Iterator[Clause]:
    """The clauses of a plain text in which ADDRESS stands for each address, in order."""
    text = re.sub(r"\(c\)|\bcopr\.", "©", _PICTURE_DATA.sub("画像", text), flags=re.IGNORECASE)
    address, of_data = 0, False
    for sentence in _ENDS.split(_FURNITURE.sub(" ", _without_markup(text))):
        names_go_on = False
        for clause in _split(sentence):
            if names_go_on and _only_names(clause):
                continue
            names_go_on = bool(_NOTICE_OPENS.search(clause) or _CREDIT_OPENS.search(clause))
            of_data = _speaks_of_data(clause, of_data)
            phrases = tuple(_phrases(clause, address))
            address += clause.count(ADDRESS)
            rest = _DATA_OF_PICTURE.sub(" ", clause)
            excused = of_data and _DATA_ALONE.match(clause) and not _ABOUT_PICTURE.search(rest)
            yield Clause(tuple(each for each in phrases if not (excused and _restricts(each))), of_data)


def _split(sentence: str) -> Iterator[str]:
    """At pauses, and where another subject begins."""
    for part in _PAUSES.split(sentence):
        clause = re.sub(rf"(?<={_EASTERN})\s+(?={_EASTERN})", "", " ".join(part.split()))
        yield from (piece for each in _SUBJECTS.split(clause) if (piece := each.strip()))


def _only_names(clause: str) -> bool:
    """Whether it goes on with a credit: `Museum of Fine Arts, Boston`."""
    read = any(pattern.search(clause) for meaning, pattern in _PHRASES if meaning)
    return not read and bool(_NAME.fullmatch(clause)) and not _says_more(clause)


def _says_more(names: str) -> bool:
    """Not names alone: where all is in capitals, capitals tell no name."""
    latin = re.findall(r"[A-Za-z]{2,}", names)
    return bool(_DANGER.search(names)) or (len(latin) > 2 and all(word.isupper() for word in latin))


def _without_markup(text: str) -> str:
    """Tags of HTML taken out; an address in one stays."""
    return re.sub(r"</?[a-zA-Z][^<>]*>", lambda tag: " " + ADDRESS * tag[0].count(ADDRESS) + " ", text)


def _restricts(phrase: Phrase) -> bool:
    return phrase.meaning in (Meaning.FORBIDS, Meaning.ASKS, Meaning.UNSETTLED, Meaning.NOTICE)


def _speaks_of_data(clause: str, before: bool) -> bool:
    """Does the clause speak of the description only? One that names neither goes on with what was spoken of."""
    if _BOTH.search(clause):
        return False
    rest = _DATA_OF_PICTURE.sub(" ", clause)
    data = rest != clause or bool(_ABOUT_DATA.search(rest))
    picture = bool(_ABOUT_PICTURE.search(rest))
    return data or (before and not picture)


def _phrases(clause: str, address: int) -> Iterator[Phrase]:
    found: list[Phrase] = []
    for meaning, pattern in _PHRASES:
        clause = pattern.sub(lambda match, meaning=meaning: _take(match, meaning, found), clause)  # type: ignore[misc]
    if any(each.meaning is Meaning.ASKS and _CONDITIONAL.search(each.words) for each in found):
        found = [
            Phrase(Meaning.ASKS, each.words) if each.meaning in _SOFT and not _HARD.search(each.words) else each
            for each in found
        ]
    yield from found
    yield from (Phrase(Meaning.GRANTS, "", address + n + 1) for n in range(clause.count(ADDRESS)))
    yield from _rest(clause)


_CONDITIONAL = re.compile(r"^(?:without|unless|only|subject|un)|無断|なく|なし|無", re.IGNORECASE)
_HARD = re.compile(r"reserved|retained|所有|留保|\bby\b|copyright|public", re.IGNORECASE)


def _take(match: re.Match[str], meaning: Meaning | None, found: list[Phrase]) -> str:
    words = match[0].strip(" :-")
    if not words:
        return match[0]
    if meaning:
        found.append(Phrase(meaning, words.replace(ADDRESS, "").replace(_READ, "").strip()))
    return _READ + "".join(ADDRESS for letter in match[0] if letter == ADDRESS)


def _rest(clause: str) -> Iterator[Phrase]:
    """Names after a credit, plain words, and what is left."""
    if (held := _HELD.match(clause)) and not _says_more(held[1]):
        if "帰属" in clause or "所有" in clause:
            yield Phrase(Meaning.NOTICE, clause)
        return
    if notice := _NOTICE_OPENS.search(clause):
        is_label = clause[notice.end() :].lstrip().startswith(":")
        clause, names = _without_names(clause, notice)
        if names or not is_label:
            yield Phrase(Meaning.NOTICE, f"{notice[0]} {names}".strip(" ,:-"))
    if credit := _CREDIT_OPENS.search(clause):
        clause, _ = _without_names(clause, credit)
    left = _PLAIN_IN_JAPANESE.sub(" ", clause.replace(ADDRESS, " ").replace(_READ, " "))
    strange = [word for word in re.findall(r"[^\W\d_]+(?:'[a-z]+)?|\?", left) if word.lower() not in _PLAIN]
    if strange:
        yield Phrase(Meaning.STRANGE, " ".join(strange))


def _without_names(clause: str, opens: re.Match[str]) -> tuple[str, str]:
    """The clause without what opens the names and without the names; they stay where they say more than names."""
    match = _NAME.match(clause, opens.end())
    names = match[0] if match and not _says_more(match[0]) else ""
    return f"{clause[: opens.start()]}{clause[opens.end() + len(names) :]}", names.strip(" ,:-")
