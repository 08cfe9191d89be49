"""What keeps the catalogue right: lost originals fetched again, rights and tones judged again, copies made again."""
