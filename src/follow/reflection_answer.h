// The messages of gRPC server reflection (grpc.reflection.v1 and v1alpha, which are the same on the wire), as far as a
// client needs them that wants to know one service.
#ifndef RHODES_FOLLOW_REFLECTION_ANSWER_H_
#define RHODES_FOLLOW_REFLECTION_ANSWER_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rhodes {

// ServerReflectionRequest.file_containing_symbol, .file_by_filename.
std::string ReflectionRequestOfSymbol(std::string_view symbol);
std::string ReflectionRequestOfFile(std::string_view file);

// The serialized FileDescriptorProtos of a ServerReflectionResponse. NOT_FOUND with the server's message when it is an
// error_response; DATA_LOSS when it is neither that nor files, or no message at all.
absl::StatusOr<std::vector<std::string>> ReadReflectionAnswer(std::string_view bytes);

}  // namespace rhodes

#endif  // RHODES_FOLLOW_REFLECTION_ANSWER_H_
