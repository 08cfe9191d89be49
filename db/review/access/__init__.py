"""Who asks: accounts, sessions, cookies, throttling, headers, addresses."""
