"""Texts to post. They come with the package: a notebook may run in any folder."""

import csv
import io
from importlib.resources import files


def sample_texts() -> list[str]:
    """The texts of 200 tweets, most of them short, a few larger than 1 KB."""
    text = (files("tweetlab.tweets") / "tweets.csv").read_text(encoding="utf-8")
    return [row["text"] for row in csv.DictReader(io.StringIO(text))]
