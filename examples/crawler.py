"""Visit the pages of a site, a few at a time, and say what was found.

    python crawler.py URL [pages]

Follows the links of each page that stay on the site, at most so many pages (100). Four requests are on their way at a
time and no more: the pool of the client is the only limit there is. Pages are read up to 1 MiB; whatever is wrong with
one is said, and the others are visited.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser

from protocols import http
from reactor import reactor
from reactor.defer import Deferred, gatherResults
from reactor.error import NetworkError


class Links(HTMLParser):
    """What a page is called, and where it points."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.targets: list[str] = []
        self._inTitle = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._inTitle = tag == "title"
        target = dict(attributes).get("href")
        if tag == "a" and target:
            self.targets.append(target)

    def handle_data(self, data: str) -> None:
        if self._inTitle:
            self.title += data.strip()
            self._inTitle = False


class Crawler:
    """Visits each page once."""

    def __init__(self, first: http.URL, most: int) -> None:
        self.client = http.Client(maxPerHost=4, timeout=20, maxBody=1 << 20, headers={"User-Agent": "crawler"})
        self.first = first
        self.most = most
        self.seen: set[str] = set()

    async def crawl(self) -> None:
        async with self.client:
            await self.visit(self.first)
        print(len(self.seen), "pages", flush=True)

    async def visit(self, url: http.URL) -> None:
        """A page, and then all that it points to, at once: who has to wait waits in the pool."""
        self.seen.add(url.target)
        try:
            response = await self.client.get(url)
            page = Links()
            if response.headers.get("content-type", "").startswith("text/html"):
                page.feed(await response.text())
        except NetworkError as e:
            print(url, "failed:", e, flush=True)
            return
        print(response.status, url, page.title, flush=True)
        await gatherResults([Deferred.fromCoroutine(self.visit(each)) for each in self.following(response.url, page)])

    def following(self, here: http.URL, page: Links) -> list[http.URL]:
        """Where to go on."""
        found: dict[str, http.URL] = {}
        for target in page.targets:
            try:
                url = here.join(target)
            except ValueError:
                # mailto:, or nothing that one can go to.
                continue
            if url.origin == self.first.origin and url.target not in self.seen:
                found[url.target] = url
        urls = list(found.values())[: self.most - len(self.seen)]
        self.seen.update([url.target for url in urls])
        return urls


async def main(url: str, most: int) -> None:
    try:
        await Crawler(http.URL.parse(url), most).crawl()
    finally:
        reactor.stop()


if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
reactor.callWhenRunning(lambda: Deferred.fromCoroutine(main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 100)))
reactor.run()
