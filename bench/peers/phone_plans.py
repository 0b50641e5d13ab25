#!/usr/bin/env python3
"""The numbering plans that the rule `pii` validates telephone numbers by, from the PyPI package phonenumbers.

    phone_plans.py --table src/curate/personal_data_phone_table.cc
    phone_plans.py --numbers OUT.txt [--each 4]

--table asks phonenumbers, for every country code, which numbers of each length can begin with which three digits: of
every three digits and length 200 numbers are drawn, and the beginning stands in the table when one of them is valid.
--numbers writes "DIGITS 1" for valid and "DIGITS 0" for invalid numbers (without "+"), EACH of both kinds for every
country code; the invalid ones are valid ones with one digit more or fewer, with one of the first digits changed, or with
all behind the country code drawn again. bench_personal_data --phones compares. Needs phonenumbers==9.0.43 (Apache-2.0). Same output on every run.
"""

import argparse
import random
import re

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)
HEAD = """// Made by bench/peers/phone_plans.py from phonenumbers %s (libphonenumber's metadata, Apache-2.0).
#include "curate/personal_data_phones.h"

namespace rhodes {

const std::vector<PhonePlan>& PhonePlans() {
  static const auto* const plans = new std::vector<PhonePlan>{
"""
TAIL = """  };
  return *plans;
}

}  // namespace rhodes
"""


def plan(code):
    """A test of national numbers, and the lengths that they have."""
    patterns, lengths = [], set()
    for region in COUNTRY_CODE_TO_REGION_CODE[code]:
        metadata = (
            PhoneMetadata.metadata_for_nongeo_region(code)
            if region == "001"
            else PhoneMetadata.metadata_for_region(region)
        )
        for kind in KINDS:
            described = getattr(metadata, kind)
            if described is None or not described.national_number_pattern:
                continue
            patterns.append("(?:" + described.national_number_pattern + ")")
            lengths |= set(described.possible_length or metadata.general_desc.possible_length)
    either = re.compile("|".join(patterns))
    return (lambda number: either.fullmatch(number) is not None), sorted(n for n in lengths if n >= 5)


def some_digits(rng, count):
    return "".join(rng.choice("0123456789") for _ in range(count))


def ranges(prefixes):
    runs = []
    for prefix in prefixes:
        if runs and runs[-1][1] == prefix - 1:
            runs[-1][1] = prefix
        else:
            runs.append([prefix, prefix])
    return " ".join(f"{a:03}" if a == b else f"{a:03}-{b:03}" for a, b in runs)


def literal(text, indent, width=116):
    """Adjacent string literals, one a line."""
    lines, line = [], ""
    for word in text.split(" "):
        if len(line) + len(word) + 4 + indent > width:
            lines.append(line)
            line = ""
        line += word + " "
    lines.append(line.rstrip())
    return ("\n" + " " * indent).join(f'"{one}"' for one in lines)


def write_table(path):
    rng = random.Random(17)
    with open(path, "w", encoding="ascii") as out:
        out.write(HEAD % phonenumbers.__version__)
        for code in sorted(COUNTRY_CODE_TO_REGION_CODE):
            valid, lengths = plan(code)
            for length in lengths:
                found = [
                    prefix
                    for prefix in range(1000)
                    if any(valid(f"{prefix:03}" + some_digits(rng, length - 3)) for _ in range(200))
                ]
                if found:
                    out.write(f"      {{{code}, {length}, {literal(ranges(found), 12)}}},\n")
        out.write(TAIL)


def is_valid(digits):
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits))
    except phonenumbers.NumberParseException:
        return False


def draw_valid(rng, code):
    """One valid number, as a caller would write it behind "+"."""
    while True:
        region = rng.choice(COUNTRY_CODE_TO_REGION_CODE[code])
        if region == "001":
            example = phonenumbers.example_number_for_non_geo_entity(code)
        else:
            kind = rng.choice((phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE))
            example = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
        digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
        kept = rng.randint(len(str(code)), max(len(digits) - 4, len(str(code))))
        for _ in range(20):
            number = digits[:kept] + some_digits(rng, len(digits) - kept)
            if is_valid(number):
                return number


def spoilt(rng, code, number):
    way = rng.randrange(4)
    if way == 0:
        return number[:-1]
    if way == 1:
        return number + some_digits(rng, 1)
    if way == 2:
        at = len(str(code)) + rng.randrange(2)  # of the area or operator
        return number[:at] + some_digits(rng, 1) + number[at + 1 :]
    return str(code) + some_digits(rng, len(number) - len(str(code)))


def write_numbers(path, each):
    rng = random.Random(23)
    with open(path, "w", encoding="ascii") as out:
        for code in sorted(COUNTRY_CODE_TO_REGION_CODE):
            for _ in range(each):
                out.write(draw_valid(rng, code) + " 1\n")
            left, tries = each, 0
            while left and tries < 1000 * each:
                tries += 1
                number = spoilt(rng, code, draw_valid(rng, code))
                if not is_valid(number) and len(number) >= 7:
                    out.write(number + " 0\n")
                    left -= 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table")
    parser.add_argument("--numbers")
    parser.add_argument("--each", type=int, default=4)
    arguments = parser.parse_args()
    if arguments.table:
        write_table(arguments.table)
    if arguments.numbers:
        write_numbers(arguments.numbers, arguments.each)


if __name__ == "__main__":
    main()
