#!/usr/bin/env python3
"""Writes labelled documents for the rule `pii`: personal data that nobody has, in English and Arabic text.

    personal_data_corpus.py OUT.jsonl [--documents 2000] [--seed 1]

Each row is {id, language, text, items: [{begin, end, kind}]}, places in bytes of UTF-8. The items come from other
implementations than ours: Faker (names, addresses of the Internet, cards, IBANs, VINs, some ids), phonenumbers (valid
numbers of forty countries, drawn at random and written in its formats and in others that people use) and python-stdnum
(check digits). Between them stand sentences with numbers that are no personal data: orders, dates, times, versions,
hashes, UUIDs, ISBNs, coordinates, prices, measures, part numbers, DOIs, special addresses, and cards, IBANs, VINs and ids
whose check digit is wrong. Needs Faker==40.63.0, phonenumbers==9.0.43 and python-stdnum==2.2. Same seed, same bytes.
"""

import argparse
import base64
import datetime
import hashlib
import ipaddress
import json
import random
import string

import phonenumbers
from faker import Faker
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from stdnum import luhn, verhoeff
from stdnum.br import cpf
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.us import ssn

REGIONS = (
    "US US US US GB GB GB DE DE FR FR ES IT NL BE CH AT SE NO DK FI PL PT IE IN IN PK BD CN JP KR ID PH AU NZ ZA NG KE BR MX "
    "AR CO TR RU UA IL EG EG EG SA SA SA AE AE MA DZ TN LY JO LB SY IQ KW QA BH OM YE SD"
).split()
ARABIC_REGIONS = "EG EG EG SA SA SA AE AE MA DZ TN LY JO LB SY IQ KW QA BH OM YE SD".split()
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FIRST_DAY, LAST_DAY = datetime.date(1985, 1, 1), datetime.date(2027, 12, 31)
BASE62 = string.ascii_letters + string.digits


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        Faker.seed(seed)
        self.fake = Faker("en_US")
        self.locales = {name: Faker(name) for name in ("en_GB", "it_IT", "ar_AA", "de_DE", "fr_FR", "nl_NL", "es_ES")}

    def pick(self, *values):
        return self.rng.choice(values)

    def digits(self, count):
        return "".join(self.rng.choice(string.digits) for _ in range(count))

    def hexadecimal(self, count):
        return "".join(self.rng.choice("0123456789abcdef") for _ in range(count))

    def token(self, count, alphabet=BASE62):
        return "".join(self.rng.choice(alphabet) for _ in range(count))

    def clock(self):
        return f"{self.rng.randint(0, 23):02}:{self.rng.randint(0, 59):02}:{self.rng.randint(0, 59):02}"

    def until(self, make, good):
        while True:
            value = make()
            if good(value):
                return value

    # Personal data.

    def email(self):
        name = self.fake.user_name()
        name = self.pick(
            name,
            self.fake.first_name().lower() + "." + self.fake.last_name().lower().replace(" ", ""),
            name + "+" + self.fake.word(),
            name.upper(),
            name + "_" + self.digits(2),
            "info",
            name[0] + "-" + name,
        )
        host = self.pick(
            self.fake.domain_name(),
            self.fake.domain_name(2),
            self.fake.word() + self.pick(".co.uk", ".com.sa", ".org", ".io", ".edu.eg", ".info"),
        )
        return name + "@" + host

    def phone_number(self, regions=REGIONS):
        region = self.rng.choice(regions)
        kind = self.pick(PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
        example = phonenumbers.example_number_for_type(region, kind)
        national = str(example.national_number)

        def make():
            kept = self.rng.randint(2, max(2, len(national) - 4))
            number = phonenumbers.PhoneNumber()
            number.merge_from(example)
            number.national_number = int(national[:kept] + self.digits(len(national) - kept))
            return number

        return self.until(make, phonenumbers.is_valid_number)

    def international_phone(self, regions=REGIONS):
        number = self.phone_number(regions)
        written = phonenumbers.format_number(
            number, self.pick(PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164)
        )
        way = self.rng.randrange(6)
        if way == 0:
            written = written.replace(" ", "-")
        elif way == 1:
            written = written.replace(" ", ".").replace("-", ".")
        elif way == 2 and " " in written:
            code, rest = written.split(" ", 1)
            area = rest.split(" ", 1)
            if len(area) == 2 and number.country_code in (44, 49, 31, 41, 46, 33):
                written = f"{code} (0){area[0]} {area[1]}"
            elif len(area) == 2:
                written = f"{code} ({area[0]}) {area[1]}"
        return written

    def national_phone(self, regions=REGIONS):
        return phonenumbers.format_number(self.phone_number(regions), PhoneNumberFormat.NATIONAL)

    def american_phone(self):
        number = phonenumbers.format_number(self.phone_number(["US"]), PhoneNumberFormat.NATIONAL)
        plain = "".join(c for c in number if c.isdigit())
        return self.pick(
            number,
            f"{plain[:3]}-{plain[3:6]}-{plain[6:]}",
            f"{plain[:3]}.{plain[3:6]}.{plain[6:]}",
            f"({plain[:3]}){plain[3:6]}-{plain[6:]}",
            f"1-{plain[:3]}-{plain[3:6]}-{plain[6:]}",
        )

    def card(self):
        kind = self.pick("visa16", "visa16", "mastercard", "mastercard", "amex", "discover", "jcb16", "diners")
        number = self.until(
            lambda: self.fake.credit_card_number(kind), lambda one: kind != "jcb16" or 3528 <= int(one[:4]) <= 3589
        )
        return self.pick(number, self.grouped(number, " "), self.grouped(number, " "), self.grouped(number, "-"))

    @staticmethod
    def grouped(number, separator):
        if len(number) == 15:
            return separator.join((number[:4], number[4:10], number[10:]))
        if len(number) == 14:
            return separator.join((number[:4], number[4:10], number[10:]))
        return separator.join(number[i : i + 4] for i in range(0, len(number), 4))

    def iban(self):
        written = self.pick(
            *[self.locales[name] for name in ("en_GB", "it_IT", "de_DE", "fr_FR", "nl_NL", "es_ES")]
        ).iban()
        return self.pick(written, " ".join(written[i : i + 4] for i in range(0, len(written), 4)))

    def ip(self):
        def version6():
            address = ipaddress.IPv6Address(
                (self.pick(0x2001, 0x2A00, 0x2606, 0x2400, 0x2C0F) << 112)
                | self.rng.getrandbits(104) & self.rng.getrandbits(112)
            )
            return address

        if self.rng.random() < 0.6:
            return self.fake.ipv4_public()
        address = self.until(version6, lambda one: one.is_global)
        return self.pick(address.compressed, address.compressed, address.exploded, address.compressed.upper())

    def american_number(self):
        plain = self.until(lambda: self.digits(9), ssn.is_valid)
        return f"{plain[:3]}-{plain[3:5]}-{plain[5:]}"

    def identity(self):
        """(number, sentence) where the sentence names the scheme, as most text does."""
        plain = self.until(lambda: self.digits(9), bsn.is_valid)
        brazil = self.until(lambda: self.digits(11), cpf.is_valid)
        norway = self.until(
            lambda: f"{self.rng.randint(1, 28):02}{self.rng.randint(1, 12):02}" + self.digits(7), fodselsnummer.is_valid
        )
        france = (
            self.pick("1", "2")
            + f"{self.rng.randint(30, 99)}{self.rng.randint(1, 12):02}{self.rng.randint(1, 95):02}"
            + f"{self.rng.randint(1, 900):03}{self.rng.randint(1, 900):03}"
        )
        france += nir.calc_check_digits(france)
        spain = self.digits(8)
        spain = self.pick(spain + dni.calc_check_digit(spain), self.foreigner())
        india = str(self.rng.randint(2, 9)) + self.digits(10)
        india += verhoeff.calc_check_digit(india)
        nino = self.insurance()
        choices = (
            (
                self.american_number(),
                (
                    "SSN: %s.",
                    "Her Social Security number is %s.",
                    "%s is the number on his social security card.",
                    "Employee %s was paid.",
                ),
            ),
            (nino, ("National Insurance number %s.", "NI no. %s was given on the form.")),
            (
                f"{nino[:2]} {nino[2:4]} {nino[4:6]} {nino[6:8]} {nino[8]}",
                ("National Insurance number %s.", "NINO: %s."),
            ),
            (spain, ("DNI %s.", "Con NIF %s y domicilio en Madrid.")),
            (self.locales["it_IT"].ssn(), ("Codice fiscale: %s.", "C.F. %s.")),
            (
                self.pick(
                    france,
                    f"{france[0]} {france[1:3]} {france[3:5]} {france[5:7]} {france[7:10]} {france[10:13]} {france[13:]}",
                ),
                ("NIR %s.", "Numéro de sécurité sociale : %s."),
            ),
            (plain, ("BSN %s.", "Burgerservicenummer: %s.", "His BSN is %s.")),
            (self.pick(brazil, f"{brazil[:3]}.{brazil[3:6]}.{brazil[6:9]}-{brazil[9:]}"), ("CPF %s.", "CPF nº %s.")),
            (
                self.pick(norway, norway[:6] + " " + norway[6:]),
                ("Fødselsnummer %s.", "The birth number %s was entered."),
            ),
            (
                self.pick(india, f"{india[:4]} {india[4:8]} {india[8:]}"),
                ("Aadhaar %s.", "Aadhaar number: %s.", "UIDAI issued %s."),
            ),
            self.arab_identity("en"),
        )
        number, sentences = self.rng.choice(choices)
        return number, self.rng.choice(sentences)

    def insurance(self):
        """HMRC, NIM39110: the letters of prefixes that are given out."""
        prefix = self.until(
            lambda: self.token(1, "ABCEGHJKLMNOPRSTWXYZ") + self.token(1, "ABCEGHJKLMNPRSTWXYZ"),
            lambda two: two not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"),
        )
        return prefix + self.digits(6) + self.pick(*"ABCD")

    def foreigner(self):
        body = self.pick("X", "Y", "Z") + self.digits(7)
        return body + nie.calc_check_digit(body)

    def arab_identity(self, language):
        egypt = (
            self.pick("2", "3")
            + f"{self.rng.randint(0, 99):02}{self.rng.randint(1, 12):02}{self.rng.randint(1, 28):02}"
            + self.pick("01", "02", "12", "21", "88")
            + self.digits(5)
        )
        saudi = self.pick("1", "2") + self.digits(8)
        saudi += luhn.calc_check_digit(saudi)
        emirates = "784" + str(self.rng.randint(1950, 2020)) + self.digits(7)
        emirates += luhn.calc_check_digit(emirates)
        emirates = self.pick(emirates, f"{emirates[:3]}-{emirates[3:7]}-{emirates[7:14]}-{emirates[14]}")
        if language == "en":
            return self.pick(
                (egypt, ("Egyptian national ID %s.", "ID card no. %s.")),
                (saudi, ("Iqama number %s.", "National ID: %s.")),
                (emirates, ("Emirates ID %s.", "ID %s.")),
            )
        return self.pick(
            (egypt, ("الرقم القومي %s.", "بطاقة رقم %s.")),
            (saudi, ("رقم الهوية الوطنية %s.", "رقم الإقامة: %s.", "هوية رقم %s.")),
            (emirates, ("رقم الهوية الإماراتية %s.",)),
        )

    def secret(self):
        header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
        body = (
            base64.urlsafe_b64encode(json.dumps({"sub": self.digits(10), "name": self.fake.name()}).encode())
            .decode()
            .rstrip("=")
        )
        pem = "\n".join(self.token(64, BASE62 + "+/") for _ in range(4))
        return self.pick(
            "AKIA" + self.token(16, string.ascii_uppercase + "234567"),
            "ghp_" + self.token(36),
            "github_pat_" + self.token(22) + "_" + self.token(59),
            "xoxb-" + self.digits(12) + "-" + self.digits(12) + "-" + self.token(24),
            "AIza" + self.token(35, BASE62 + "-_"),
            "sk_live_" + self.token(24),
            "sk-proj-" + self.token(48),
            "sk-ant-api03-" + self.token(93, BASE62 + "-_"),
            "glpat-" + self.token(20),
            "npm_" + self.token(36),
            "hf_" + self.token(34, string.ascii_letters),
            f"{header}.{body}.{self.token(43, BASE62 + '-_')}",
            f"-----BEGIN RSA PRIVATE KEY-----\n{pem}\n-----END RSA PRIVATE KEY-----",
        )

    def vin(self):
        return self.fake.vin()

    # Numbers and words that are none.

    def isbn(self):
        written = self.pick(self.fake.isbn13(), self.fake.isbn10())
        return self.pick(written, written.replace("-", ""), written.replace("-", " "))

    def wrong(self, make):
        """One digit of a number with a check digit changed."""
        text = make()
        places = [i for i, c in enumerate(text) if c.isdigit()]
        at = self.rng.choice(places[3:])
        return text[:at] + str((int(text[at]) + self.rng.randint(1, 8)) % 10) + text[at + 1 :]

    def wrong_vin(self):
        text = self.vin()
        other = self.rng.choice([c for c in "0123456789X" if c != text[8]])
        return text[:8] + other + text[9:]

    def negative(self):
        rng = self.rng
        day = self.fake.date_between(FIRST_DAY, LAST_DAY)
        return self.pick(
            lambda: f"Order {self.pick('', '#', 'no. ')}{self.digits(rng.randint(6, 12))} was shipped.",
            lambda: f"Invoice INV-{self.digits(4)}-{self.digits(6)} is due.",
            lambda: f"Order {self.digits(3)}-{self.digits(7)}-{self.digits(7)} has arrived.",
            lambda: f"Tracking number 1Z{self.token(6, string.ascii_uppercase + string.digits)}{self.digits(10)}.",
            lambda: f"Posted on {day.strftime(self.pick('%Y-%m-%d', '%d.%m.%Y', '%m/%d/%Y', '%d-%m-%Y', '%Y%m%d', '%Y.%m.%d'))} at {self.clock()}.",
            lambda: f"{day.isoformat()}T{self.clock()}.{self.digits(3)}Z INFO started in {self.digits(4)} ms.",
            lambda: f"Version {rng.randint(0, 30)}.{rng.randint(0, 30)}.{rng.randint(0, 9)} replaces {rng.randint(0, 30)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}-rc{rng.randint(1, 9)}.",
            lambda: f"Chrome/{rng.randint(90, 140)}.0.{self.digits(4)}.{rng.randint(10, 250)} Safari/537.36 was seen.",
            lambda: f"Upgrade to v{rng.randint(1, 9)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}.{rng.randint(0, 99)} of the firmware.",
            lambda: f"Commit {self.hexadecimal(self.pick(7, 12, 40))} fixes it.",
            lambda: f"sha256:{hashlib.sha256(self.digits(9).encode()).hexdigest()}",
            lambda: f"md5 {self.hexadecimal(32)} of the archive.",
            lambda: f"Session {self.fake.uuid4()} has ended.",
            lambda: f"ISBN {self.isbn()}, {rng.randint(90, 900)} pages.",
            lambda: f"ISBN-13: {self.fake.isbn13()}.",
            lambda: f"ISSN {self.digits(4)}-{self.digits(3)}X; pp. {rng.randint(100, 999)}-{rng.randint(1000, 1999)}.",
            lambda: f"doi:10.{self.digits(4)}/{self.pick('nature', 'j.cell.', 's')}{self.digits(5)}-{self.digits(3)}-{self.digits(5)}-{self.digits(1)}.",
            lambda: f"arXiv:{self.digits(4)}.{self.digits(5)} and PMID {self.digits(8)}.",
            lambda: f"It lies at {rng.uniform(-90, 90):.6f}, {rng.uniform(-180, 180):.6f}.",
            lambda: f"It lies at {rng.uniform(0, 90):.4f}N {rng.uniform(0, 180):.4f}E.",
            lambda: f"It cost ${rng.randint(1, 999)},{self.digits(3)},{self.digits(3)}.{self.digits(2)}, or {self.digits(3)}.{self.digits(3)},{self.digits(2)} EUR.",
            lambda: f"The population was {rng.randint(1, 99)} {self.digits(3)} {self.digits(3)} in {rng.randint(1900, 2025)}.",
            lambda: f"From {rng.randint(1800, 1990)}-{rng.randint(1991, 2025)} they scored {rng.randint(50, 120)}-{rng.randint(50, 120)}.",
            lambda: f"Years {' '.join(str(y) for y in range(2010, 2010 + rng.randint(3, 6)))} in the table.",
            lambda: f"Part {self.digits(4)}-{self.digits(3)}-{self.digits(2)} fits model {self.token(3, string.ascii_uppercase)}{self.digits(5)}.",
            lambda: f"The host {self.pick('10', '127', '192.168')}.{'.'.join(str(rng.randint(0, 255)) for _ in range(2))}{self.pick('', '/24')} answers.",
            lambda: f"Private network 10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)} and 192.0.2.{rng.randint(1, 254)}.",
            lambda: f"Link-local fe80::{self.hexadecimal(4)}:{self.hexadecimal(4)} and documentation 2001:db8::{self.hexadecimal(4)}.",
            lambda: f"The MAC address {':'.join(self.hexadecimal(2) for _ in range(6))} is known.",
            lambda: f"At {rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02} the std::vector a::b was freed.",
            lambda: f"Follow @{self.fake.user_name()} or @{self.fake.word()}.{self.fake.word()} for more.",
            lambda: f"Install {self.fake.word()}@{rng.randint(0, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)} and @types/{self.fake.word()}.",
            lambda: f"See logo@2x.png and https://example.com/@{self.fake.user_name()}/{self.digits(10)}.",
            lambda: f"Log in as {self.fake.word()}@localhost.",
            lambda: f"Card {self.wrong(lambda: self.fake.credit_card_number('visa16'))} was refused.",
            lambda: f"IBAN {self.wrong(self.iban)} is not valid.",
            lambda: f"VIN {self.wrong_vin()} has a wrong check digit.",
            lambda: f"The id {self.digits(16)} and the key {self.digits(10)} stand in the table.",
            lambda: f"SSN 000-{self.digits(2)}-{self.digits(4)} and 9{self.digits(2)}-{self.digits(2)}-0000 are never issued.",
            lambda: f"Temperature -{rng.randint(1, 30)}.{self.digits(2)} to +{rng.randint(1, 45)}.{self.digits(2)}, pressure {rng.randint(900, 1050)}.{self.digits(1)}.",
            lambda: f"Growth of +{self.digits(2)} {self.digits(3)} {self.digits(2)} units and {self.digits(3)} 000 000 more.",
            lambda: f"status/{rng.randint(10 ** 17, 10 ** 18)} was posted; unix time {rng.randint(10 ** 9, 2 * 10 ** 9)}.",
            lambda: f"Colour #{self.hexadecimal(6)}, offset 0x{self.hexadecimal(8)}, line {self.digits(5)}.",
            lambda: f"The lottery drew {' '.join(str(rng.randint(1, 49)) for _ in range(6))}.",
            lambda: f"pi is 3.14159265358979 and e {rng.random():.15f}.",
        )()

    def arabic_negative(self):
        rng = self.rng
        day = self.fake.date_between(FIRST_DAY, LAST_DAY)
        text = self.pick(
            lambda: f"رقم الطلب {self.digits(rng.randint(6, 12))}.",
            lambda: f"نشر في {day.strftime(self.pick('%d/%m/%Y', '%Y-%m-%d', '%d-%m-%Y'))} الساعة {self.clock()}.",
            lambda: f"بلغ عدد السكان {rng.randint(1, 99)}{self.digits(6)} نسمة عام {rng.randint(1950, 2025)}.",
            lambda: f"السعر {self.digits(4)}.{self.digits(2)} جنيه أو {rng.randint(1, 9)},{self.digits(3)},{self.digits(3)} ريال.",
            lambda: f"خط العرض {rng.uniform(0, 90):.6f} وخط الطول {rng.uniform(0, 180):.6f}.",
            lambda: f"الإصدار {rng.randint(1, 9)}.{rng.randint(0, 9)}.{rng.randint(0, 9)} متاح الآن.",
            lambda: f"ردمك {self.fake.isbn13()}.",
            lambda: f"من {rng.randint(1800, 1990)}-{rng.randint(1991, 2025)} فاز الفريق {rng.randint(0, 9)}-{rng.randint(0, 9)}.",
            lambda: f"المادة {rng.randint(1, 300)} من القانون رقم {rng.randint(1, 200)} لسنة {rng.randint(1930, 2025)}.",
            lambda: f"بطاقة {self.wrong(lambda: self.fake.credit_card_number('visa16'))} مرفوضة.",
        )()
        return text.translate(ARABIC_DIGITS) if rng.random() < 0.4 else text

    # Sentences with one item each: (text before, item, text after, kind).

    def english(self):
        kind = self.pick(
            "email",
            "email",
            "phone",
            "phone",
            "phone",
            "card",
            "iban",
            "ip",
            "ip",
            "national_id",
            "national_id",
            "secret",
            "vin",
        )
        if kind == "phone":
            way = self.rng.randrange(4)
            if way < 2:
                item, sentence = self.international_phone(), self.pick(
                    "Call %s.", "Phone: %s", "Reach me on %s today.", "%s", "Tel. %s, fax on request.", "WhatsApp %s!"
                )
            elif way == 2:
                item, sentence = self.american_phone(), self.pick(
                    "Call %s now.", "(Office: %s)", "%s", "Dial %s for help.", "Ask Ann, %s."
                )
            else:
                item, sentence = self.national_phone(), self.pick(
                    "Tel: %s.",
                    "Telephone %s.",
                    "My mobile is %s.",
                    "Phone number: %s",
                    "Fax %s.",
                    "Call us on %s.",
                    "Cell: %s",
                    "Contact: %s.",
                )
        elif kind == "national_id":
            item, sentence = self.identity()
        else:
            item = getattr(self, kind)()
            sentence = self.rng.choice(
                {
                    "email": (
                        "Write to %s.",
                        "E-mail: %s",
                        "%s",
                        "(%s)",
                        "<%s>",
                        "mailto:%s?subject=hi",
                        "Send it to %s, please.",
                    ),
                    "card": ("Card number %s.", "Paid with %s.", "%s", "Visa/Mastercard: %s, exp. 12/29.", "cc=%s;"),
                    "iban": ("IBAN %s.", "Transfer to %s today.", "Account: %s", "%s"),
                    "ip": (
                        "The client %s connected.",
                        "%s - - GET /index.html",
                        "from %s port 22",
                        "https://[%s]/" if ":" in item else "http://%s/",
                        "IP: %s.",
                    ),
                    "secret": ("key=%s", "token: %s", 'export KEY="%s"', "%s", "Authorization: Bearer %s"),
                    "vin": ("VIN %s.", "The car (%s) was sold.", "Chassis no. %s"),
                }[kind]
            )
        before, after = sentence.split("%s")
        return before, item, after, kind

    def arabic(self):
        kind = self.pick("email", "phone", "phone", "phone", "national_id", "national_id", "card", "iban", "ip")
        if kind == "phone":
            if self.rng.random() < 0.6:
                item, sentence = self.international_phone(ARABIC_REGIONS), self.pick(
                    "هاتف: %s.", "للتواصل %s.", "اتصل على %s الآن.", "%s", "واتساب %s."
                )
            else:
                item, sentence = self.national_phone(ARABIC_REGIONS), self.pick(
                    "هاتف %s.",
                    "رقم الهاتف: %s.",
                    "جوال: %s",
                    "موبايل %s.",
                    "رقم الجوال %s.",
                    "فاكس %s.",
                    "اتصل على %s.",
                    "ت: %s.",
                )
        elif kind == "national_id":
            item, sentences = self.arab_identity("ar")
            sentence = self.rng.choice(sentences)
        else:
            item = getattr(self, kind)()
            sentence = self.rng.choice(
                {
                    "email": ("البريد الإلكتروني: %s", "راسلنا على %s.", "%s"),
                    "card": ("رقم البطاقة %s.", "دفع بالبطاقة %s."),
                    "iban": ("الآيبان %s.", "حساب رقم %s."),
                    "ip": ("العنوان %s.", "اتصل الجهاز %s بالخادم."),
                }[kind]
            )
        if kind in ("phone", "national_id", "card") and self.rng.random() < 0.4:
            item = item.translate(ARABIC_DIGITS)
        before, after = sentence.split("%s")
        return before, item, after, kind

    def document(self, number):
        language = "ar" if self.rng.random() < 0.35 else "en"
        plain = self.locales["ar_AA"] if language == "ar" else self.fake
        text, items = "", []
        for _ in range(self.rng.randint(3, 9)):
            way = self.rng.random()
            if way < 0.3:
                text += plain.sentence(self.rng.randint(6, 20))
            elif way < 0.65:
                text += self.arabic_negative() if language == "ar" else self.negative()
            else:
                before, item, after, kind = self.arabic() if language == "ar" else self.english()
                begin = len((text + before).encode())
                items.append({"begin": begin, "end": begin + len(item.encode()), "kind": kind})
                text += before + item + after
            text += self.pick(" ", " ", "\n")
        return {"id": f"made-{number}", "language": language, "text": text, "items": items}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    maker = Maker(arguments.seed)
    with open(arguments.out, "w", encoding="utf-8") as out:
        for number in range(arguments.documents):
            out.write(json.dumps(maker.document(number), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
