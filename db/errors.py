"""What can go wrong with the catalogue.

CatalogueError               root; the message says which catalogue or entry, what happened, what to do
├── NoCatalogue              there is none at this place yet, or the place holds something else
├── CatalogueUnreachable     the database does not answer
│   ├── CatalogueLost        it went away in the middle, with what was not committed
│   └── PicturesUnreachable  the object storage that keeps the pictures does not
├── CatalogueReadOnly        it can be read, and what was asked for would write
├── CatalogueBehind          its schema is older than this program; `nishiki doctor --upgrade` mends it
├── CatalogueAhead           its schema is newer than this program
├── CatalogueMisfit          a table or column is missing, whatever its schema's number says
├── CatalogueFull            no room left for a row or a picture
├── BackupUnusable           a folder holds no whole backup, or cannot take one
├── ExportUnusable           a folder cannot take this export
├── NothingApproved          no approved entry is left by the filter
├── HomeNotEmpty             a backup is restored into an empty home and database only
├── PictureMissing           a picture's file is not where its sha256 says
│   └── PictureAltered       it is there, with other bytes
├── UnknownEntry             no entry by this number
├── TriedAlready             a request was made, and its recipe is still the same
├── NameTaken                a curator's name is somebody's already
├── NightRunning             another night is at work on the catalogue
├── LastAdmin                nobody would keep the accounts any more
├── BatchLost                our lease on the batch was ended: put down the work, write nothing
└── BatchUnfinished          a batch cannot be closed while attempts of it have no outcome
"""


class CatalogueError(Exception):
    """Root of everything the catalogue raises."""


class NoCatalogue(CatalogueError):
    """There is no catalogue at this place."""


class CatalogueUnreachable(CatalogueError):
    """The database does not answer; nothing was written."""


class CatalogueLost(CatalogueUnreachable):
    """The connection was lost in the middle; what was not committed is undone, and of a COMMIT nobody knows."""


class PicturesUnreachable(CatalogueUnreachable):
    """The object storage that keeps the pictures does not answer, or refuses; no row was written for what it lacks."""


class CatalogueReadOnly(CatalogueError):
    """Nothing can be written: a disk, a permission or a role that only reads."""


class CatalogueBehind(CatalogueError):
    """The schema is older than this program needs."""


class CatalogueAhead(CatalogueError):
    """The schema is newer than this program knows."""


class CatalogueMisfit(CatalogueError):
    """A table or a column that this program needs is not there: an earlier draft of the schema, or damage."""


class CatalogueFull(CatalogueError):
    """The disk, or the database, has no room left; what was being written is undone."""


class BackupUnusable(CatalogueError):
    """No whole backup, or a place that cannot take one."""


class ExportUnusable(CatalogueError):
    """A place that cannot take this export: it holds something else, or another export."""


class NothingApproved(CatalogueError):
    """Nothing that may leave is left by the filter; nothing was written."""


class HomeNotEmpty(CatalogueError):
    """Something is here that a restore would have to write over; nothing was written."""


class PictureMissing(CatalogueError):
    """A picture's file is not in the store."""


class PictureAltered(PictureMissing):
    """The file by a picture's name is not that picture any more."""


class UnknownEntry(CatalogueError):
    """No entry by this number, or not one that this can be done to."""


class TriedAlready(CatalogueError):
    """What was asked for was made, and a night would only repeat it."""


class NameTaken(CatalogueError):
    """Verdicts carry a curator's name, so that no two ever share one."""


class NightRunning(CatalogueError):
    """Another process is at a night of this catalogue; nothing was asked or written."""


class LastAdmin(CatalogueError):
    """The account is the last open one of an admin: it stays, and stays one."""


class BatchLost(CatalogueError):
    """The lease was ended: somebody else has taken what we worked at."""


class BatchUnfinished(CatalogueError):
    """Attempts of the batch are still without an outcome."""
