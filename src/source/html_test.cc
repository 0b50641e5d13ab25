#include "source/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/html_text.h"
#include "source/testing.h"
#include "source/text_file.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::Read;
using source_testing::Violation;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(HtmlText, Extract_BlocksListsTablesAndPreformatted) {
  const HtmlPage page = ExtractHtml(
      "<!DOCTYPE html><html lang=\"en-GB\"><head><title>The\n Lamp &amp; more</title><style>p{}</style></head><body>"
      "<script>var a = '<p>no</p>';</script><!-- <p>no</p> -->"
      "<nav><div>menu</div></nav><div class=\"navheader\"><div>Prev</div>Next</div>"
      "<h1>The  <em>lamp</em></h1><p>First&nbsp;one,<br>second &lt;b&gt; caf&eacute; &#8212; &#x41;.</p>"
      "<ul><li><p>one</p></li><li>two<ul><li>deep</li></ul></li></ul>"
      "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"
      "<pre>  x  =  1\n\ny</pre><p hidden>no</p><p>end 1 < 2</p></body></html>");
  EXPECT_EQ(page.title, "The Lamp & more");
  EXPECT_EQ(page.language, "en-GB");
  EXPECT_EQ(
      page.text,
      "The lamp\n\nFirst one,\nsecond <b> café — A.\n\n- one\n- two\n  - deep\n\na | b\n1 | 2\n\n  x  =  1\n\ny\n\n"
      "end 1 < 2\n");
}

TEST(HtmlText, Extract_TakesTheMainPartWhenThePageNamesIt) {
  const std::string words(300, 'w');
  EXPECT_EQ(ExtractHtml("<body><p>around</p><main><p>" + words + "</p></main><p>after</p></body>").text, words + "\n");
  EXPECT_THAT(ExtractHtml("<article>" + words + "</article><article>" + words + "</article><p>x</p>").text,
              HasSubstr("x"));
}

TEST(HtmlText, Extract_UnclosedNavigationDoesNotSwallowThePage) {
  EXPECT_EQ(ExtractHtml("<nav><p>text").text, "text\n");
  EXPECT_EQ(ExtractHtml("<div class=toc>a<p>text").text, "a\n\ntext\n");
}

TEST(HtmlText, DecodeHtmlEntities_LeavesWhatIsNone) {
  EXPECT_EQ(DecodeHtmlEntities("a & b &nosuch; &amp &#150; &#xD800; &#;"), "a & b &nosuch; &amp – \xEF\xBF\xBD &#;");
}

TEST(Html, Parse_TakesTheWholeFile) {
  const std::string file =
      "<html xml:lang='ar-MA'><meta charset=windows-1256><body><p>\xE3\xD1\xCD\xC8\xC7</p></body></html>";
  const ParsedBlock parsed = Read(HtmlFormat(), file, {}, "/x/handbook/usr/share/doc/handbook/html/ar-MA/a.html");
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(parsed.records[0].text, "مرحبا\n");
  EXPECT_EQ(parsed.records[0].language, "ar-MA");
  EXPECT_EQ(Field(parsed.records[0], "encoding"), "windows-1256");
  EXPECT_EQ(Field(parsed.records[0], "package"), "handbook");
  EXPECT_EQ(Violation(parsed, file), "");
}

TEST(Html, Parse_APageWithoutTextIsRejected) {
  EXPECT_EQ(Read(HtmlFormat(), "<html><body><script>x</script></body></html>").rejects.at(0).reason,
            "the page has no text");
}

TEST(Text, Parse_OneRecordAFileDecodedWhenNeeded) {
  const ParsedBlock parsed = Read(TextFormat(), "\xEF\xBB\xBFHello\n", {}, "/notes/a.de.txt");
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(parsed.records[0].text, "Hello\n");
  EXPECT_EQ(parsed.records[0].origin.end, 9U);
  EXPECT_EQ(parsed.records[0].language, "de");
  EXPECT_EQ(Read(TextFormat(), "na\xEFve \x93quoted\x94").records.at(0).text, "naïve “quoted”");
  EXPECT_THAT(Read(TextFormat(), std::string("a\0b", 3)).rejects.at(0).reason, HasSubstr("binary"));
  EXPECT_THAT(Read(TextFormat(), " \n").records, IsEmpty());
}

}  // namespace
}  // namespace rhodes
