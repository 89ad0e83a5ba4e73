"""Files of which no original is ever offered, by their first bytes: a double click runs, mounts or opens them."""

from normalizer.events import Kind


def _any_of(*patterns: bytes) -> bytes:
    return b"|".join(patterns)


_PROGRAMS = _any_of(
    rb"\x7fELF",
    # Mach-O, for one processor and for several; the latter is also the mark of Java's classes.
    rb"\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba[\xbe\xbf]",
    rb"dex\n0",  # Android
    rb"\x00asm",  # WebAssembly
    rb"[FCZ]WS[\x01-\x40]",  # Flash
)

#: Scanners look into archives only so far.
_ARCHIVES = _any_of(
    rb"\xfd7zXZ\x00",
    rb"BZh[1-9]1AY",
    rb"\x28\xb5\x2f\xfd",  # zstd
    rb"\x04\x22\x4d\x18",  # lz4
    rb"!<arch>\n",  # Debian's packages
    rb"\xed\xab\xee\xdb",  # RPM
    rb"\x60\xea.{9}\x02",  # ARJ
    rb"..-l[hz].-",  # LHA
    rb".{7}\*\*ACE\*\*",
    rb"MSCF\x00{4}|ISc\(",  # cabinets
    rb".{257}ustar",
)

#: Of Windows (MS-SHLLINK, 2.1) and of macOS.
_SHORTCUTS = _any_of(rb"L\x00{3}\x01\x14\x02\x00", rb"book\x00{4}mark", rb".{4}alis.{12}\x00")

_DISKS = _any_of(
    rb"conectix|vhdxfile|KDMV|QFI\xfb|MSWIM\x00",  # Virtual PC, Hyper-V, VMware, QEMU, Windows
    rb"# Disk DescriptorFile",
    rb"(?=.{,500}\x00).{510}\x55\xaa",  # a boot sector
    rb".{32769}(?:CD001|BEA01)",  # ISO 9660 and UDF
)

#: Help, notebooks and databases of Windows, which run what is inside of them.
_ACTIVE = _any_of(
    rb"ITSF\x03",
    rb"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
    rb"\x00\x01\x00\x00Standard (?:Jet|ACE) DB",
)

_ENCRYPTED = _any_of(rb"age-encryption\.org/", rb"Salted__", rb"LUKS\xba\xbe")

NEVER_OFFERED: tuple[tuple[bytes, Kind, str], ...] = (
    (rb"PK(?:\x05\x06|\x07\x08)", "document", "application/zip"),
    (_ARCHIVES, "document", "application/x-archive"),
    (rb"MZ.{,60}\x00", "document", "application/x-msdownload"),
    (_PROGRAMS, "document", "application/x-executable"),
    (_SHORTCUTS, "document", "application/x-shortcut"),
    (_DISKS, "document", "application/x-disk-image"),
    (_ACTIVE, "document", "application/x-active-document"),
    (_ENCRYPTED, "document", "application/x-encrypted"),
)
