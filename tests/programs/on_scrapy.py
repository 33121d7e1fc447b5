"""A crawl by Scrapy of a site on this machine: ``python on_scrapy.py REACTOR``, the path of a reactor's class."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.utils.asyncio import is_asyncio_available

PAGES = 40


class Page(BaseHTTPRequestHandler):
    """Each has links to three others; one is not there, and one is elsewhere."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        number = int(self.path.strip("/").removeprefix("page"))
        links = [each for each in range(3 * number + 1, 3 * number + 4) if each <= PAGES]
        body = "".join(f'<a href="/page{each}">{each}</a>' for each in links).encode()
        self.send_response({7: 301, 11: 404}.get(number, 200))
        if number == 7:
            self.send_header("Location", "/page0")
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Spider(scrapy.Spider):
    name = "local"
    custom_settings = {"CONCURRENT_REQUESTS_PER_DOMAIN": 8}

    async def start(self) -> AsyncIterator[Any]:
        yield scrapy.Request(f"http://127.0.0.1:{site.server_port}/page0", self.parse)

    async def parse(self, response: Any) -> AsyncIterator[Any]:
        if is_asyncio_available():
            await asyncio.sleep(0.001)
            assert type(asyncio.get_running_loop()).__module__.startswith("reactor.")
        yield {"page": response.url}
        for link in response.css("a"):
            yield response.follow(link, self.parse)


if __name__ == "__main__":
    site = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    process = CrawlerProcess({"TWISTED_REACTOR": sys.argv[1], "LOG_LEVEL": "ERROR"})
    crawler = process.create_crawler(Spider)
    process.crawl(crawler)
    process.start()
    stats = crawler.stats.get_stats()
    from twisted.internet import reactor

    print(type(reactor).__name__, is_asyncio_available())
    print(stats["finish_reason"], stats["item_scraped_count"], stats["downloader/response_status_count/404"])
