// Package indices and changelogs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/debian_changelog.h"
#include "source/debian_packages.h"
#include "source/testing.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::Read;
using source_testing::Violation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr char kPackages[] =
    "Package: lighthouse\n"
    "Version: 2.1-3\n"
    "Installed-Size: 120\n"
    "Maintainer: Mira Stone <mira@example.org>\n"
    "Architecture: amd64\n"
    "Description: lamp control for harbours\n"
    " Turns lamps on and off.\n"
    " .\n"
    "  lighthouse --on\n"
    "Tag: role::program,\n"
    " interface::commandline\n"
    "\n"
    "\n"
    "Package: broken\n"
    "no field here\n"
    "\n"
    "Version: 1\n"
    "Description: nameless\n"
    "\n"
    "# a comment\n"
    "Package: last\n"
    "Version: 1\n"
    "Description: the end\n";

TEST(DebianPackages, Parse_OneRecordAParagraphWithItsExactBytes) {
  const ParsedBlock parsed = Read(DebianPackagesFormat(), kPackages);
  ASSERT_THAT(parsed.records, SizeIs(2));
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.kind, "package");
  EXPECT_EQ(record.text, "lamp control for harbours\nTurns lamps on and off.\n\n lighthouse --on");
  EXPECT_EQ(record.language, "en");
  EXPECT_EQ(Field(record, "package"), "lighthouse");
  EXPECT_EQ(Field(record, "version"), "2.1-3");
  EXPECT_EQ(Field(record, "tags"), "role::program,\ninterface::commandline");
  EXPECT_THAT(record.channels, ElementsAre(Pair("installed-size", 120.0)));
  EXPECT_TRUE(record.original.starts_with("Package: lighthouse\n"));
  EXPECT_TRUE(record.original.ends_with(" interface::commandline\n"));
  EXPECT_TRUE(parsed.records[1].original.ends_with("the end\n"));
  ASSERT_THAT(parsed.rejects, SizeIs(2));
  EXPECT_THAT(parsed.rejects[0].reason, HasSubstr("line 2 of the paragraph is no \"Name: value\""));
  EXPECT_EQ(parsed.rejects[1].reason, "no Package field");
  EXPECT_EQ(Violation(parsed, kPackages), "");
}

TEST(DebianPackages, Parse_TranslationsAreDescriptionsInTheirLanguage) {
  const ParsedBlock parsed = Read(DebianPackagesFormat(),
                                  "Package: lighthouse\nDescription-md5: 0123\n"
                                  "Description-pt_BR: controle de l\xC3\xA2mpadas\n Liga.\n",
                                  {}, "/lists/example_i18n_Translation-pt_BR");
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(parsed.records[0].kind, "package-description");
  EXPECT_EQ(parsed.records[0].language, "pt-BR");
  EXPECT_EQ(parsed.records[0].text, "controle de lâmpadas\nLiga.");
  EXPECT_EQ(Field(parsed.records[0], "description-md5"), "0123");
}

TEST(DebianPackages, Parse_BlocksOfAnySizeGiveTheSame) {
  std::string file;
  for (int i = 0; i < 20; ++i) file += std::string(kPackages) + (i % 2 == 0 ? "\n" : "  \n\n");
  const ParsedBlock whole = Read(DebianPackagesFormat(), file);
  EXPECT_THAT(whole.records, SizeIs(40));
  for (const size_t block : {1, 50, 333, 2000}) {
    EXPECT_TRUE(source_testing::Same(whole, Read(DebianPackagesFormat(), file, {}, "/data/file", block))) << block;
  }
}

constexpr char kChangelog[] =
    "lighthouse (2.1-3) unstable; urgency=medium, binary-only=yes\n"
    "\n"
    "  * Turn the lamp the other way.\n"
    "    - Twice at night.\n"
    "\n"
    " -- Mira Stone <mira@example.org>  Thu, 29 Feb 2024 13:00:00 +0100\n"
    "\n"
    "old notes that follow\n"
    "no known form\n"
    "\n"
    "lighthouse (2.1-2) unstable; urgency=low\n"
    "\n"
    "  * No end.\n"
    "\n"
    "lighthouse (2.1-1) unstable stable; urgency=low\n"
    "\n"
    "  * Gr\xFC\xDF\x65.\n"
    "\n"
    " -- Mira Stone <mira@example.org>  in spring\n"
    "\n"
    "# Older entries are elsewhere.\n";

TEST(DebianChangelog, Parse_OneRecordAnEntryWithItsExactBytes) {
  const ParsedBlock parsed = Read(DebianChangelogFormat(), kChangelog);
  ASSERT_THAT(parsed.records, SizeIs(2));
  const Record& first = parsed.records[0];
  EXPECT_EQ(first.kind, "changelog-entry");
  EXPECT_EQ(first.text, "* Turn the lamp the other way.\n  - Twice at night.");
  EXPECT_EQ(first.author, "Mira Stone <mira@example.org>");
  EXPECT_EQ(first.time, 1709208000000000);
  EXPECT_THAT(first.fields,
              ElementsAre(Pair("binary-only", "yes"), Pair("distribution", "unstable"), Pair("package", "lighthouse"),
                          Pair("urgency", "medium"), Pair("version", "2.1-3")));
  EXPECT_TRUE(first.original.starts_with("lighthouse (2.1-3)"));
  EXPECT_TRUE(first.original.ends_with("+0100\n"));
  const Record& second = parsed.records[1];
  EXPECT_EQ(second.text, "* Grüße.");
  EXPECT_EQ(Field(second, "encoding"), "windows-1252");
  EXPECT_EQ(Field(second, "date"), "in spring");
  EXPECT_EQ(Field(second, "distribution"), "unstable stable");
  EXPECT_FALSE(second.time.has_value());
  ASSERT_THAT(parsed.rejects, SizeIs(2));
  EXPECT_EQ(parsed.rejects[0].reason, "not part of a changelog entry");
  EXPECT_EQ(std::string_view(kChangelog)
                .substr(parsed.rejects[0].origin.begin, parsed.rejects[0].origin.end - parsed.rejects[0].origin.begin),
            "old notes that follow\nno known form\n");
  EXPECT_THAT(parsed.rejects[1].reason, HasSubstr("entry without"));
  EXPECT_EQ(Violation(parsed, kChangelog), "");
}

TEST(DebianChangelog, Parse_BlocksOfAnySizeGiveTheSame) {
  std::string file;
  for (int i = 0; i < 20; ++i) file += kChangelog;
  const ParsedBlock whole = Read(DebianChangelogFormat(), file);
  EXPECT_THAT(whole.records, SizeIs(40));
  for (const size_t block : {1, 100, 777, 3000}) {
    EXPECT_TRUE(source_testing::Same(whole, Read(DebianChangelogFormat(), file, {}, "/data/file", block))) << block;
  }
}

TEST(DebianChangelog, Cut_LeavesWholeEntriesBeforeABreak) {
  const std::string_view whole = kChangelog;
  const size_t cut = DebianChangelogFormat().Cut(whole.substr(0, 200), 0, 200, false, nullptr, {});
  EXPECT_EQ(cut, whole.find("+0100\n") + 6);
}

}  // namespace
}  // namespace rhodes
