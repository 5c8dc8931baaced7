"""Request bodies that come compressed."""

import zlib

from tweetlab.endpoint.wire import serialization_error, too_large

_GZIP = 16 + zlib.MAX_WBITS


def decoded(body: bytes, encoding: str, limit: int) -> bytes:
    """A body as it was before it was sent with that ``Content-Encoding``; SDKs compress by gzip.
    Raises DynamoDBError for one that is not what it says, or has more than ``limit`` bytes (model
    choice: AWS answers 500 to the former, and takes a gigabyte)."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise serialization_error(
            f"The body has the Content-Encoding {encoding[:100]!r}: DynamoDB knows gzip only."
        )
    pieces: list[bytes] = []
    room = limit
    while True:  # a gzip file may consist of several, one after the other
        member = zlib.decompressobj(_GZIP)
        try:
            pieces.append(member.decompress(body, room + 1))
        except zlib.error as error:
            raise serialization_error(f"The body is not gzip ({error}).") from None
        room -= len(pieces[-1])
        if room < 0:
            raise too_large(f"A request has at most {limit:,} bytes when it is decompressed.")
        if not member.eof:
            raise serialization_error("The body is only the beginning of gzip.")
        body = member.unused_data
        if not body:
            return b"".join(pieces)
