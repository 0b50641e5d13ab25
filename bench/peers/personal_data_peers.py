#!/usr/bin/env python3
"""Other finders of personal data beside the rule `pii`, on the same labelled documents.

    personal_data_peers.py score LABELLED.jsonl [--peers datatrove,scrubadub,presidio] [--ours BENCH]
    personal_data_peers.py formatter IN.jsonl... --ours BENCH
    personal_data_peers.py goldens OUT.jsonl [--seed 1]

score: precision, recall and exact ends by kind, and megabytes a second (one process), of datatrove's PIIFormatter, of
scrubadub and of presidio-analyzer (its recognizers of patterns: no model for names). A peer is asked for the kinds that
it has, and what it finds of other kinds (names, places, dates, links) does not count. LABELLED.jsonl is from
personal_data_corpus.py; BENCH is the program bench_personal_data, whose figures are put beside them.
formatter: PIIFormatter and ours over the rows of files, byte by byte; exits 1 unless all are the same.
goldens: texts made from a seed, full of what its two regular expressions nearly match, with what it makes of them.

Needs datatrove==0.10.0; scrubadub==2.0.1 and presidio-analyzer==2.2.366 for their scores. Prints one JSON object.
"""

import argparse
import json
import random
import subprocess
import sys
import time

KINDS = ("email", "phone", "card", "iban", "ip", "national_id", "secret", "vin")


class Datatrove:
    kinds = ("email", "ip")

    def __init__(self):
        from datatrove.pipeline.formatters.pii import PIIFormatter

        self.formatter = PIIFormatter()

    def find(self, text, language):
        taken = []
        for match in self.formatter.emails_replacer.regex.finditer(text):
            taken.append((match.start(), match.end(), "email"))
        for match in self.formatter.ip_replacer.regex.finditer(text):
            if self.formatter.ip_replacer.validator(match.group(0)):
                taken.append((match.start(), match.end(), "ip"))
        return taken


class Scrubadub:
    kinds = ("email", "phone", "card", "national_id")
    names = {
        "email": "email",
        "phone": "phone",
        "credit_card": "card",
        "social_security_number": "national_id",
        "national_insurance_number": "national_id",
    }

    def __init__(self):
        import scrubadub

        self.scrubbers = [scrubadub.Scrubber(locale=locale) for locale in ("en_US", "en_GB")]
        for scrubber in self.scrubbers:
            for name in list(scrubber._detectors):
                if name not in self.names:
                    scrubber.remove_detector(name)

    def find(self, text, language):
        found = set()
        for scrubber in self.scrubbers:
            for filth in scrubber.iter_filth(text):
                for one in getattr(filth, "filths", [filth]):
                    found.add((one.beg, one.end, self.names[one.type]))
        return sorted(found)


class Presidio:
    kinds = ("email", "phone", "card", "iban", "ip", "national_id")
    names = {
        "EMAIL_ADDRESS": "email",
        "PHONE_NUMBER": "phone",
        "CREDIT_CARD": "card",
        "IBAN_CODE": "iban",
        "IP_ADDRESS": "ip",
        "US_SSN": "national_id",
        "UK_NINO": "national_id",
        "ES_NIF": "national_id",
        "ES_NIE": "national_id",
        "IT_FISCAL_CODE": "national_id",
        "IN_AADHAAR": "national_id",
    }

    def __init__(self):
        import spacy
        import tldextract
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, predefined_recognizers as known
        from presidio_analyzer.nlp_engine import SpacyNlpEngine

        # Its own list of public suffixes, so that no newer one is asked for over the network.
        tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())

        class Blank(SpacyNlpEngine):
            """Words without a model: what recognizers of patterns need."""

            def __init__(self):
                super().__init__()
                self.nlp = {"en": spacy.blank("en")}

            def load(self):
                pass

        names = (
            "EmailRecognizer",
            "CreditCardRecognizer",
            "IbanRecognizer",
            "IpRecognizer",
            "UsSsnRecognizer",
            "UkNinoRecognizer",
            "EsNifRecognizer",
            "EsNieRecognizer",
            "ItFiscalCodeRecognizer",
            "InAadhaarRecognizer",
        )
        recognizers = [getattr(known, name)(supported_language="en") for name in names]
        regions = "US GB DE FR IN EG SA AE MA BR ES IT NL SE CN JP".split()
        recognizers.append(known.PhoneRecognizer(supported_regions=regions))
        registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["en"])
        self.engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])

    def find(self, text, language):
        results = self.engine.analyze(text=text, language="en", entities=list(self.names), score_threshold=0.35)
        return [(one.start, one.end, self.names[one.entity_type]) for one in results]


PEERS = {"datatrove": Datatrove, "scrubadub": Scrubadub, "presidio": Presidio}


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def places_in_bytes(text, items):
    places, at = {}, 0
    for index, character in enumerate(text):
        places[index] = at
        at += len(character.encode())
    places[len(text)] = at
    return [(places[begin], places[end], kind) for begin, end, kind in items]


def share(part, whole):
    return round(part / whole, 4) if whole else 1.0


def score(rows, peer):
    counts = {kind: dict(labelled=0, found=0, right=0, recalled=0, exact=0) for kind in KINDS}
    size, seconds = 0, 0.0
    for row in rows:
        begun = time.process_time()
        items = peer.find(row["text"], row["language"])
        seconds += time.process_time() - begun
        size += len(row["text"].encode())
        found = set(places_in_bytes(row["text"], items))
        labels = [(item["begin"], item["end"], item["kind"]) for item in row["items"]]

        def overlaps(one, others):
            return any(one[2] == other[2] and one[0] < other[1] and other[0] < one[1] for other in others)

        for label in labels:
            count = counts[label[2]]
            count["labelled"] += 1
            count["recalled"] += overlaps(label, found)
            count["exact"] += label in found
        for one in found:
            counts[one[2]]["found"] += 1
            counts[one[2]]["right"] += overlaps(one, labels)
    by_kind = {}
    for kind in peer.kinds:
        count = counts[kind]
        by_kind[kind] = {
            "labelled": count["labelled"],
            "found": count["found"],
            "precision": share(count["right"], count["found"]),
            "recall": share(count["recalled"], count["labelled"]),
            "exact": share(count["exact"], count["labelled"]),
        }
    return {"kinds": by_kind, "megabytes_per_second": round(size / 1e6 / seconds, 3)}


def run_score(arguments):
    rows = read_rows(arguments.labelled)
    result = {}
    if arguments.ours:
        out = subprocess.run(
            [arguments.ours, "--labelled", arguments.labelled, "--speed", arguments.labelled, "--json"],
            check=True,
            capture_output=True,
        ).stdout
        ours = json.loads(out)
        result["ours"] = {
            "kinds": ours["labelled"],
            "megabytes_per_second": ours["speed"]["megabytes_per_processor_second"],
        }
    for name in arguments.peers.split(","):
        try:
            peer = PEERS[name]()
        except ImportError as error:
            result[name] = f"not installed: {error}"
            continue
        result[name] = score(rows, peer)
    print(json.dumps(result, indent=1))
    return 0


def reference(rows):
    from datatrove.pipeline.formatters.pii import PIIFormatter

    formatter = PIIFormatter()
    return [formatter.format(row["text"]) for row in rows]


def run_formatter(arguments):
    result, same = [], True
    for path in arguments.files:
        rows = read_rows(path)
        begun = time.process_time()
        expected = reference(rows)
        seconds = time.process_time() - begun
        out = subprocess.run([arguments.ours, "--formatter", path, "--json"], check=True, capture_output=True).stdout
        ours = [json.loads(line)["text"] for line in out.decode().split("\n")[: len(rows)]]
        differing = [i for i in range(len(rows)) if ours[i] != expected[i]]
        changed = sum(expected[i] != rows[i]["text"] for i in range(len(rows)))
        size = sum(len(row["text"].encode()) for row in rows)
        result.append(
            {
                "file": path,
                "documents": len(rows),
                "changed": changed,
                "differing": len(differing),
                "reference_megabytes_per_second": round(size / 1e6 / seconds, 1),
            }
        )
        same = same and not differing
        for i in differing[:3]:
            at = next((k for k, (a, b) in enumerate(zip(ours[i], expected[i])) if a != b), 0)
            print(f"row {i}: ours {ours[i][max(0, at - 40):at + 40]!r}", file=sys.stderr)
            print(f"row {i}: reference {expected[i][max(0, at - 40):at + 40]!r}", file=sys.stderr)
    print(json.dumps(result))
    return 0 if same else 1


def tangle(rng):
    """Pieces that the expressions are made of, in any order."""
    pieces = (
        lambda: rng.choice("!#$%&'*+/=?^_`{|}~-.@:[]() \n,;<>\"\\"),
        lambda: "@",
        lambda: ".",
        lambda: str(rng.randint(0, 300)),
        lambda: ".".join(str(rng.choice((rng.randint(0, 299), rng.randint(0, 255), 10, 127))) for _ in range(4)),
        lambda: ".".join(f"{rng.randint(0, 255):03}" for _ in range(4)),
        lambda: rng.choice(
            ("a", "b1", "com", "x-y", "-", "--", "A", "org", "é", "ß", "هاتف", "٣", "中", "½", "²", "\u00a0")
        ),
        lambda: rng.choice(("jo", "j.o", "j..o", ".jo", "jo."))
        + "@"
        + rng.choice(("a.b", "a-.b", "a.-b", "a.b-", "a", "a..b")),
        lambda: "jo@["
        + ".".join(str(rng.randint(0, 260)) for _ in range(rng.choice((3, 4))))
        + rng.choice(("]", ".x:]", ":]", "")),
        # Without 192.0.0.0/24, of which Python's ipaddress before 3.12.4 says something else.
        lambda: rng.choice(("100.64.1.1", "169.254.1.1", "198.19.0.1", "224.0.0.1", "255.255.255.255", "8.8.8.8")),
    )
    return "".join(rng.choice(pieces)() for _ in range(rng.randint(1, 14)))


def run_goldens(arguments):
    rng = random.Random(arguments.seed)
    rows = [{"text": tangle(rng)} for _ in range(arguments.count)]
    with open(arguments.out, "w", encoding="utf-8") as out:
        for row, expected in zip(rows, reference(rows)):
            out.write(json.dumps({"text": row["text"], "expected": expected}, ensure_ascii=False) + "\n")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("score")
    one.add_argument("labelled")
    one.add_argument("--peers", default="datatrove,scrubadub,presidio")
    one.add_argument("--ours")
    one.set_defaults(run=run_score)
    one = commands.add_parser("formatter")
    one.add_argument("files", nargs="+")
    one.add_argument("--ours", required=True)
    one.set_defaults(run=run_formatter)
    one = commands.add_parser("goldens")
    one.add_argument("out")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--count", type=int, default=600)
    one.set_defaults(run=run_goldens)
    arguments = parser.parse_args()
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
