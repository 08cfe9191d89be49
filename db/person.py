"""Who uses this machine, by the name that its system has for them."""

import getpass


def person_here() -> str:
    """By what name somebody at this machine acts: while there are no accounts, and on the command line."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "local"
