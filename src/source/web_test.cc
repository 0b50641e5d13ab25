// Feeds, web archives, wikis, articles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/decompress.h"
#include "source/feed.h"
#include "source/html.h"
#include "source/html_text.h"
#include "source/mediawiki.h"
#include "source/testing.h"
#include "source/trec.h"
#include "source/warc.h"
#include "source/wikitext.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::Read;
using source_testing::Violation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ParsedBlock ReadChecked(const Format& format, std::string_view bytes) {
  const ParsedBlock whole = Read(format, bytes);
  EXPECT_EQ(Violation(whole, bytes), "");
  if (format.framing() != Format::Framing::kBlocks) return whole;
  for (const size_t block : {size_t{1}, size_t{60}, size_t{500}}) {
    EXPECT_TRUE(source_testing::Same(whole, Read(format, bytes, {}, "/data/file", block))) << block;
  }
  return whole;
}

TEST(WikiText, ApostrophesOfTheTextStayInLinks) {
  EXPECT_EQ(PlainWikiText("at [[pier|the pier's ''dark'' end]]").text, "at the pier's dark end");
}

TEST(Trec, ArticlesWithTheirTitlesTimesAndNumbers) {
  const ParsedBlock parsed =
      ReadChecked(TrecFormat(),
                  "junk\n<DOC>\n<DOCNO>N-1</DOCNO>\n<URL>http://example.org/a</"
                  "URL>\n<TITLE>\xD9\x85\xD8\xB5\xD8\xA8\xD8\xA7\xD8\xAD</TITLE>\n"
                  "<TIME>2017-01-20T21:43:00+01:00</TIME>\n<TEXT>\n first &amp; second \n\n third\n</TEXT>\n</DOC>\n"
                  "<DOC><DOCNO>N-2</DOCNO><HEADLINE>Out</HEADLINE><DATE>soon</DATE><TEXT>Out again.</TEXT></DOC>\n"
                  "<DOC><DOCNO>N-3</DOCNO></DOC>\n<DOC>open\n<DOC><TEXT>last</TEXT></DOC>");
  ASSERT_EQ(parsed.records.size(), 3u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.kind, "article");
  EXPECT_EQ(record.text, "\xD9\x85\xD8\xB5\xD8\xA8\xD8\xA7\xD8\xAD\n\nfirst & second\nthird");
  EXPECT_EQ(record.time, 1484944980000000);
  EXPECT_EQ(Field(record, "docno"), "N-1");
  EXPECT_EQ(Field(record, "url"), "http://example.org/a");
  EXPECT_EQ(parsed.records[1].text, "Out again.");
  EXPECT_EQ(Field(parsed.records[1], "title"), "Out");
  EXPECT_EQ(Field(parsed.records[1], "date"), "soon");
  ASSERT_EQ(parsed.rejects.size(), 3u);
  EXPECT_EQ(parsed.rejects[0].reason, "no <DOC>");
  EXPECT_EQ(parsed.rejects[1].reason, "a <DOC> without text");
  EXPECT_EQ(parsed.rejects[2].reason, "a <DOC> that is not closed");
}

TEST(Feed, ItemsOfRss) {
  const ParsedBlock parsed = ReadChecked(
      FeedFormat(),
      "<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel><title>The Lamp</title><language>en-gb</language>\n"
      "<item><title>Out &amp; dark</title><link>https://example.org/1</link><guid>g1</guid>"
      "<dc:creator>Mira</dc:creator><pubDate>Thu, 29 Feb 2024 21:04:05 GMT</pubDate><category>city</category>"
      "<description>short</description><content:encoded><![CDATA[<p>Lamp 4 is "
      "<b>out</b>.</p><p>Again.</p>]]></content:encoded></item>\n"
      "<item><description>bare & loose &nbsp; text</description><pubDate>no date</pubDate></item>\n"
      "<item></item><item><title>cut");
  ASSERT_EQ(parsed.records.size(), 2u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.kind, "feed-item");
  EXPECT_EQ(record.text, "Lamp 4 is out.\n\nAgain.");
  EXPECT_EQ(record.author, "Mira");
  EXPECT_EQ(record.language, "en-GB");
  EXPECT_EQ(record.time, 1709240645000000);
  EXPECT_EQ(Field(record, "title"), "Out & dark");
  EXPECT_EQ(Field(record, "url"), "https://example.org/1");
  EXPECT_EQ(Field(record, "feed"), "The Lamp");
  EXPECT_THAT(parsed.records[1].text, HasSubstr("bare & loose"));
  EXPECT_EQ(Field(parsed.records[1], "published"), "no date");
  ASSERT_EQ(parsed.rejects.size(), 2u);
  EXPECT_THAT(parsed.rejects[0].reason, HasSubstr("without text"));
  EXPECT_THAT(parsed.rejects[1].reason, HasSubstr("breaks off"));
}

TEST(Feed, EntriesOfAtomAndJson) {
  const ParsedBlock atom =
      ReadChecked(FeedFormat(),
                  "<feed xmlns=\"http://www.w3.org/2005/Atom\" "
                  "xml:lang=\"ar\"><title>t</title><entry><id>i</id><title>عنوان</title>"
                  "<link rel=\"alternate\" href=\"https://example.org/a?b&amp;c\"/><author><name>ليلى</name></author>"
                  "<published>2024-02-29T21:04:05Z</published><content "
                  "type=\"xhtml\"><div><p>نص</p></div></content></entry></feed>");
  ASSERT_EQ(atom.records.size(), 1u);
  EXPECT_EQ(atom.records[0].text, "نص");
  EXPECT_EQ(atom.records[0].author, "ليلى");
  EXPECT_EQ(atom.records[0].language, "ar");
  EXPECT_EQ(Field(atom.records[0], "url"), "https://example.org/a?b&c");
  const ParsedBlock json = ReadChecked(
      FeedFormat(),
      R"({"version":"https://jsonfeed.org/version/1.1","title":"t","items":[{"id":"1","content_html":"<p>a</p>","date_published":"2024-02-29T21:04:05Z","authors":[{"name":"m"}]},{"id":"2","content_text":"b"}]})");
  ASSERT_EQ(json.records.size(), 2u);
  EXPECT_EQ(json.records[0].text, "a");
  EXPECT_EQ(json.records[0].author, "m");
}

std::string WarcRecord(const std::string& type, const std::string& headers, const std::string& body, int wrong = 0) {
  return "WARC/1.0\r\nWARC-Type: " + type + "\r\nWARC-Date: 2024-02-29T21:04:05Z\r\n" + headers +
         fmt::format("Content-Length: {}\r\n\r\n", static_cast<int>(body.size()) + wrong) + body + "\r\n\r\n";
}

TEST(Warc, ResponsesConversionsAndAllElse) {
  const std::string http =
      "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
      "1a\r\n<html lang=\"de\"><p>Lampe 4\r\n8\r\n ist aus\r\n0\r\n\r\n";
  const std::string archive =
      WarcRecord("warcinfo", "Content-Type: application/warc-fields\r\n", "software: x\r\n") +
      WarcRecord("request", "", "GET / HTTP/1.1\r\n\r\n") +
      WarcRecord("response",
                 "WARC-Target-URI: <https://example.org/>\r\nContent-Type: application/http;msgtype=response\r\n",
                 http) +
      WarcRecord("conversion", "WARC-Identified-Content-Language: ara,eng\r\nContent-Type: text/plain\r\n", "المصباح");
  const ParsedBlock parsed = ReadChecked(WarcFormat(), archive);
  ASSERT_EQ(parsed.records.size(), 4u);
  EXPECT_EQ(parsed.records[0].kind, "warc-warcinfo");
  EXPECT_EQ(parsed.records[2].kind, "page");
  EXPECT_EQ(parsed.records[2].text, "Lampe 4 ist aus\n");
  EXPECT_EQ(parsed.records[2].language, "de");
  EXPECT_EQ(Field(parsed.records[2], "url"), "https://example.org/");
  EXPECT_EQ(parsed.records[2].channels[0].second, 200);
  EXPECT_EQ(parsed.records[3].text, "المصباح");
  EXPECT_EQ(parsed.records[3].language, "ar");
}

TEST(Warc, WrongLengthsCostOneRecordOnly) {
  const std::string good = WarcRecord("conversion", "Content-Type: text/plain\r\n", "good");
  for (const int wrong : {3, -2, 5000}) {
    const ParsedBlock parsed =
        ReadChecked(WarcFormat(), good + WarcRecord("conversion", "", "the length is wrong", wrong) + good);
    EXPECT_EQ(parsed.records.size(), 2u) << wrong;
    ASSERT_EQ(parsed.rejects.size(), 1u) << wrong;
    EXPECT_THAT(parsed.rejects[0].reason, HasSubstr("the length is")) << wrong;
  }
  const ParsedBlock cut = ReadChecked(WarcFormat(), good + good.substr(0, good.size() - 6));
  EXPECT_EQ(cut.records.size(), 1u);
  EXPECT_EQ(cut.rejects.size(), 1u);
}

TEST(Warc, ArcRecords) {
  const std::string archive =
      "filedesc://x.arc 0.0.0.0 20240229210405 text/plain 12\n1 0 Archive\n\n"
      "https://example.org/a b 1.2.3.4 20240229210405 text/html 63\nHTTP/1.0 200 OK\r\nContent-Type: "
      "text/html\r\n\r\n<p>An old page</p>\n\n";
  const ParsedBlock parsed = ReadChecked(WarcFormat(), archive);
  ASSERT_EQ(parsed.records.size(), 2u) << (parsed.rejects.empty() ? "" : parsed.rejects[0].reason);
  EXPECT_EQ(parsed.records[1].text, "An old page\n");
  EXPECT_EQ(Field(parsed.records[1], "url"), "https://example.org/a b");
  EXPECT_EQ(parsed.records[1].time, 1709240645000000);
}

TEST(WikiText, MarkupBecomesProse) {
  const WikiText plain = PlainWikiText(
      "{{Infobox|a={{b|c}}}}'''Lamp''' is a [[light source|light]] in [[Kiel]].<ref name=x>no</ref> See [https://e.org "
      "it].\n"
      "== History ==\n* one\n* ''two''\n{| class=x\n| cell\n|}\n<!-- c -->&amp;lt; [[File:A.jpg|thumb|a "
      "[[b]]]]\n[[Category:Lamps]]\n[[de:Lampe]]");
  EXPECT_EQ(plain.text, "Lamp is a light in Kiel. See it.\n\nHistory\n\n- one\n- two\n\n&lt;");
  EXPECT_THAT(plain.categories, ElementsAre("Lamps"));
  std::string hostile;
  for (int i = 0; i < 100'000; ++i) hostile += "{{[[";
  EXPECT_LT(PlainWikiText(hostile).text.size(), hostile.size() + 1);
}

TEST(MediaWiki, PagesWithTheirLastRevision) {
  const ParsedBlock parsed = ReadChecked(
      MediaWikiFormat(),
      "<mediawiki "
      "xml:lang=\"en\">\n<siteinfo><sitename>W</sitename></siteinfo>\n<page><title>Lamp</title><ns>0</ns><id>7</id>"
      "<revision><id>1</id><timestamp>2020-01-01T00:00:00Z</timestamp><text>old</text></revision>"
      "<revision><id>2</id><timestamp>2024-02-29T21:04:05Z</timestamp><contributor><username>mira</username></"
      "contributor>"
      "<model>wikitext</model><text bytes=\"9\">'''A &lt;b&gt;lamp&lt;/b&gt; &amp;amp; "
      "more'''</text></revision></page>\n"
      "<page><title>L</title><redirect title=\"Lamp\" /><revision><text>#REDIRECT "
      "[[Lamp]]</text></revision></page>\n<page><title>cut");
  ASSERT_EQ(parsed.records.size(), 2u);
  EXPECT_EQ(parsed.records[0].text, "A lamp & more");
  EXPECT_EQ(parsed.records[0].author, "mira");
  EXPECT_EQ(parsed.records[0].language, "en");
  EXPECT_EQ(Field(parsed.records[0], "page"), "7");
  EXPECT_EQ(Field(parsed.records[0], "revision"), "2");
  EXPECT_EQ(Field(parsed.records[1], "redirect"), "Lamp");
  EXPECT_EQ(parsed.records[1].text, "");
  EXPECT_EQ(parsed.rejects.size(), 1u);
}

constexpr char kArticle[] =
    "<html lang=\"en\"><head><title>Lamp 4 - The Lamp</title><meta property=\"og:type\" content=\"article\">"
    "<script type=\"application/ld+json\">{\"@graph\":[{\"@type\":\"NewsArticle\",\"headline\":\"Lamp 4 is out\","
    "\"datePublished\":\"2019-11-19T06:30:42-05:00\",\"author\":[{\"name\":\"Mira\"},{\"name\":\"Bo\"}],"
    "\"publisher\":{\"name\":\"The Lamp\"}}]}</script></head><body>"
    "<nav><a href=/>Home</a> <a href=/city>City</a></nav><div class=\"share-buttons\">Share this on everything, "
    "please</div>"
    "<article><h1>Lamp 4 is out</h1><p>The lamp at the corner of the long street went out on Tuesday evening, and "
    "nobody knows why.</p>"
    "<p>Residents say that it had flickered for weeks, but that the city, when asked, had found nothing wrong with "
    "it.</p>"
    "<div class=\"related-links\"><p>Read also: ten other lamps that you will not believe, in pictures, "
    "today.</p></div>"
    "<p>A new lamp, said the mayor, is to come in spring, when the money for it is there, if it ever is.</p></article>"
    "<div id=comments><p>First! I never liked that lamp, honestly, it was far too bright for me and my cat.</p></div>"
    "<footer>Copyright, all rights, and so on</footer></body></html>";

TEST(Article, MainTextWithoutWhatStandsAroundIt) {
  const ParsedBlock parsed = ReadChecked(HtmlFormat(), kArticle);
  ASSERT_EQ(parsed.records.size(), 1u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.kind, "article");
  EXPECT_EQ(record.author, "Mira, Bo");
  EXPECT_EQ(record.time, 1574163042000000);
  EXPECT_EQ(Field(record, "title"), "Lamp 4 is out");
  EXPECT_EQ(Field(record, "site"), "The Lamp");
  EXPECT_THAT(record.text, HasSubstr("went out on Tuesday"));
  EXPECT_THAT(record.text, HasSubstr("said the mayor"));
  for (const char* clutter : {"Share", "Read also", "First!", "Copyright", "Home"}) {
    EXPECT_THAT(record.text, Not(HasSubstr(clutter)));
  }
}

TEST(Article, HostileNestingIsReadInLinearTime) {
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "<div class=article><p>";
  EXPECT_EQ(ExtractHtml("<meta property=og:type content=article>" + deep + "x").text, "x\n");
  std::string quotes = "<a href=\"";
  for (int i = 0; i < 50'000; ++i) quotes += "<a b='";
  ExtractHtml(quotes);
}

// Counts made with warcio 1.7 and feedparser 6.
TEST(WebSamples, CountsBalance) {
  const std::string data = std::string(RHODES_SOURCE_DIR) + "/../shared/data/";
  if (!std::filesystem::exists(data + "warc")) GTEST_SKIP() << "no samples here";
  const auto read = [&](const Format& format, const std::string& name) {
    return ReadChecked(format, ReadWholeFile(data + name, uint64_t{1} << 30).value());
  };
  const ParsedBlock crawl = Read(WarcFormat(), ReadWholeFile(data + "warc/aut_example.warc.gz", 1 << 30).value());
  std::map<std::string, int> kinds;
  for (const Record& record : crawl.records) ++kinds[record.kind.starts_with("warc-") ? record.kind : "response"];
  EXPECT_EQ(kinds, (std::map<std::string, int>{
                       {"response", 299}, {"warc-metadata", 261}, {"warc-request", 261}, {"warc-warcinfo", 1}}));
  EXPECT_EQ(crawl.rejects.size(), 0u);
  EXPECT_EQ(read(WarcFormat(), "warc/warcio_example.warc").records.size(), 6u);
  EXPECT_EQ(read(WarcFormat(), "warc/warcio_example.arc").records.size(), 2u);
  EXPECT_EQ(read(FeedFormat(), "news_feeds/guardian.rss").records.size(), 55u);
  EXPECT_EQ(read(FeedFormat(), "news_feeds/feedburner.atom").records.size(), 25u);
  EXPECT_EQ(read(FeedFormat(), "news_feeds/encoding.rss").records.size(), 40u);
  const ParsedBlock wiki =
      Read(MediaWikiFormat(), ReadWholeFile(data + "wikipedia/enwiki-shortened.xml.bz2", 1 << 30).value());
  EXPECT_EQ(wiki.records.size(), 206u);
}

}  // namespace
}  // namespace rhodes
