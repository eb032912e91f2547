"""Verifies a tiled transparency log on disk from its specifications alone, sharing no code with the crate it tests.

Usage: verify.py FOLDER LOG-VKEY WITNESS-VKEY. Exit code 0: verified; 1: not; 77: the package `cryptography` is missing.
"""

import base64
import hashlib
import pathlib
import struct
import sys

try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    print("skipped: this Python has no package cryptography")
    sys.exit(77)


def sha(data):
    return hashlib.sha256(data).digest()


def node(left, right):
    return sha(b"\x01" + left + right)


def root(hashes):
    """RFC 6962 §2.1, from leaf hashes, row by row: a last node without a sibling rises."""
    while len(hashes) > 1:
        pairs = [node(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[len(hashes) & ~1 :]
    return hashes[0] if hashes else sha(b"")


def path(row, index, width):
    digits = f"{index:03}" if index < 1000 else f"x{index // 1000:03}/{index % 1000:03}"
    return f"tile/{row}/{digits}" + (f".p/{width}" if width < 256 else "")


def tiles(folder, row, count):
    """The bytes of all tiles of a row that has so many hashes or entries."""
    for first in range(0, count, 256):
        width = min(256, count - first)
        yield width, (folder / path(row, first // 256, width)).read_bytes()


def entries(folder, size):
    for width, data in tiles(folder, "entries", size):
        for _ in range(width):
            (length,) = struct.unpack_from(">H", data)
            yield data[2 : 2 + length]
            data = data[2 + length :]
        assert data == b"", "bytes after the last entry"


def verify_note(note, vkeys):
    """The text of a note that every one of the keys signed."""
    at = note.rindex("\n\n") + 1
    text, lines = note[:at], note[at + 1 :].splitlines()
    for vkey in vkeys:
        name, key_id, key = vkey.split("+", 2)
        key = base64.b64decode(key)
        assert sha(f"{name}\n".encode() + key)[:4].hex() == key_id, "key id"
        mine = [line.split(" ") for line in lines if line.startswith(f"— {name} ")]
        signatures = [base64.b64decode(signature) for _, _, signature in mine]
        (signature,) = [s[4:] for s in signatures if s[:4].hex() == key_id]
        message = text
        if key[0] == 4:
            (time,) = struct.unpack(">Q", signature[:8])
            message, signature = f"cosignature/v1\ntime {time}\n{text}", signature[8:]
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, message.encode())
    return text


def prove(leaf, index, size, hashes):
    """The root that RFC 6962 §2.1.1 leads to, by recursion from the top."""
    if size == 1:
        assert not hashes, "too many hashes"
        return leaf
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        return node(prove(leaf, index, split, hashes[:-1]), hashes[-1])
    return node(hashes[-1], prove(leaf, index - split, size - split, hashes[:-1]))


def main():
    folder, vkeys = pathlib.Path(sys.argv[1]), sys.argv[2:]
    checkpoint = (folder / "checkpoint").read_text()
    origin, size, expected = verify_note(checkpoint, vkeys).splitlines()
    size, expected = int(size), base64.b64decode(expected)
    assert vkeys[0].startswith(f"{origin}+"), "origin"

    leaves = [sha(b"\x00" + entry) for entry in entries(folder, size)]
    assert root(leaves) == expected, "root of the entries"
    row, level = leaves, 0
    while row:
        assert b"".join(data for _, data in tiles(folder, level, len(row))) == b"".join(row), f"level {level}"
        row = [root(row[i : i + 256]) for i in range(0, len(row) - 255, 256)]
        level += 1

    head, note = (folder / "one.tlog-proof").read_text().split("\n\n", 1)
    kind, extra, index, *hashes = head.splitlines()
    assert (kind, extra, note) == ("c2sp.org/tlog-proof@v1", "extra " + base64.b64encode(b"any").decode(), checkpoint)
    index = int(index.removeprefix("index "))
    assert prove(leaves[index], index, size, [base64.b64decode(line) for line in hashes]) == expected, "proof"
    print(f"verified {size} entries, {len(vkeys)} signatures, entry {index}")


main()
