"""One file per revision; `db.engine.HEAD` names the newest."""
