#include "follow/reflection_answer.h"

#include "base/text.h"
#include "source/protobuf_wire.h"

namespace rhodes {
namespace {

// Field numbers of grpc/reflection/v1/reflection.proto.
constexpr uint32_t kFileByFilename = 3;
constexpr uint32_t kFileContainingSymbol = 4;
constexpr uint32_t kFileDescriptorResponse = 4;
constexpr uint32_t kErrorResponse = 7;
constexpr uint32_t kFileDescriptorProto = 1;
constexpr uint32_t kErrorMessage = 2;

std::string OneString(uint32_t field, std::string_view value) {
  std::string out(1, static_cast<char>(field << 3 | ProtobufReader::kBytes));
  for (size_t size = value.size();;) {
    const bool more = size >= 0x80;
    out += static_cast<char>((size & 0x7f) | (more ? 0x80 : 0));
    size >>= 7;
    if (!more) break;
  }
  return out.append(value);
}

}  // namespace

std::string ReflectionRequestOfSymbol(std::string_view symbol) { return OneString(kFileContainingSymbol, symbol); }
std::string ReflectionRequestOfFile(std::string_view file) { return OneString(kFileByFilename, file); }

absl::StatusOr<std::vector<std::string>> ReadReflectionAnswer(std::string_view bytes) {
  std::vector<std::string> files;
  bool answered = false;
  ProtobufReader answer(bytes);
  while (const auto field = answer.Next()) {
    if (field->wire != ProtobufReader::kBytes) continue;
    ProtobufReader inner(field->bytes);
    if (field->number == kErrorResponse) {
      std::string message = "no reason given";
      while (const auto part = inner.Next()) {
        if (part->number == kErrorMessage && part->wire == ProtobufReader::kBytes) {
          message = ReplaceInvalidUtf8(part->bytes.substr(0, 1000));
        }
      }
      return absl::NotFoundError(message);
    }
    if (field->number != kFileDescriptorResponse) continue;
    answered = true;
    while (const auto part = inner.Next()) {
      if (part->number == kFileDescriptorProto && part->wire == ProtobufReader::kBytes) files.emplace_back(part->bytes);
    }
    if (inner.broken()) return absl::DataLossError("reflection: the answer breaks off");
  }
  if (answer.broken()) return absl::DataLossError("reflection: the answer is no message");
  if (!answered) return absl::DataLossError("reflection: the answer holds no file");
  return files;
}

}  // namespace rhodes
