"""Capture files, read as a stream: pcap and pcapng, in either byte order, gzipped or not.

A file is untrusted.  What cannot be read raises CaptureError with the file and the offset; a file
that ends in the middle of a packet, as it does when the capturing host is stopped, is read up to
there and noted.

The formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import gzip
import struct
import sys
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple, cast

from tcpclose_model.errors import TcpcloseError

PCAP_MAGICS = {
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}
"""The byte order, and how many nanoseconds the fraction counts."""
SECTION = b"\x0a\x0d\x0d\x0a"
GZIP = b"\x1f\x8b"
INTERFACE, OLD_PACKET, SIMPLE_PACKET, PACKET = 1, 2, 3, 6
PACKET_BYTES_MAX = 1 << 20
BLOCK_BYTES_MAX = 1 << 24
INTERFACES_MAX = 4_096
CHUNK_BYTES = 1 << 16
IF_TSRESOL = 9
LINK_TYPE_BITS = 0x0FFF_FFFF & 0xFFFF
"""The link type is in the low half of its field; the other half says whether there is an FCS."""


class CaptureError(TcpcloseError):
    """A capture cannot be read: the message names the file and the offset."""


class Frame(NamedTuple):
    """A captured packet: its number in the file from 1, its time in ns, and its octets.

    interface: which capture point, in a file of several.
    """

    number: int
    time: int
    link: int
    interface: int
    data: bytes


class Capture:
    """A capture file; iterating over it gives its frames.  `notes` says what could not be read."""

    def __init__(self, path: Path) -> None:
        self.name = "<stdin>" if str(path) == "-" else str(path)
        self._path = path
        self._offset = 0
        self._file: BufferedIOBase
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        try:
            yield from self._frames()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise CaptureError(f"{self._here()}: damaged gzip data: {error}") from None
        except OSError as error:
            why = error.strerror or str(error)
            raise CaptureError(f"{self.name}: cannot be read: {why}") from None

    def _frames(self) -> Iterator[Frame]:
        with _opened(self._path) as raw:
            self._file = raw
            magic = self._read(4)
            if magic[:2] == GZIP:
                unzipped = gzip.GzipFile(fileobj=_Rewound(magic, raw))  # type: ignore[call-overload]  # it only reads
                self._file, self._offset = unzipped, 0
                magic = self._read(4)
            if magic in PCAP_MAGICS:
                yield from self._pcap(*PCAP_MAGICS[magic])
            elif magic == SECTION:
                yield from self._pcapng()
            else:
                told = (
                    "empty" if not magic else f"neither pcap nor pcapng (it begins {magic.hex()})"
                )
                raise CaptureError(f"{self.name}: offset 0: {told}")

    def _here(self) -> str:
        return f"{self.name}: offset {self._offset:,}"

    def _read(self, count: int) -> bytes:
        """Return so many octets, or fewer at the end of the file."""
        data = self._file.read(count)
        while len(data) < count:
            more = self._file.read(count - len(data))
            if not more:
                break
            data += more
        self._offset += len(data)
        return data

    def _whole(self, count: int, what: str) -> bytes | None:
        """Return so many octets, or None, with a note, where the file ends before them."""
        at = self._offset
        data = self._read(count)
        if len(data) == count:
            return data
        if data or count:
            self.notes.append(f"{self.name}: offset {at:,}: the file ends inside {what}")
        return None

    def _pcap(self, order: str, unit: int) -> Iterator[Frame]:
        rest = self._whole(20, "the file's header")
        if rest is None:
            raise CaptureError(f"{self._here()}: the file ends inside its header")
        link = struct.unpack(f"{order}HHiIII", rest)[5] & LINK_TYPE_BITS
        new = tuple.__new__  # which takes half as long as what NamedTuple makes of it
        unpack, number = struct.Struct(f"{order}IIII").unpack_from, 0
        data, at, size = b"", 0, 0  # what was read, where in it the next packet begins, its length
        while True:
            number += 1
            if size < at + 16:
                data, at = self._at_least(16, data, at), 0
                size = len(data)
                if not data:
                    return
                if size < 16:
                    break
            seconds, fraction, length, _ = unpack(data, at)
            begin, at = at + 16, at + 16 + length
            if length > PACKET_BYTES_MAX:
                self._offset += begin
                raise CaptureError(
                    f"{self._here()}: packet {number} claims {length:,} octets; a packet has at "
                    f"most {PACKET_BYTES_MAX:,}"
                )
            if at > size:
                data, begin, at = self._at_least(length, data, begin), 0, length
                size = len(data)
                if at > size:
                    break
            time = seconds * 1_000_000_000 + fraction * unit
            yield new(Frame, (number, time, link, 0, data[begin:at]))
        self.notes.append(f"{self._here()}: the file ends inside packet {number}")

    def _at_least(self, count: int, data: bytes, used: int) -> bytes:
        """Return what of `data` is not used, and what follows it: so many octets, if there are."""
        self._offset += used
        data = data[used:]
        while len(data) < count:
            more = self._file.read1(max(CHUNK_BYTES, count - len(data)))
            if not more:
                break
            data += more
        return data

    def _pcapng(self) -> Iterator[Frame]:
        order, number = self._section_order(), 0
        interfaces: list[tuple[int, int]] = []
        kind_word = SECTION
        while kind_word:
            if kind_word == SECTION:
                order, interfaces = self._section(order), []
                kind_word = self._read(4)
                if kind_word == SECTION:
                    order = self._section_order()
                continue
            if len(kind_word) < 4:
                self.notes.append(f"{self._here()}: the file ends inside a block")
                return
            kind = struct.unpack(f"{order}I", kind_word)[0]
            body = self._block(order)
            if body is None:
                return
            if kind == INTERFACE:
                interfaces.append(self._interface(order, body, len(interfaces)))
            elif kind in (PACKET, OLD_PACKET, SIMPLE_PACKET):
                number += 1
                yield self._packet(order, kind, body, interfaces, number)
            kind_word = self._read(4)
            if kind_word == SECTION:
                order = self._section_order()

    def _section_order(self) -> str:
        """Return the byte order of the section that begins here, behind its first word."""
        head = self._read(8)
        self._pending = head[:4]
        orders = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
        if len(head) < 8 or head[4:] not in orders:
            raise CaptureError(f"{self._here()}: a section of pcapng without its byte order")
        return orders[head[4:]]

    def _section(self, order: str) -> str:
        """Skip the rest of a section's header."""
        length = struct.unpack(f"{order}I", self._pending)[0]
        self._sized(length, 28)
        if self._whole(length - 12, "a section's header") is None:
            raise CaptureError(f"{self._here()}: the file ends inside a section's header")
        return order

    def _sized(self, length: int, least: int) -> None:
        if length < least or length % 4 or length > BLOCK_BYTES_MAX:
            raise CaptureError(f"{self._here()}: a block of pcapng claims {length:,} octets")

    def _block(self, order: str) -> bytes | None:
        """Return a block's body, the two lengths around it taken off; None at the file's end."""
        size = self._whole(4, "a block")
        if size is None:
            return None
        (length,) = struct.unpack(f"{order}I", size)
        self._sized(length, 12)
        body = self._whole(length - 8, "a block")
        if body is None:
            return None
        if body[-4:] != size:
            raise CaptureError(f"{self._here()}: a block's two lengths differ")
        return body[:-4]

    def _interface(self, order: str, body: bytes, known: int) -> tuple[int, int]:
        """Return an interface's link type and how many of its time units make a second."""
        if len(body) < 8 or known >= INTERFACES_MAX:
            raise CaptureError(f"{self._here()}: not an interface of pcapng, or too many of them")
        link = struct.unpack(f"{order}H", body[:2])[0]
        at, units = 8, 1_000_000
        while at + 4 <= len(body):
            code, length = struct.unpack(f"{order}HH", body[at : at + 4])
            if code == 0:
                break
            if code == IF_TSRESOL and length == 1 and at + 5 <= len(body):
                value = body[at + 4]
                units = (2 if value & 0x80 else 10) ** min(value & 0x7F, 63)
            at += 4 + length + -length % 4
        return link, units

    def _packet(
        self, order: str, kind: int, body: bytes, interfaces: list[tuple[int, int]], number: int
    ) -> Frame:
        head = {PACKET: 20, OLD_PACKET: 20, SIMPLE_PACKET: 4}[kind]
        if len(body) < head:
            raise CaptureError(f"{self._here()}: packet {number} has no room for its header")
        high = low = which = 0
        if kind == PACKET:
            which, high, low, length, _ = struct.unpack(f"{order}IIIII", body[:20])
        elif kind == OLD_PACKET:
            which, _, high, low, length, _ = struct.unpack(f"{order}HHIIII", body[:20])
        else:
            length = min(struct.unpack(f"{order}I", body[:4])[0], len(body) - 4)
        if which >= len(interfaces):
            raise CaptureError(f"{self._here()}: packet {number} is of interface {which}, not said")
        if length > len(body) - head:
            raise CaptureError(
                f"{self._here()}: packet {number} claims {length:,} octets in one of {len(body):,}"
            )
        link, units = interfaces[which]
        time = ((high << 32) | low) * 1_000_000_000 // units
        return Frame(number, time, link, which, body[head : head + length])


class _Rewound:
    """A file whose first octets have been read already."""

    def __init__(self, first: bytes, file: BufferedIOBase) -> None:
        self._first = first
        self._file = file

    def read(self, count: int = -1) -> bytes:
        """Return up to so many octets."""
        if self._first:
            data, self._first = self._first, b""
            return data if count < 0 or count >= len(data) else self._split(data, count)
        return self._file.read(count)

    def _split(self, data: bytes, count: int) -> bytes:
        self._first = data[count:]
        return data[:count]


def _opened(path: Path) -> BufferedIOBase:
    return cast(BufferedIOBase, sys.stdin.buffer) if str(path) == "-" else path.open("rb")
