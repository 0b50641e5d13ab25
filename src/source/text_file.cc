#include "source/text_file.h"

#include "base/text.h"
#include "source/encoding.h"
#include "source/path_facts.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

class TextFile final : public Format {
 public:
  std::string_view name() const override { return "text"; }
  Framing framing() const override { return Framing::kWholeFile; }
  int Detect(std::string_view /*path*/, std::string_view /*head*/) const override { return 10; }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    if (LooksBinary(block.bytes)) {
      out.rejects.push_back(MakeReject(block, 0, block.bytes.size(), "binary: not a text"));
      return;
    }
    DecodedText decoded = DecodeText(block.bytes);
    if (Trim(decoded.text).empty()) return;
    Record record;
    record.text = std::move(decoded.text);
    record.language = LanguageOfPath(block.path);
    if (record.language.empty()) record.language = options.language;
    if (!decoded.encoding.empty()) record.fields.emplace_back("encoding", decoded.encoding);
    record.fields.emplace_back("name", FileName(block.path));
    if (std::string package = PackageOfPath(block.path); !package.empty()) {
      record.fields.emplace_back("package", std::move(package));
    }
    record.original = block.bytes;
    record.origin = {std::string(block.path), block.begin, block.begin + block.bytes.size()};
    SealRecord(options, "text", "text/1", record);
    out.records.push_back(std::move(record));
  }
};

}  // namespace

const Format& TextFormat() {
  static const TextFile format;
  return format;
}

}  // namespace rhodes
