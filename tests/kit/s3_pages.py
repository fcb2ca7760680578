# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An endpoint that only lists a bucket of many keys, from pages that were written beforehand: s3_pages.py COUNT.

A real server needs minutes to be filled with 100,000 keys, and longer for a listing than any client.
"""
from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Iterator
from urllib.parse import parse_qs, urlsplit

PAGE = 1000                            # keys, as S3 gives at most
BUCKET = "many"


def key(number: int) -> str:
    """Return the key with this number, such as shop/backup/00000012/objects-0034.dump.zst."""
    return f"shop/backup/{number // 100:08}/object-{number % 100:04}.dump.zst"


def page(begin: int, count: int) -> bytes:
    """Return one answer to ListObjectsV2."""
    rows = "".join(
        f"<Contents><Key>{key(number)}</Key><LastModified>2026-11-20T03:00:00.000Z</LastModified>"
        f"<ETag>&quot;{number:032x}&quot;</ETag><Size>{number}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for number in range(begin, min(begin + PAGE, count)))
    more = begin + PAGE < count
    token = f"<NextContinuationToken>{begin + PAGE}</NextContinuationToken>" if more else ""
    return (f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix></Prefix><KeyCount>{min(PAGE, count - begin)}</KeyCount>"
            f"<MaxKeys>{PAGE}</MaxKeys><EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{rows}</ListBucketResult>").encode()


@contextmanager
def pages(count: int) -> Iterator[str]:
    """Serve that many keys in a process of its own; give its URL."""
    child = subprocess.Popen([sys.executable, __file__, str(count)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        yield f"http://127.0.0.1:{int(child.stdout.readline())}"
    finally:
        child.terminate()
        child.wait(30)


def serve(count: int) -> None:
    """Write all pages, say the port, and serve."""
    written = {begin: page(begin, count) for begin in range(0, count, PAGE)}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            body = written[int(asked.get("continuation-token", ["0"])[0])]
            self.send_response(200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
