"""How often hosts were asked today: kept in files, so that a daily limit holds over tries, commands and processes."""

import fcntl
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from flows.archives.errors import ArchiveUnavailable


@dataclass(frozen=True)
class DayCounts:
    """A small file for each host in a folder; it holds the day and the requests of that day."""

    folder: Path

    def allows(self, origin: str, day: date, most: int) -> bool:
        """Count one more request to a host (scheme, name and port) on this day, unless there were as many as allowed.

        Raises:
            ArchiveUnavailable: it cannot be counted.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return self._allows(self.folder / f"{sha256(origin.encode()).hexdigest()[:32]}.txt", day, most)
        except OSError as error:
            raise ArchiveUnavailable(
                f"{origin} is not asked, for its requests cannot be counted in {self.folder} ({error.strerror}), and "
                "`most_requests` limits them; see that this folder can be written"
            ) from None

    def _allows(self, path: Path, day: date, most: int) -> bool:
        with path.open("a+", encoding="ascii", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
            file.seek(0)
            counted, _, asked = file.read(100).partition(" ")
            before = int(asked) if counted == str(day) and asked.isascii() and asked.isdigit() else 0
            if before >= most:
                return False
            file.truncate(0)
            file.write(f"{day} {before + 1}")
            return True
