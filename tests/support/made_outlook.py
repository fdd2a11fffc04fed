"""Messages of Outlook made from nothing (MS-CFB 3.0, MS-OXMSG), with short texts only."""

import struct

SECTOR, MINI = 512, 64
END, FREE, IN_FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
TEXT, BYTES, NUMBER = 0x1F, 0x102, 3
SUBJECT, BODY, SENDER, FILE, FILE_NAME, METHOD = 0x37, 0x1000, 0xC1A, 0x3701, 0x3707, 0x3705


def message(subject, body, **attached):
    """`attached`: names, with `_` for the dot -> bytes."""
    root = _storage(
        {SUBJECT: subject, BODY: body, SENDER: "Ida"},
        struct.pack("<8xIIII8x", 0, len(attached), 0, len(attached)),
    )
    for number, (name, data) in enumerate(attached.items()):
        fields = {FILE: data, FILE_NAME: name.replace("_", "."), METHOD: 1}
        root[f"__attach_version1.0_#{number:08X}"] = _storage(fields, bytes(8))
    return _file(root)


def _storage(fields, head):
    """Name -> stream. A message's property is a stream and an entry in the list of all."""
    streams = {}
    entries = [head]
    for tag, value in fields.items():
        if isinstance(value, int):
            entries.append(struct.pack("<HHIQ", NUMBER, tag, 6, value))
            continue
        kind, data = (
            (BYTES, value) if isinstance(value, bytes) else (TEXT, value.encode("utf-16le"))
        )
        streams[f"__substg1.0_{tag:04X}{kind:04X}"] = data
        entries.append(struct.pack("<HHIII", kind, tag, 6, len(data) + 2 * (kind == TEXT), 0))
    return streams | {"__properties_version1.0": b"".join(entries)}


def _file(root):
    """A header, the table of sectors, the folder, the table of mini sectors, and these."""
    entries, streams = [], []
    _add("Root Entry", root, entries, streams)
    mini, table = b"", []
    for number, data in streams:
        entries[number][2:] = [len(mini) // MINI, len(data)]
        count = -(-len(data) // MINI)
        mini += data.ljust(count * MINI, b"\0")
        table += [len(table) + n + 1 for n in range(count - 1)] + [END]
    sizes = [128 * len(entries), 4 * len(table), len(mini)]
    counts = [-(-size // SECTOR) for size in sizes]
    starts = [1, 1 + counts[0], 1 + counts[0] + counts[1]]
    entries[0][2:] = [starts[2], len(mini)]
    fat = [IN_FAT]
    for count in counts:
        fat += [len(fat) + n + 1 for n in range(count - 1)] + [END]
    parts = [
        _numbers(fat),
        _padded(b"".join(_entry(*each) for each in entries)),
        _numbers(table),
        _padded(mini),
    ]
    return _header(starts, counts) + b"".join(parts)


def _header(starts, counts):
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, 1, starts[0], 0, 4096, starts[1], counts[1], END, 0)
    return head + struct.pack("<109I", 0, *[FREE] * 108)


def _numbers(numbers):
    return _padded(struct.pack(f"<{len(numbers)}I", *numbers), b"\xff")


def _add(name, content, entries, streams):
    """An entry: name, [kind, right, child], first sector, bytes. Those in a storage are a list."""
    number = len(entries)
    entries.append([name, [2, FREE, FREE], 0, 0])
    if isinstance(content, bytes):
        streams.append((number, content))
        return number
    entries[number][1][0] = 1 if number else 5
    before = None
    for inner in sorted(content, key=lambda each: (len(each), each.upper())):
        each = _add(inner, content[inner], entries, streams)
        if before is None:
            entries[number][1][2] = each
        else:
            entries[before][1][1] = each
        before = each
    return number


def _entry(name, links, start, size):
    kind, right, child = links
    coded = name.encode("utf-16le")
    head = struct.pack("<HBBIII", len(coded) + 2, kind, 1, FREE, right, child)
    return coded.ljust(64, b"\0") + head + bytes(36) + struct.pack("<IQ", start, size)


def _padded(data, filler=b"\0"):
    return data.ljust(-(-len(data) // SECTOR) * SECTOR, filler)
