#include "curate/personal_data_secrets.h"

#include <algorithm>

namespace rhodes {
namespace {

struct SecretForm {
  std::string_view prefix;
  size_t shortest, longest;  // characters behind the prefix
};
// From what the services document, and from the public rule sets of secret scanners.
constexpr SecretForm kSecrets[] = {
    {"AKIA", 16, 16},      {"ASIA", 16, 16},      {"AIza", 35, 35},      {"ghp_", 36, 36},        {"gho_", 36, 36},
    {"ghu_", 36, 36},      {"ghs_", 36, 36},      {"ghr_", 36, 36},      {"github_pat_", 50, 90}, {"glpat-", 20, 20},
    {"hf_", 30, 40},       {"npm_", 36, 36},      {"dop_v1_", 64, 64},   {"pypi-", 80, 300},      {"shpat_", 32, 32},
    {"sk_live_", 20, 100}, {"sk_test_", 20, 100}, {"rk_live_", 20, 100}, {"sk-proj-", 20, 200},   {"sk-ant-", 20, 200},
    {"sk-", 40, 60},       {"xoxb-", 20, 90},     {"xoxp-", 20, 90},     {"xoxa-", 20, 90}};

bool IsTokenByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

}  // namespace

size_t SecretFinder::TokenEnd(size_t at) {
  if (at >= token_begin_ && at < token_end_) return token_end_;
  token_begin_ = at;
  while (at < text_.size() && IsTokenByte(text_[at])) ++at;
  return token_end_ = at;
}

// Three parts in base64url: RFC 7519.
size_t SecretFinder::WebTokenEnd(size_t begin) {
  constexpr size_t kShortest = 40;
  constexpr size_t kLongest = 4096;
  // Only where a run of its characters begins, so that no run is read twice.
  if (begin > 0 && (IsTokenByte(text_[begin - 1]) || text_[begin - 1] == '.')) return 0;
  size_t end = TokenEnd(begin);
  for (int part = 0; part < 2; ++part) {
    if (end + 1 >= text_.size() || text_[end] != '.' || !IsTokenByte(text_[end + 1])) return 0;
    end = TokenEnd(end + 1);
  }
  return end - begin > kShortest && end - begin <= kLongest ? end : 0;
}

// RFC 7468.
size_t SecretFinder::PrivateKeyEnd(size_t begin) {
  constexpr size_t kLongest = 16384;
  constexpr std::string_view kFoot = "-----END ";
  const size_t label = text_.substr(begin, 64).find("PRIVATE KEY-----");
  if (label == std::string_view::npos) return 0;
  if (foot_ < begin + label) foot_ = std::min(text_.find(kFoot, begin + label), text_.size());
  if (foot_ == text_.size() || foot_ - begin > kLongest) return 0;
  const size_t close = text_.substr(foot_ + kFoot.size(), 64).find("-----");
  return close == std::string_view::npos ? 0 : foot_ + kFoot.size() + close + 5;
}

size_t SecretFinder::EndOf(size_t begin) {
  const std::string_view rest = text_.substr(begin);
  if (rest.starts_with("-----BEGIN ")) return PrivateKeyEnd(begin);
  if (rest.starts_with("eyJ")) return WebTokenEnd(begin);
  for (const SecretForm& form : kSecrets) {
    if (!rest.starts_with(form.prefix)) continue;
    const size_t end = TokenEnd(begin);
    const size_t length = end - begin - form.prefix.size();
    if (length >= form.shortest && length <= form.longest) return end;
  }
  return 0;
}

}  // namespace rhodes
