// Posts in the two forms of X's streams; docs/sources/x.md has the members.
#ifndef RHODES_WORLD_X_LINES_H_
#define RHODES_WORLD_X_LINES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "world/map.h"

namespace rhodes {

struct XAccount {
  uint64_t number = 0;
  std::string handle;
  std::string name;
  bool arabic = false;
  bool version2 = false;  // which stream it comes by
  int town = 0;
};

struct XPost {
  uint64_t number = 0;
  int64_t time = 0;
  XAccount author;
  std::string text;
  std::optional<WorldPoint> point;
  std::string place;                     // "Port Amber", or nothing
  std::shared_ptr<const XPost> repeats;  // a repost of it
  std::shared_ptr<const XPost> answers;  // a reply to it
  bool deleted = false;
  int event = -1;
  int likes = 0;
  mutable bool emitted = false;
};

// One line each, without its line break.
std::string FormatXv1(const XPost& post);
std::string FormatXv2(const XPost& post);
// The post as it stands in a line of version 2: `data`, or `includes.tweets`.
std::string FormatXv2Post(const XPost& post);
std::string FormatXv1Deletion(const XPost& post, int64_t time);
std::string FormatXv2Deletion(const XPost& post, int64_t time);

}  // namespace rhodes

#endif  // RHODES_WORLD_X_LINES_H_
