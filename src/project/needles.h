// Whether some bytes hold a text that was erased, told without keeping the text: by hashes of it.
#ifndef RHODES_PROJECT_NEEDLES_H_
#define RHODES_PROJECT_NEEDLES_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/json.h"

namespace rhodes {

// Reading is thread-safe.
class Needles {
 public:
  // The longest run of `text` (of its first 4 KiB) that stands in JSON as it stands here (no control characters,
  // quotes, backslashes), up to kLongest bytes; nothing when it is shorter than kShortest.
  void AddText(std::string_view text);
  // A name, found where no letter, digit or underscore stands beside it.
  void AddName(std::string_view name);
  bool empty() const { return texts_.empty() && names_.empty(); }

  bool FindText(std::string_view bytes) const;
  bool FindName(std::string_view bytes) const;

  // Hashes and lengths alone.
  Json ToJson() const;
  static absl::StatusOr<Needles> FromJson(const Json& json, const std::string& path);

  static constexpr size_t kShortest = 24;
  static constexpr size_t kLongest = 64;

 private:
  struct Needle {
    uint64_t rolling = 0;  // of the first `window` bytes
    uint64_t whole = 0;    // XXH3 of all
    uint32_t length = 0;
  };
  // Needles by the hash of their first bytes; all of one window.
  using Table = absl::flat_hash_map<uint64_t, std::vector<Needle>>;
  static Needle Make(std::string_view bytes, size_t window);
  static void Insert(Table& table, const Needle& needle);
  static bool Find(const Table& table, size_t window, std::string_view bytes, bool words);

  Table texts_;                    // window kShortest
  std::map<size_t, Table> names_;  // by length, which is the window
};

}  // namespace rhodes

#endif  // RHODES_PROJECT_NEEDLES_H_
