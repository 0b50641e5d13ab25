#include "world/news.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>

#include "world/article_phrases.h"
#include "world/clock.h"
#include "world/phrases.h"
#include "world/rng.h"

namespace rhodes {
namespace {

constexpr int kFeedHours = 6;      // between two looks at the feeds
constexpr size_t kFeedItems = 20;  // that a feed holds
constexpr std::array<const char*, 6> kAuthors = {"Mira Stone",  "Adam Weber",    "Rania Haddad",
                                                 "Elena Rossi", "Tariq Mansour", "Jon Lindqvist"};
constexpr std::array<const char*, 6> kArabicAuthors = {"ريم الحداد", "سامي النجار", "ليلى منصور",
                                                       "عمر الشامي", "هدى البحر",   "كريم الساحلي"};

struct Article {
  int64_t published = 0;
  bool arabic = false;
  int event = -1;
  int town = 0;
  uint64_t detail = 0;
};

class Desk {
 public:
  Desk(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth, WorldReport& report)
      : settings_(settings), map_(map), plan_(plan), truth_(truth), report_(report), rng_(settings.seed, "news") {}

  absl::Status Run(RunContext& context) {
    Plan();
    size_t next = 0;
    for (int hour = kFeedHours; hour - kFeedHours < settings_.hours; hour += kFeedHours) {
      RETURN_IF_ERROR(context.CheckCancelled());
      for (; next < articles_.size() && articles_[next].published < kWorldStart + hour * kWorldHour; ++next) {
        RETURN_IF_ERROR(Publish(articles_[next], static_cast<int>(next)));
      }
      for (const bool arabic : {false, true}) RETURN_IF_ERROR(WriteFeed(arabic, hour));
    }
    return absl::OkStatus();
  }

 private:
  void Plan() {
    const int64_t end = kWorldStart + settings_.hours * kWorldHour;
    const auto add = [&](Article article) {
      article.detail = rng_.Next();
      article.published -= article.published % kWorldMinute;
      if (article.published < end) articles_.push_back(article);
    };
    for (const WorldEvent& event : plan_.events()) {
      for (const bool arabic : {false, true}) {
        if (!rng_.Chance(event.severity >= 2 ? 0.75 : 0.4)) continue;
        add({event.end + rng_.Between(20, 300) * kWorldMinute, arabic, event.index, event.town, 0});
      }
    }
    const auto towns = map_.towns().size();
    const size_t others = towns * static_cast<size_t>(settings_.hours) / 30 + 1;
    for (size_t i = 0; i < others; ++i) {
      add({kWorldStart + rng_.Between(0, settings_.hours * 60) * kWorldMinute, rng_.Chance(0.5), -1,
           static_cast<int>(rng_.Below(towns)), 0});
    }
    std::sort(articles_.begin(), articles_.end(), [](const Article& a, const Article& b) {
      return std::tie(a.published, a.detail) < std::tie(b.published, b.detail);
    });
  }

  std::string PlaceOf(const Article& article) const {
    if (article.event >= 0 && plan_.event(article.event).road >= 0) {
      const WorldRoad& road = map_.road(plan_.event(article.event).road);
      const WorldTown& a = map_.town(road.from);
      const WorldTown& b = map_.town(road.to);
      return article.arabic ? fmt::format("{} بين {} و {}", road.arabic, a.arabic, b.arabic)
                            : fmt::format("{} between {} and {}", road.name, a.name, b.name);
    }
    return article.arabic ? map_.town(article.town).arabic : map_.town(article.town).name;
  }

  absl::Status Publish(const Article& article, int number) {
    WorldRng rng(article.detail, "article");
    const ArticlePhrases& phrases = article.event >= 0 ? EventArticle(plan_.event(article.event).kind, article.arabic)
                                                       : rng.Pick(OtherArticles(article.arabic));
    const int64_t begin = article.event >= 0 ? plan_.event(article.event).begin : article.published - 8 * kWorldHour;
    const int64_t until = article.event >= 0 ? plan_.event(article.event).end : article.published - 6 * kWorldHour;
    const auto rounded = [](int64_t time) { return time - time % (5 * kWorldMinute); };
    const PhraseSlots slots = {{"place", PlaceOf(article)},
                               {"weekday", WeekdayName(begin, article.arabic)},
                               {"clock", ClockTime(rounded(begin))},
                               {"end", ClockTime(rounded(until))},
                               {"minutes", std::to_string(std::max<int64_t>(2, (until - begin) / kWorldMinute))},
                               {"count", std::to_string(rng.Between(2, 90) * 50)},
                               {"cause", std::string(phrases.cause)}};
    const std::string headline = ExpandPhrase(phrases.headline, slots, rng);
    const std::string lead = ExpandPhrase(phrases.lead, slots, rng);
    std::vector<std::string> paragraphs = {lead};
    for (const std::string_view phrase : phrases.paragraphs) paragraphs.push_back(ExpandPhrase(phrase, slots, rng));
    const char* const author =
        article.arabic ? kArabicAuthors[rng.Below(kArabicAuthors.size())] : kAuthors[rng.Below(kAuthors.size())];
    const std::string language = article.arabic ? "ar" : "en";
    const std::string url = fmt::format("https://lantern-post.example/{}/{}", language, number);
    RETURN_IF_ERROR(WritePage(article, number, url, headline, paragraphs, author));
    AddItem(article, url, headline, lead);
    return absl::OkStatus();
  }

  absl::Status WritePage(const Article& article, int number, const std::string& url, const std::string& headline,
                         const std::vector<std::string>& paragraphs, const char* author) {
    const std::string language = article.arabic ? "ar" : "en";
    const std::string path = fmt::format("news/html/{}/{:06}.html", language, number);
    const Json data = {{"@context", "https://schema.org"},
                       {"@type", "NewsArticle"},
                       {"headline", headline},
                       {"datePublished", IsoSeconds(article.published)},
                       {"author", {{"@type", "Person"}, {"name", author}}},
                       {"publisher", {{"@type", "Organization"}, {"name", "Lantern Post"}}},
                       {"inLanguage", language},
                       {"mainEntityOfPage", url}};
    std::string body;
    for (const std::string& paragraph : paragraphs) body += fmt::format("<p>{}</p>\n", paragraph);
    ASSIGN_OR_RETURN(auto file, WorldFile::Create(settings_.directory + "/" + path));
    file->Write(fmt::format(
        "<!DOCTYPE html>\n<html lang=\"{0}\"{1}><head><meta charset=\"utf-8\"><title>{2} - Lantern Post</title>\n"
        "<link rel=\"canonical\" href=\"{3}\">\n<script type=\"application/ld+json\">{4}</script></head>\n"
        "<body><nav><a href=\"/{0}/\">Home</a> <a href=\"/{0}/weather\">Weather</a></nav>\n"
        "<article><h1>{2}</h1>\n{5}</article>\n<footer>Lantern Post</footer></body></html>\n",
        language, article.arabic ? " dir=\"rtl\"" : "", headline, url, DumpJson(data), body));
    RETURN_IF_ERROR(file->Close());
    report_.bytes += file->bytes();
    const std::string key = "article:" + url;
    truth_.Emit("articles", key);
    if (article.event >= 0) truth_.Witness(article.event, "articles", key, path);
    return absl::OkStatus();
  }

  void AddItem(const Article& article, const std::string& url, const std::string& headline, const std::string& lead) {
    Item item;
    item.key = "item:" + url;
    item.event = article.event;
    item.text = fmt::format(
        "<item><title>{}</title><link>{}</link><guid isPermaLink=\"true\">{}</guid><pubDate>{}</pubDate>"
        "<description>&lt;p&gt;{}&lt;/p&gt;</description></item>",
        headline, url, url, FeedTime(article.published), lead);
    auto& items = items_[article.arabic ? 1 : 0];
    items.push_front(std::move(item));
    if (items.size() > kFeedItems) items.pop_back();
  }

  absl::Status WriteFeed(bool arabic, int hour) {
    auto& items = items_[arabic ? 1 : 0];
    if (rng_.Chance(0.03 * settings_.noise)) return absl::OkStatus();  // nobody looked
    const std::string path = fmt::format("news/feeds/{}-{:05}.rss", arabic ? "ar" : "en", hour);
    ASSIGN_OR_RETURN(auto file, WorldFile::Create(settings_.directory + "/" + path));
    file->Write(fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel><title>Lantern Post</title>"
        "<language>{}</language>\n",
        arabic ? "ar" : "en"));
    for (Item& item : items) {
      file->Write(item.text + "\n");
      if (item.emitted) {
        truth_.Duplicate("feeds");
        continue;
      }
      item.emitted = true;
      truth_.Emit("feeds", item.key);
      if (item.event >= 0) truth_.Witness(item.event, "feeds", item.key, path);
    }
    file->Write("</channel></rss>\n");
    RETURN_IF_ERROR(file->Close());
    report_.bytes += file->bytes();
    return absl::OkStatus();
  }

  struct Item {
    std::string key;
    std::string text;
    int event = -1;
    bool emitted = false;
  };

  const WorldSettings& settings_;
  const WorldMap& map_;
  const EventPlan& plan_;
  Truth& truth_;
  WorldReport& report_;
  WorldRng rng_;
  std::vector<Article> articles_;
  std::array<std::deque<Item>, 2> items_;  // newest first; English, Arabic
};

}  // namespace

absl::Status WriteNews(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth,
                       WorldReport& report, RunContext& context) {
  return Desk(settings, map, plan, truth, report).Run(context);
}

}  // namespace rhodes
