#include "follow/broken_lines.h"

#include <algorithm>

#include "base/hash.h"

namespace rhodes {

void BrokenLines::Reject(const Broken& broken, std::string_view why, ParsedBlock& out) const {
  out.rejects.push_back({{file_, broken.begin, broken.begin + broken.size},
                         fmt::format("the connection broke off within a line, and {}", why)});
}

void BrokenLines::Add(std::string_view bytes, uint64_t begin, ParsedBlock& out) {
  const Broken broken{begin, bytes.size(), Fingerprint(bytes), 0, false, {}};
  if (bytes.size() < kShortest) {
    return Reject(broken, "too little of it is there to tell whether it was sent again", out);
  }
  broken_.push_back(broken);
  if (broken_.size() > kMost) {
    Reject(broken_.front(), "many more did so since", out);
    broken_.pop_front();
  }
}

void BrokenLines::Connected(Clock::time_point now) {
  for (Broken& broken : broken_) {
    if (!broken.connected) broken.until = now + patience_;
    broken.connected = true;
  }
}

void BrokenLines::See(std::string_view line) {
  std::erase_if(broken_, [&](Broken& broken) {
    ++broken.lines;
    return line.size() >= broken.size && Fingerprint(line.substr(0, broken.size)) == broken.hash;
  });
}

void BrokenLines::Expire(Clock::time_point now, ParsedBlock& out) {
  std::erase_if(broken_, [&](const Broken& broken) {
    if (broken.lines < kLines && !(broken.connected && now >= broken.until)) return false;
    Reject(broken, "the server did not send it again", out);
    return true;
  });
}

Json BrokenLines::ToJson(std::string_view unfinished, uint64_t begin) const {
  Json json = Json::array();
  for (const Broken& broken : broken_) json.push_back({broken.begin, broken.size, broken.hash});
  if (!unfinished.empty()) json.push_back({begin, unfinished.size(), Fingerprint(unfinished)});
  return json;
}

absl::Status BrokenLines::FromJson(const Json& json) {
  for (const Json& entry : json) {
    if (!entry.is_array() || entry.size() != 3 || !std::all_of(entry.begin(), entry.end(), [](const Json& number) {
          return number.is_number_unsigned() || (number.is_number_integer() && number.get<int64_t>() >= 0);
        })) {
      return absl::DataLossError("a kept position of an HTTP stream is damaged");
    }
    const auto size = entry[1].get<uint64_t>();  // one too short to be told again ends at once
    broken_.push_back(
        {entry[0].get<uint64_t>(), size, entry[2].get<uint64_t>(), size < kShortest ? kLines : 0, false, {}});
  }
  return absl::OkStatus();
}

}  // namespace rhodes
