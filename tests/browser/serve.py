"""Temporary, until `nishiki review` is there."""

import socket
import sys
from pathlib import Path

import uvicorn

from db.review.app import create_app
from db.review.settings import ReviewSettings

listening = socket.socket()
listening.bind(("127.0.0.1", 0))
sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}/\n")
sys.stdout.flush()
app = create_app(ReviewSettings(home=Path(sys.argv[1])), marking_recipes=["nishiki/marks", "nishiki/colour"])
uvicorn.Server(uvicorn.Config(app, log_level="error")).run([listening])
