#include "source/man.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/encoding.h"
#include "source/roff.h"
#include "source/testing.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::Read;
using source_testing::Violation;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string Render(std::string_view source) { return RenderManualPage(source).text; }

TEST(Roff, Render_AManPage) {
  const ManualPage page = RenderManualPage(
      ".\\\" a comment\n"
      ".TH LAMP 8 \"2024-02-29\" \"harbour 2.1\"\n"
      ".SH NAME\n"
      "lamp \\- turn the lamp\n"
      ".SH SYNOPSIS\n"
      ".B lamp\n"
      "[\\fIoption\\fR]... [\\,file\\/]\n"
      ".SH DESCRIPTION\n"
      ".PP\n"
      "Turns the lamp.\n"
      "It goes \\(lqround\\(rq.\n"
      ".TP\n"
      ".BR \\-n \", \" \\-\\-night\n"
      "at night\n"
      ".IP \\(bu 2\n"
      "one\n"
      ".IP \\(bu\n"
      "two\n"
      ".PP\n"
      "See\n"
      ".BR ls (1),\n"
      ".IR other (5).\n"
      ".nf\n"
      "  kept   as\n"
      "it is\n"
      ".fi\n"
      ".SS \"More of it\"\n"
      "Caf\\('e\\~\\[u00E9] C:\\edir\n");
  EXPECT_EQ(page.title, "LAMP");
  EXPECT_EQ(page.section, "8");
  EXPECT_EQ(page.text,
            "NAME\n"
            "lamp - turn the lamp\n"
            "\n"
            "SYNOPSIS\n"
            "lamp [option]... [file]\n"
            "\n"
            "DESCRIPTION\n"
            "Turns the lamp. It goes “round”.\n"
            "\n"
            "-n, --night\n"
            "    at night\n"
            "\n"
            "• one\n"
            "\n"
            "• two\n"
            "\n"
            "See ls(1), other(5).\n"
            "  kept   as\n"
            "it is\n"
            "\n"
            "More of it\n"
            "Café é C:\\dir\n");
}

TEST(Roff, Render_AnMdocPage) {
  const ManualPage page = RenderManualPage(
      ".Dd February 29, 2024\n"
      ".Dt LAMP 8\n"
      ".Os\n"
      ".Sh NAME\n"
      ".Nm lamp\n"
      ".Nd turn the lamp\n"
      ".Sh SYNOPSIS\n"
      ".Nm\n"
      ".Op Fl nv\n"
      ".Op Fl o Ar file\n"
      ".Ar harbour ...\n"
      ".Sh DESCRIPTION\n"
      "The\n"
      ".Nm\n"
      "utility turns it\n"
      ".Pq see Xr harbour 5 .\n"
      ".Bl -tag -width indent\n"
      ".It Fl n\n"
      "At night.\n"
      ".It Fl o Ar file\n"
      "Writes to\n"
      ".Ar file .\n"
      ".El\n"
      ".Bd -literal\n"
      "$ lamp -n\n"
      ".Ed\n"
      ".Fn turn \"int way\" \"int speed\"\n");
  EXPECT_EQ(page.title, "LAMP");
  EXPECT_EQ(page.text,
            "NAME\n"
            "lamp - turn the lamp\n"
            "\n"
            "SYNOPSIS\n"
            "lamp [-nv] [-o file] harbour ...\n"
            "\n"
            "DESCRIPTION\n"
            "The lamp utility turns it (see harbour(5)).\n"
            "\n"
            "-n\n"
            "    At night.\n"
            "\n"
            "-o file\n"
            "    Writes to file.\n"
            "\n"
            "    $ lamp -n\n"
            "\n"
            "turn(int way, int speed)\n");
}

TEST(Roff, Render_ConditionsStringsAndMacros) {
  EXPECT_EQ(Render(".ie n \\{\\\n.ds dash --\n.\\}\n.el \\{\\\n.ds dash \\(em\n.\\}\nA\\*[dash]B\n"), "A--B\n");
  EXPECT_EQ(Render(".de Vb\n.ft CW\n.nf\n..\n.de Ve\n.fi\n..\n.Vb 1\n  code\n.Ve\ntext\n"), "  code\ntext\n");
  EXPECT_EQ(Render(".de Q\nsays \\\\$1\n..\n.Q \"two words\"\n"), "says two words\n");
  EXPECT_EQ(Render(".if t never\n.if 'a'a' always\n.if \\n(.g>1 no\n.if !\\nX yes\n"), "always yes\n");
  EXPECT_EQ(Render("one\\c\ntwo\n"), "onetwo\n");
}

TEST(Roff, Render_ATableByRows) {
  EXPECT_EQ(Render(".TS\ntab(;) allbox;\nlb lb\nl l.\nName;Use\n_\nlamp;T{\nshines\nat night\nT}\n.TE\nafter\n"),
            "Name | Use\nlamp | shines at night\n\nafter\n");
}

TEST(Roff, Render_EndlessMacrosEnd) {
  EXPECT_TRUE(RenderManualPage(".de A\n.B2\n.A\n.A\n.A\n..\n.de B2\ntext\n.A\n.A\n..\n.A\n").text.size() < (4U << 20));
  EXPECT_LT(Render(".ds a xx\\*a\\*a\\*a\n\\*a\n").size(), 1U << 20);
}

// Found by fuzzing: names and delimiters of more than one byte were cut in two.
TEST(Roff, Render_GivesUtf8WhateverTheDelimitersAre) {
  EXPECT_EQ(Render("a \\(\u201Dm b\n"), "a  b\n");
  for (const char* source :
       {".if \u201Da\u201Da\u201D yes\n", ".TS\ntab(\u201D);\nl.\na\u201Db\n.TE\n", ".TH \u201D\n.tr \\\u201Dx\ny\n"}) {
    EXPECT_EQ(FindInvalidUtf8(Render(source)), std::string::npos) << source;
  }
}

TEST(Man, Parse_TakesTheWholeFileAndReadsItsPath) {
  const std::string file = ".TH LAMPE 1\n.SH NAME\nLampe \\- Gr\xFC\xDF\x65\n";
  const ParsedBlock parsed = Read(ManFormat(), file, {}, "/x/packages/lampen/usr/share/man/de/man1/lampe.1.gz");
  ASSERT_THAT(parsed.records, SizeIs(1));
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.text, "NAME\nLampe - Grüße\n");
  EXPECT_EQ(record.language, "de");
  EXPECT_EQ(record.kind, "page");
  EXPECT_EQ(Field(record, "package"), "lampen");
  EXPECT_EQ(Field(record, "section"), "1");
  EXPECT_EQ(Field(record, "title"), "LAMPE");
  EXPECT_EQ(Field(record, "encoding"), "windows-1252");
  EXPECT_EQ(Violation(parsed, file), "");
}

TEST(Man, Parse_UsesTheDeclaredEncodingAndTheLanguagesOldOne) {
  const std::string body = "\n.TH A 1\n.SH NAME\n\xEC\xC1\xCD\xD0\xC1\n";  // "Лампа" in KOI8-R
  EXPECT_EQ(Read(ManFormat(), ".\\\" -*- coding: koi8-r -*-" + body).records.at(0).text, "NAME\nЛампа\n");
  EXPECT_EQ(Read(ManFormat(), ".\\\" x" + body, {}, "/usr/share/man/ru/man1/a.1").records.at(0).text, "NAME\nЛампа\n");
}

TEST(Man, Parse_APageThatOnlyRefersToAnotherIsRejected) {
  const ParsedBlock parsed = Read(ManFormat(), ".so man1/lamp.1\n");
  ASSERT_THAT(parsed.rejects, SizeIs(1));
  EXPECT_EQ(parsed.rejects[0].reason, "the page only refers to man1/lamp.1");
}

TEST(Man, Parse_RejectsBinary) {
  const ParsedBlock parsed = Read(ManFormat(), std::string("\0\1\2", 3));
  ASSERT_THAT(parsed.rejects, SizeIs(1));
  EXPECT_THAT(parsed.rejects[0].reason, HasSubstr("binary"));
}

}  // namespace
}  // namespace rhodes
