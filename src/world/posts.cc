#include "world/posts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <queue>

#include "world/clock.h"
#include "world/phrases.h"
#include "world/post_phrases.h"
#include "world/record_key.h"
#include "world/rng.h"
#include "world/x_lines.h"

namespace rhodes {
namespace {

constexpr const char* kSource = "posts";
constexpr int kPeoplePerDish = 5;
constexpr std::array<const char*, 3> kPaths = {"x/v1-stream.jsonl", "x/v2-stream.jsonl", "x/v2-compliance.jsonl"};
constexpr std::array<const char*, 24> kNames = {"mira", "sami",  "leila", "omar",  "dana",  "yusuf", "hana",  "karim",
                                                "nour", "adam",  "salma", "tariq", "rania", "faris", "lina",  "zaid",
                                                "maya", "bilal", "huda",  "jon",   "ella",  "nils",  "petra", "anton"};
constexpr std::array<const char*, 12> kWords = {"_sky",  "_lantern", "writes", "_h", "94",    "_ps",
                                                "_road", "_desert",  "onfoot", "77", "_cafe", "_field"};

// Something that goes over a stream at `time`.
struct Delivery {
  enum class Kind : uint8_t { kPost, kAgain, kDeletion };
  int64_t time = 0;
  uint64_t order = 0;
  Kind kind = Kind::kPost;
  std::shared_ptr<XPost> post;
  bool operator>(const Delivery& other) const { return std::tie(time, order) > std::tie(other.time, other.order); }
};

// How a post says where it is.
enum class PlaceMode : uint8_t { kText, kTag, kPoint, kPlace, kNone };

std::string HashtagOf(std::string_view name, bool arabic) {
  std::string tag = "#";
  for (const char c : name) {
    if (c != ' ') tag += c;
    if (c == ' ' && arabic) tag += '_';
  }
  return tag;
}

// "RT @name: " and the beginning of the text, as X cuts it.
std::string RepostText(const XPost& original) {
  std::string text = "RT @" + original.author.handle + ": ";
  size_t letters = 0;
  for (size_t i = 0; i < original.text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(original.text[i]) & 0xC0) != 0x80;
    if (begins && ++letters > 110) return text + "…";
    text += original.text[i];
  }
  return text;
}

class Crowd {
 public:
  Crowd(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth)
      : settings_(settings),
        map_(map),
        plan_(plan),
        truth_(truth),
        rng_(settings.seed, "crowd"),
        wire_(settings.seed, "streams"),
        people_(settings.dishes * kPeoplePerDish),
        end_(kWorldStart + settings.hours * kWorldHour) {}

  absl::Status Run(WorldReport& report, RunContext& context) {
    for (size_t i = 0; i < kPaths.size(); ++i) {
      ASSIGN_OR_RETURN(files_[i], WorldFile::Create(fmt::format("{}/{}", settings_.directory, kPaths[i])));
    }
    context.progress->Begin("world: posts", static_cast<uint64_t>(settings_.hours), "hours");
    for (int hour = 0; hour < settings_.hours; ++hour) {
      RETURN_IF_ERROR(context.CheckCancelled());
      const int64_t begin = kWorldStart + hour * kWorldHour;
      Chatter(begin);
      Rumours(begin);
      while (next_event_ < plan_.events().size() && plan_.events()[next_event_].begin < begin + kWorldHour) {
        Tell(plan_.events()[next_event_++]);
      }
      Deliver(begin + kWorldHour);
      context.progress->Update(static_cast<uint64_t>(hour) + 1, "");
    }
    Deliver(end_);
    context.progress->End();
    for (const auto& file : files_) {
      RETURN_IF_ERROR(file->Close());
      report.bytes += file->bytes();
    }
    return absl::OkStatus();
  }

 private:
  XAccount Person(int index) const {
    WorldRng rng(settings_.seed, "person", static_cast<uint64_t>(index));
    XAccount account;
    account.number = 1'400'000'000ULL + static_cast<uint64_t>(index) * 977 + rng.Below(900);
    account.arabic = rng.Chance(0.5);
    account.version2 = rng.Chance(0.5);
    account.town = index % static_cast<int>(map_.towns().size());
    const std::string name = kNames[rng.Below(kNames.size())];
    account.handle = fmt::format("{}{}{}", name, kWords[rng.Below(kWords.size())], index);
    account.name = name;
    return account;
  }
  // Somebody who lives in a town.
  XAccount Local(int town) {
    const auto towns = static_cast<int>(map_.towns().size());
    const int households = std::max(1, people_ / towns);
    return Person(town + towns * static_cast<int>(rng_.Below(static_cast<uint64_t>(households))));
  }
  XAccount Anyone() { return Person(static_cast<int>(rng_.Below(static_cast<uint64_t>(people_)))); }

  std::shared_ptr<XPost> NewPost(const XAccount& author, int64_t time) {
    auto post = std::make_shared<XPost>();
    post->time = time - time % 1000;
    post->number = SnowflakeOf(post->time) + ++numbers_ % (1 << 22);
    post->author = author;
    post->likes = static_cast<int>(rng_.Below(30));
    return post;
  }

  PlaceMode DrawMode() {
    const double ticket = rng_.Unit();
    return ticket < 0.45   ? PlaceMode::kText
           : ticket < 0.58 ? PlaceMode::kTag
           : ticket < 0.76 ? PlaceMode::kPoint
           : ticket < 0.94 ? PlaceMode::kPlace
                           : PlaceMode::kNone;
  }

  // A post by `author` with one of `phrases`, that says it is in `town`.
  std::shared_ptr<XPost> Write(const XAccount& author, int64_t time, const std::vector<std::string_view>& phrases,
                               int town, int road, PlaceMode mode, const WorldEvent* event) {
    std::shared_ptr<XPost> post = NewPost(author, time);
    const WorldTown& here = map_.town(town);
    const std::string& name = author.arabic ? here.arabic : here.name;
    PhraseSlots slots;
    if (mode == PlaceMode::kText) {
      slots["in"] = author.arabic ? fmt::format("{{في|هنا في}} {}", name) : fmt::format("{{in|here in|in}} {}", name);
    } else {
      slots["in"] = author.arabic ? "{|هنا|عندنا}" : "{|here|over here}";
    }
    if (mode == PlaceMode::kTag) {
      slots["tag"] = HashtagOf(name, author.arabic);
    } else if (rng_.Chance(0.12)) {
      slots["tag"] = author.arabic ? "#عاجل" : "#lanterncoast";
    }
    if (mode == PlaceMode::kPoint) post->point = map_.Near(here.centre, rng_.Uniform(-1, 1), rng_.Uniform(-1, 1), 4.0);
    if (mode == PlaceMode::kPlace) post->place = here.name;
    if (road >= 0) {
      const WorldRoad& way = map_.road(road);
      const WorldTown& a = map_.town(way.from);
      const WorldTown& b = map_.town(way.to);
      slots["road"] = author.arabic ? fmt::format("{{{0}|{0}|الطريق بين {1} و {2}}}", way.arabic, a.arabic, b.arabic)
                                    : fmt::format("{{{0}|{0}|the road from {1} to {2}}}", way.name, a.name, b.name);
      if (mode == PlaceMode::kPoint) post->point = map_.Along(road, rng_.Uniform(0.1, 0.9));
    }
    const WorldTown& other = map_.town(static_cast<int>(rng_.Below(map_.towns().size())));
    slots["other"] = author.arabic ? other.arabic : other.name;
    slots["clock"] = ClockTime(event == nullptr ? time : event->begin + rng_.Between(-3, 4) * kWorldMinute);
    const int64_t since = event == nullptr ? rng_.Between(5, 90) : (time - event->begin) / kWorldMinute;
    slots["minutes"] = std::to_string(std::max<int64_t>(2, since - since % 5));
    post->text = ExpandPhrase(rng_.Pick(phrases), slots, rng_);
    return post;
  }

  void Queue(int64_t time, Delivery::Kind kind, const std::shared_ptr<XPost>& post) {
    if (time < end_) queue_.push({time, ++order_, kind, post});
  }

  // Sends a post, and draws whether its author deletes it.
  void Send(const std::shared_ptr<XPost>& post) {
    Queue(post->time, Delivery::Kind::kPost, post);
    if (post->repeats != nullptr) {
      post->deleted = post->repeats->deleted;
      return;
    }
    if (!rng_.Chance(std::min(0.5, 0.02 * settings_.noise))) return;
    // Notices may overtake what they delete.
    const bool early = !post->author.version2 && rng_.Chance(0.1);
    const int64_t when = early ? post->time - kWorldSecond : post->time + rng_.Between(10, 200) * kWorldMinute;
    if (when >= end_) return;
    post->deleted = true;
    Queue(when, Delivery::Kind::kDeletion, post);
  }

  // Reposts and answers that a post draws; they belong to what it belongs to.
  void Echo(const std::shared_ptr<XPost>& post, double repost_share, double reply_share) {
    if (rng_.Chance(repost_share)) {
      for (int64_t i = rng_.Between(1, 4); i > 0; --i) {
        XAccount account = rng_.Chance(0.5) ? Local(post->author.town) : Anyone();
        if (account.version2 != post->author.version2 || account.number == post->author.number) continue;
        std::shared_ptr<XPost> repost = NewPost(account, post->time + rng_.Between(30, 2400) * kWorldSecond);
        repost->repeats = post;
        repost->text = RepostText(*post);
        repost->event = post->event;
        Send(repost);
      }
    }
    if (rng_.Chance(reply_share)) {
      for (int64_t i = rng_.Between(1, 2); i > 0; --i) {
        const XAccount account = Local(post->author.town);
        if (account.version2 != post->author.version2 || account.number == post->author.number) continue;
        std::shared_ptr<XPost> reply = NewPost(account, post->time + rng_.Between(40, 1200) * kWorldSecond);
        reply->answers = post;
        reply->text = ExpandPhrase(rng_.Pick(ReplyPhrases(account.arabic)), {}, rng_);
        reply->event = post->event;
        Send(reply);
      }
    }
  }

  void Chatter(int64_t begin) {
    for (int index = 0; index < people_; ++index) {
      if (!rng_.Chance(0.03 + 0.02 * settings_.noise)) continue;
      const XAccount author = Person(index);
      const double ticket = rng_.Unit();
      const PlaceMode mode = ticket < 0.1 ? PlaceMode::kPoint : ticket < 0.4 ? PlaceMode::kPlace : PlaceMode::kText;
      const std::shared_ptr<XPost> post = Write(author, begin + rng_.Between(0, 3'599'999) * 1000,
                                                ChatterPhrases(author.arabic), author.town, -1, mode, nullptr);
      Send(post);
      Echo(post, 0.04, 0.02);
    }
  }

  // What did not happen, told by one or two, and repeated.
  void Rumours(int64_t begin) {
    const auto towns = static_cast<int>(map_.towns().size());
    for (int town = 0; town < towns; ++town) {
      if (!rng_.Chance(1.2 / 24 * settings_.noise)) continue;
      const auto kind = static_cast<EventKind>(rng_.Below(5));
      // Most are one person's; some are agreed on.
      const int64_t tellers = rng_.Chance(0.12) ? rng_.Between(4, 6) : rng_.Between(1, 2);
      const int64_t time = begin + rng_.Between(0, 3'599'999) * 1000;
      const auto& roads = map_.town(town).roads;
      const int road = kind == EventKind::kRoad && !roads.empty() ? rng_.Pick(roads) : -1;
      if ((kind == EventKind::kRoad && road < 0) || !plan_.Quiet(town, time, kind, 3 * kWorldHour)) continue;
      for (int64_t i = tellers; i > 0; --i) {
        SendRumour(Local(town), time + rng_.Between(0, 20) * kWorldMinute, kind, town, road);
      }
    }
  }
  void SendRumour(const XAccount& author, int64_t time, EventKind kind, int town, int road) {
    const PlaceMode mode = rng_.Chance(0.7) ? PlaceMode::kText : PlaceMode::kTag;
    const std::shared_ptr<XPost> post =
        Write(author, time, EventPhrases(kind, author.arabic), town, road, mode, nullptr);
    Send(post);
    Echo(post, 0.5, 0.1);
    const Json line = {{"type", "rumour"},
                       {"kind", NameOf(kind)},
                       {"place", road >= 0 ? map_.road(road).name : map_.town(town).name},
                       {"time", IsoMilliseconds(post->time)},
                       {"record", PostKey(post->number)}};
    truth_.Rumour(DumpJson(line));
  }

  // What is said of an event while it lasts, and when it is over.
  void Tell(const WorldEvent& event) {
    const bool regional = event.kind == EventKind::kSatellite || event.kind == EventKind::kFirmware;
    int64_t count = 4 + event.severity * 2 + rng_.Between(0, 3);
    if (regional) count += static_cast<int64_t>(event.towns.size());
    const int64_t span = event.kind == EventKind::kSatellite ? 30 * kWorldMinute : event.end - event.begin;
    for (int64_t i = 0; i < count; ++i) {
      // Most at the beginning: the smaller of two.
      const int64_t delay = std::min(rng_.Between(0, span / 1000), rng_.Between(0, span / 1000)) * 1000;
      SendOfEvent(event, event.begin + 30 * kWorldSecond + delay, false);
    }
    for (int64_t i = rng_.Between(0, 3); i > 0; --i) {
      SendOfEvent(event, event.end + rng_.Between(60, 1500) * kWorldSecond, true);
    }
  }

  void SendOfEvent(const WorldEvent& event, int64_t time, bool over) {
    const int home = rng_.Pick(event.towns);
    // Where something of its own goes on, people speak of that.
    const int local = plan_.At(home, time, {EventKind::kStorm, EventKind::kPowerCut, EventKind::kFestival}, kWorldHour);
    if (local >= 0 && local != event.index && ShareSymptoms(event.kind, plan_.event(local).kind)) return;
    const XAccount author = Local(home);
    if (rng_.Chance(0.03 * settings_.noise)) {
      // The wrong place: somebody who only heard of it.
      const int town = static_cast<int>(rng_.Below(map_.towns().size()));
      const auto& touched = event.towns;
      if (event.road < 0 && std::find(touched.begin(), touched.end(), town) == touched.end() &&
          plan_.Quiet(town, time, event.kind, 3 * kWorldHour)) {
        return SendRumour(author, time, event.kind, town, -1);
      }
    }
    const auto& phrases = over ? OverPhrases(event.kind, author.arabic) : EventPhrases(event.kind, author.arabic);
    const std::shared_ptr<XPost> post = Write(author, time, phrases, home, event.road, DrawMode(), &event);
    post->event = event.index;
    Send(post);
    Echo(post, 0.3, 0.25);
    // Somebody tells it as their own, and as news, when it is long over.
    const int64_t late = time + rng_.Between(5 * 60, 12 * 60) * kWorldMinute;
    if (!over && rng_.Chance(0.02 * settings_.noise) && plan_.Quiet(home, late, event.kind, 3 * kWorldHour)) {
      SendRumour(Local(home), late, event.kind, home, event.road);
    }
  }

  void Deliver(int64_t until) {
    while (!queue_.empty() && queue_.top().time < until) {
      const Delivery delivery = queue_.top();
      queue_.pop();
      if (delivery.kind == Delivery::Kind::kDeletion) {
        DeliverDeletion(*delivery.post, delivery.time);
      } else {
        DeliverPost(delivery);
      }
    }
  }

  void DeliverDeletion(const XPost& post, int64_t time) {
    WorldFile& file = *files_[post.author.version2 ? 2 : 0];
    file.Write(post.author.version2 ? FormatXv2Deletion(post, time) : FormatXv1Deletion(post, time));
    file.Write("\r\n");
    truth_.Emit(kSource, NoticeKey(post.number));
    truth_.Deleted(PostKey(post.number));
  }

  void DeliverPost(const Delivery& delivery) {
    const XPost& post = *delivery.post;
    WorldFile& file = *files_[post.author.version2 ? 1 : 0];
    const std::string line = post.author.version2 ? FormatXv2(post) : FormatXv1(post);
    if (wire_.Chance(0.002 * settings_.noise)) {
      file.Write(line.substr(0, 30 + wire_.Below(line.size() - 60)));
      file.Write("\r\n");
      return truth_.Corrupt(kSource);
    }
    file.Write(line);
    file.Write("\r\n");
    if (wire_.Chance(0.01)) file.Write("\r\n");  // the stream is alive
    Note(post);
    // Version 2 brings the whole of what is reposted beside the repost.
    if (post.repeats != nullptr && post.author.version2) Note(*post.repeats);
    if (delivery.kind == Delivery::Kind::kPost && wire_.Chance(0.01 * settings_.noise)) {
      Queue(delivery.time + wire_.Between(1, 180) * kWorldSecond, Delivery::Kind::kAgain, delivery.post);
    }
  }

  void Note(const XPost& post) {
    if (post.emitted) return truth_.Duplicate(kSource);
    post.emitted = true;
    const std::string key = PostKey(post.number);
    if (post.deleted) return truth_.EmitTakenBack(kSource);
    truth_.Emit(kSource, key);
    if (post.event >= 0) truth_.Witness(post.event, kSource, key, kPaths[post.author.version2 ? 1 : 0]);
  }

  const WorldSettings& settings_;
  const WorldMap& map_;
  const EventPlan& plan_;
  Truth& truth_;
  WorldRng rng_;
  WorldRng wire_;
  const int people_;
  const int64_t end_;
  uint64_t numbers_ = 0;
  uint64_t order_ = 0;
  size_t next_event_ = 0;
  std::priority_queue<Delivery, std::vector<Delivery>, std::greater<>> queue_;
  std::array<std::unique_ptr<WorldFile>, 3> files_;
};

}  // namespace

absl::Status WritePosts(const WorldSettings& settings, const WorldMap& map, const EventPlan& plan, Truth& truth,
                        WorldReport& report, RunContext& context) {
  return Crowd(settings, map, plan, truth).Run(report, context);
}

}  // namespace rhodes
