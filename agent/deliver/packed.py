"""The large parts of a page."""

import base64
import gzip

from markupsafe import Markup


class Packed:
    """The large parts of a page: compressed, and unpacked when somebody opens them."""

    def __init__(self) -> None:
        self.parts: dict[str, Markup] = {}

    def add(self, name: str, text: str) -> None:
        data = gzip.compress(text.encode("utf-8", "surrogatepass"), compresslevel=6, mtime=0)
        self.parts[name] = Markup(base64.b64encode(data).decode("ascii"))  # noqa: S704 - base64
