"""Checks a snapshot: check.py PINS SNAPSHOT. docs/snapshot.md explains every byte. Cosignatures: see tlog's verifier."""
import base64, hashlib, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
name = lambda digest: "sha256:" + digest.hex()
verify = lambda key, signature, message: Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
number = lambda file, size: int.from_bytes(file.read(size), "big")
part = lambda file: file.read(number(file, 4))
ssh = lambda message: b"SSHSIG" + b"".join(len(one).to_bytes(4, "big") + one for one in (
    b"tribune-approval", b"", b"sha512", hashlib.sha512(message).digest()))
split = lambda size: 1 << (size - 1).bit_length() - 1  # the largest power of two below it
tree = lambda leaves: leaves[0] if len(leaves) == 1 else sha(*(leaves and (
    b"\1", tree(leaves[:split(len(leaves))]), tree(leaves[split(len(leaves)):]))))

def climb(leaf, index, size, proof):  # the root that an inclusion proof leads to
    if size < 2 or not proof: return leaf if size == 1 and not proof else None
    if index < split(size): return sha(b"\1", climb(leaf, index, split(size), proof[:-1]), proof[-1])
    return sha(b"\1", proof[-1], climb(leaf, index - split(size), size - split(size), proof[:-1]))

def checkpoint(note):  # how many entries the log says it has, and their root
    text, (origin, size, root) = note[:note.index("\n\n") + 1], note.splitlines()[:3]
    signature = next(line.split(" ")[2] for line in note.splitlines() if line.startswith(f"— {pins['origin']} "))
    verify(base64.b64decode(pins["log"].split("+", 2)[2])[1:], base64.b64decode(signature)[4:], text.encode())
    assert origin == pins["origin"], "a checkpoint of another log"
    return int(size), base64.b64decode(root)

lines = [line.split(" ", 1) for line in open(sys.argv[1], encoding="utf-8").read().splitlines()]
pins, approvers = dict(lines), {tuple(value.split(" ", 2)) for kind, value in lines if kind == "approver"}
file = open(sys.argv[2], "rb")
assert file.readline() == b"tribune snapshot 1\n", "no snapshot"
head, signature = part(file), file.read(64)
epoch, sequence, count, server = *(int.from_bytes(head[a:b], "big") for a, b in ((15, 23), (23, 31), (39, 43))), pins["server"]
if head[76:]:
    server = head[76:108].hex()
    verify(bytes.fromhex(pins["root"]), head[108:], f"tribune epoch 1\nepoch {epoch}\nkey {server}\n".encode())
assert head[76:] or epoch == int(pins["epoch"]), "a later epoch without certificate"
verify(bytes.fromhex(server), signature, head)
checkpoints, content = [checkpoint(part(file).decode()) for _ in range(number(file, 4))], b""
for remembered in (False, True):
    for _ in range(number(file, 4)):
        length = number(file, 4)
        start, text, targets = file.tell(), part(file), [part(file) for _ in range(number(file, 4))]
        root, people, approvals = name(tree([sha(b"\0", line) for line in targets])), set(), number(file, 4)
        assert text.endswith(f"\ntargets {len(targets)} {root}\n".encode()), "not the list that was approved"
        for _ in range(approvals):
            person, key, form, signature, shown = part(file).decode(), *(file.read(size) for size in (32, 1, 64, 32))
            assert ({1: "ssh", 2: "passphrase"}[form[0]], key.hex(), person) in approvers, f"{person} is not pinned so"
            message = f"tribune approval 1\ndecision {name(sha(text))}\ntargets {root}\nshown {name(shown)}\n".encode()
            verify(key, signature, ssh(message) if form == b"\1" else message)
            people.add(person)
        assert len(people) == approvals >= int(pins["threshold"]), "too few approved, or one twice"
        salt, policy, lifts = file.read(32), file.read(32), text.splitlines()[3].startswith(b"lift ")
        day = part(file).decode()
        entry = f'{{"entry":"decision","commitment":"{name(sha(salt, text))}","policy":"{name(policy)}",' \
            f'"lifts":{str(lifts).lower()},"approvals":{approvals},"day":"{day}"}}'
        file.seek(start)
        content += b"" if remembered else sha(file.read(length))
        terms, (size, expected), index = part(file), checkpoints[number(file, 4)], number(file, 8)
        proof, content = [file.read(32) for _ in range(number(file, 4))], content + (b"" if remembered else sha(terms))
        assert climb(sha(b"\0", entry.encode()), index, size, proof) == expected, "not in the log"
        print(" ".join(line.split(" ", 1)[1] for line in text.decode().splitlines()[1:4]))
assert sha(content) == head[43:75] and len(content) == 64 * count and not file.read(), "not what the server signed"
print(f"verified snapshot {epoch}.{sequence}")
