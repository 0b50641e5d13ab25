#!/usr/bin/env python3
"""Addresses of the Internet as Python's ipaddress reads them, for the tests of the rule `pii`.

    ip_addresses.py OUT.txt [--count 1500] [--seed 1]

Writes "TEXT HEX PUBLIC" a line: the address in 32 (IPv6) or 8 (IPv4) hexadecimal digits, or "-" when TEXT is none, and
whether it is public: is_global of ipaddress and not multicast; of IPv6 within 2000::/3, or by the IPv4 address that it
holds. TEXT has random runs of zeros, "::" for any of them, leading zeros, capitals, embedded IPv4 addresses, and half of
the lines a slip. Run with CPython 3.13, whose tables of special networks are IANA's.
"""

import argparse
import ipaddress
import random

BEGINNINGS = (0x2001, 0x2001, 0x2A00, 0x2606, 0x2002, 0x3FFF, 0xFE80, 0xFC00, 0xFF02, 0x0064, 0x0000, 0x0100, 0x5F00)
SECONDS = (0x0000, 0x0001, 0x0002, 0x0003, 0x0004, 0x0020, 0x0030, 0x0DB8, 0x01FF, 0x0200, 0xFF9B, 0x4860)
UNICAST = ipaddress.ip_network("2000::/3")
DOCUMENTATION = ipaddress.ip_network("3fff::/20")  # RFC 9637, younger than CPython 3.13.0
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def is_public(address):
    if address.version == 4:
        return address.is_global and not address.is_multicast
    inner = address.ipv4_mapped
    if address in TRANSLATED:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return is_public(inner) if inner else address.is_global and address in UNICAST and address not in DOCUMENTATION


def groups(rng):
    made = [rng.choice((0, 0, 1, rng.getrandbits(8), rng.getrandbits(16))) for _ in range(8)]
    if rng.random() < 0.7:
        made[0], made[1] = rng.choice(BEGINNINGS), rng.choice(SECONDS)
    if rng.random() < 0.1:
        made[:6] = [0, 0, 0, 0, 0, 0xFFFF]
    if rng.random() < 0.1:
        made[:6] = [0x64, 0xFF9B, 0, 0, 0, 0]
    return made


def version6(rng):
    made = groups(rng)
    written = [format(group, rng.choice(("x", "x", "04x", "X"))) for group in made]
    if rng.random() < 0.25:
        written[6:] = [".".join(str(byte) for group in made[6:] for byte in divmod(group, 256))]
    zeros = [i for i, one in enumerate(written) if one.strip("0") == ""]
    if zeros and rng.random() < 0.8:
        begin = end = rng.choice(zeros)
        while end in zeros and (end == begin or rng.random() < 0.8):
            end += 1
        return ":".join(written[:begin]) + "::" + ":".join(written[end:])
    return ":".join(written)


def version4(rng):
    first = rng.choice((10, 100, 127, 169, 172, 192, 198, 203, 224, 240, 8, rng.randint(0, 255)))
    second = rng.choice((0, 18, 51, 64, 127, 168, 254, rng.randint(0, 255)))
    third = rng.choice((0, 2, 100, 113, rng.randint(0, 255)))
    return ".".join(str(part) for part in (first, second, third, rng.choice((0, 9, 10, rng.randint(0, 255)))))


def slip(rng, text):
    at = rng.randrange(len(text))
    way = rng.randrange(3)
    piece = rng.choice((":", ":", ".", "0", "1", "f", "g", "256", "::"))
    return text[:at] + ("" if way == 0 else piece) + text[at + (way < 2) :]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with open(arguments.out, "w", encoding="ascii") as out:
        for number in range(arguments.count):
            text = version4(rng) if number % 5 == 0 else version6(rng)
            if number % 2:
                text = slip(rng, text)
            try:
                address = ipaddress.ip_address(text)
                digits = format(int(address), "08x" if address.version == 4 else "032x")
                out.write(f"{text} {digits} {int(is_public(address))}\n")
            except ValueError:
                if text and " " not in text:
                    out.write(f"{text} - 0\n")


if __name__ == "__main__":
    main()
